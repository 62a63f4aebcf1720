"""Branches as a tree with how each stands, and the steps of one of them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.message import Message

from flowdbg.core.json_text import JsonText
from flowdbg.present import formats
from flowdbg.present.branches import BranchRow, took
from flowdbg.present.compare import RunsCompared, StepCompared
from flowdbg.present.json_diff import MISSING
from flowdbg.present.looks import DIFFERENT, EDITED, FOLDED, OPEN, STEP_LOOKS, StepState
from flowdbg.present.plan_rows import STEP_STATES
from flowdbg.present.safe_text import safe_line
from flowdbg.tui.widgets.line_view import LineView, Piece
from flowdbg.tui.widgets.pieces import fitted

HERE = "→"
"""Marks the branch that the session is on."""

_STATE = 17
"""Cells of the longest state: a glyph and `outcome unknown`."""

_TOKENS_FROM = 96
"""Cells of width from which tokens are shown."""


class BranchesView(LineView):
    """Lists branches, unfolded ones with their turns."""

    class Folded(Message):
        """A branch is to be unfolded to its turns, or folded."""

        def __init__(self, branch: int, is_open: bool) -> None:
            super().__init__()
            self.branch = branch
            self.is_open = is_open

    def __init__(self) -> None:
        super().__init__(id="branches")
        self._rows: tuple[BranchRow, ...] = ()
        self._marked: int | None = None

    @property
    def row_at_cursor(self) -> BranchRow | None:
        """The row under the cursor."""
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    def show_rows(self, rows: tuple[BranchRow, ...], marked: int | None) -> None:
        """Show other rows; `marked` is the branch that others are compared with."""
        self._rows, self._marked = rows, marked
        self.rows_changed()

    def stand_on_branch(self, number: int) -> None:
        """Put the cursor on a branch."""
        for at, row in enumerate(self._rows):
            if row.branch == number and row.turn is None:
                self.move_to(at)

    def row_count(self) -> int:
        """Return how many rows there are."""
        return len(self._rows)

    def heading(self) -> str:
        """Return the names of the columns, as wide as the rows."""
        rest = self._columns("done", "turns", "edits", "time", "tokens")
        return f"    {'branch':<{self._room()}} {'state':<{_STATE}}{rest}"

    def row_pieces(self, index: int) -> Sequence[Piece]:
        """Draw one branch or turn."""
        row = self._rows[index]
        is_turn = row.turn is not None
        here = HERE if row.is_current and not is_turn else " "
        marked = DIFFERENT.glyph if row.branch == self._marked and not is_turn else " "
        fold = f"{(OPEN if row.is_open else FOLDED).glyph} " if row.turns else ""
        what = fitted(f"{row.tree}{fold}{row.what}", self._room())
        state = f"{row.look.glyph} {row.look.word.lower()}"
        rest = self._columns(
            row.place,
            "" if is_turn else str(row.turns),
            f"{EDITED.glyph}{row.edits}" if row.edits else "",
            took(row),
            formats.count(row.tokens) if row.tokens else "",
        )
        return [
            (f" {here}", "tone--accent"),
            (f"{marked} ", "tone--edit"),
            (f"{what} ", "json--key" if here == HERE else "tone--muted" if is_turn else ""),
            (f"{state:<{_STATE}}", f"tone--{row.look.tone}"),
            (rest, "tone--muted"),
        ]

    def action_right(self) -> None:
        """Unfold the branch to its turns."""
        row = self.row_at_cursor
        if row is not None and row.turn is None and row.turns:
            self.post_message(self.Folded(row.branch, True))

    def action_left(self) -> None:
        """Fold the branch, or the one whose turn this is."""
        row = self.row_at_cursor
        if row is not None:
            self.post_message(self.Folded(row.branch, False))

    def _room(self) -> int:
        """Cells for the tree and the name."""
        width = max(self.scrollable_content_region.width, 60)
        return width - 5 - _STATE - cell_len(self._columns("", "", "", "", ""))

    def _columns(self, place: str, turns: str, edits: str, time: str, tokens: str) -> str:
        narrow = f"{place:>6}{turns:>6}{edits:>6}{time:>8} "
        is_wide = self.scrollable_content_region.width >= _TOKENS_FROM
        return f"{narrow}{tokens:>9} " if is_wide else narrow


class BranchSteps(LineView):
    """Lists the steps of a branch: whether each differs, how it stands, what it said."""

    def __init__(self) -> None:
        super().__init__(id="steps")
        self._steps: tuple[StepCompared, ...] = ()

    @property
    def step_at_cursor(self) -> str:
        """The step under the cursor; empty when there is none."""
        return self._steps[self.cursor].step_id if self.cursor < len(self._steps) else ""

    def show(self, compared: RunsCompared) -> None:
        """Show the steps of the later one of two runs."""
        self._steps = tuple(step for step in compared.steps if step.number)
        self.rows_changed()

    def row_count(self) -> int:
        """Return how many steps there are."""
        return len(self._steps)

    def row_pieces(self, index: int) -> Sequence[Piece]:
        """Draw one step."""
        step = self._steps[index]
        execution = step.after.execution if step.after else None
        state = STEP_STATES[execution.status] if execution else StepState.PENDING
        look = STEP_LOOKS[state]
        return [
            (f" {step.look.glyph if step.differs else ' '} ", f"tone--{step.look.tone}"),
            (f"{look.glyph} ", f"tone--{look.tone}"),
            (f"{step.number:>2} {fitted(step.name, 20)} ", "" if step.after else "tone--muted"),
            (f"{EDITED.glyph} " if step.after and step.after.is_edit else "", "tone--edit"),
            (_said(step), "tone--muted"),
        ]


def _said(step: StepCompared) -> str:
    """What a step said, on one line."""
    if step.after is None:
        return STEP_LOOKS[StepState.PENDING].word
    text = step.after.text("output")
    if text is None:
        value = step.after.value("output")
        text = "" if value is MISSING else JsonText.of(value).text
    return safe_line(text, 200)
