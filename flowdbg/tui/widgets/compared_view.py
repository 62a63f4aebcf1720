"""The steps of two runs, each with what became of it and how many leaves differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len

from flowdbg.present.compare import StepCompared
from flowdbg.present.looks import FOLDED, OPEN
from flowdbg.present.takes import Aspect
from flowdbg.tui.widgets.line_view import LineView, Piece
from flowdbg.tui.widgets.pieces import fitted

_SHORT: Mapping[Aspect, str] = {"output": "out", "input": "in", "block": "blk"}


FEW = 8
"""How much that differs inside a step is shown at first; more stays folded."""


class ComparedView(LineView):
    """Lists steps, and what differs inside them; those that differ are seen at a glance."""

    _steps: tuple[StepCompared, ...] = ()
    _rows: tuple[StepCompared, ...] = ()
    _turned: frozenset[str] = frozenset()
    """The steps that are folded or unfolded the other way than at first."""

    def __init__(self) -> None:
        super().__init__(id="compared")

    @property
    def step_at_cursor(self) -> StepCompared | None:
        """The step under the cursor, or what differs inside one."""
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    def show_steps(self, steps: Sequence[StepCompared], at: int) -> None:
        """Show other steps, the cursor on one of them."""
        self._steps = tuple(steps)
        self._stand_on(steps[at] if steps else None)

    def _stand_on(self, step: StepCompared | None) -> None:
        rows: list[StepCompared] = []
        for one in self._steps:
            rows += [one, *(one.inner if self._is_open(one) else ())]
        self._rows = tuple(rows)
        self.folded()
        with self.prevent(LineView.Moved):
            self.move_to(rows.index(step) if step is not None else 0)

    def _is_open(self, step: StepCompared) -> bool:
        return (len(step.inner) <= FEW) != (step.step_id in self._turned)

    def _turn(self, *, is_open: bool) -> None:
        """Fold or unfold the step under the cursor, or the one that it is inside."""
        at = self.cursor
        while at > 0 and self._rows[at].inside:
            at -= 1
        step = self._rows[at] if self._rows else None
        if step is not None and step.inner and self._is_open(step) != is_open:
            self._turned ^= {step.step_id}
            self.cursor = at
            self._stand_on(step)

    def action_right(self) -> None:
        """Show what differs inside the step."""
        self._turn(is_open=True)

    def action_left(self) -> None:
        """Hide what differs inside the step."""
        self._turn(is_open=False)

    def next_differing(self, by: int) -> int | None:
        """Return the row of the next step that differs, after the last one the first."""
        differing = [at for at, step in enumerate(self._rows) if step.differs]
        beyond = [at for at in differing if (at - self.cursor) * by > 0]
        found = beyond or [at for at in differing if at != self.cursor]
        if not found:
            return None
        return found[0] if by > 0 else found[-1]

    def row_count(self) -> int:
        """Return how many steps there are, with what is shown inside them."""
        return len(self._rows)

    def row_pieces(self, index: int) -> Sequence[Piece]:
        """Draw one step: its mark, its name, what differs."""
        step = self._rows[index]
        said = _said(step)
        width = self.scrollable_content_region.width
        lead = "     " if step.inside else f"{step.number:>2} " if step.number else ""
        fold = f"{(OPEN if self._is_open(step) else FOLDED).glyph} " if step.inner else ""
        room = max(width - 5 - cell_len(lead + fold) - cell_len(said), 8)
        return [
            (f" {step.look.glyph} ", f"tone--{step.look.tone}"),
            (lead + fold, "tone--muted"),
            (f"{fitted(step.inside or step.name, room)} ", "" if step.differs else "tone--muted"),
            (said, "tone--edit" if step.differs else "tone--muted"),
        ]


def _said(step: StepCompared) -> str:
    counts = [
        f"{short} {step.counts[aspect]}"
        for aspect, short in _SHORT.items()
        if step.counts.get(aspect)
    ]
    if step.inner and not counts:
        return f"{len(step.inner)} inside"
    words = {"only before": "only left", "only after": "only right", "not run": ""}
    return " ".join(counts) or words.get(step.verdict, "")
