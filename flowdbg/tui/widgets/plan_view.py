"""The plan: one row a step, with a gutter that reads without colour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from textual import events
from textual.message import Message

from flowdbg.present.looks import BREAKPOINT, DRAFT, EDITED, FOLDED, OPEN, STEP_LOOKS, StepState
from flowdbg.present.plan_rows import PlanRow, row_index
from flowdbg.tui.widgets.line_view import LineView, Piece
from flowdbg.tui.widgets.pieces import fitted

_COLUMNS_FROM = 28
"""Cells of width from which kind and time of a step are shown."""


_LEAD = 7
"""Cells before a name: gutter, state, number."""

_NOTES = 6
"""Cells kept for times, so that the first one that comes moves nothing."""


class PlanView(LineView):
    """Lists the steps of a plan; the cursor is the selected step."""

    class OfStep(Message):
        """Something about a step of a plan."""

        def __init__(self, view: PlanView, step_id: str) -> None:
            super().__init__()
            self.view = view
            self.step_id = step_id

        @property
        def control(self) -> PlanView:
            """The view that the step is in."""
            return self.view

    class StepSelected(OfStep):
        """The cursor stands on another step."""

    class GutterClicked(OfStep):
        """The place of a breakpoint was clicked."""

    class ContainerToggled(OfStep):
        """A container is to show or hide what it holds."""

    _rows: tuple[PlanRow, ...] = ()
    _columns = (0, 0)
    _longest = 0

    @property
    def selected(self) -> PlanRow | None:
        """The row of the selected step."""
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    @property
    def needed_width(self) -> int:
        """The cells in which no name is cut, with its kind and a time."""
        kinds, notes = self._columns
        return _LEAD + self._longest + kinds + max(notes, _NOTES)

    def show_rows(self, rows: tuple[PlanRow, ...], selected: str = "") -> None:
        """Show rows; the step named keeps the cursor wherever it stands now."""
        before = self.selected.step_id if self.selected else ""
        wanted = row_index(rows, selected or before)
        if rows == self._rows and wanted == self.cursor:
            return
        self._rows = rows
        self._columns = (_column(row.kind for row in rows), _column(row.note for row in rows))
        self._longest = max(map(_name_width, rows), default=0)
        if wanted is not None and wanted != self.cursor:
            self.cursor = wanted
            self.call_after_refresh(self.show_row, wanted)
        self.rows_changed()

    def select(self, step_id: str) -> None:
        """Put the cursor on a step."""
        index = row_index(self._rows, step_id)
        if index is not None:
            self.move_to(index)

    def row_count(self) -> int:
        """Return how many steps are listed."""
        return len(self._rows)

    def row_pieces(self, index: int) -> Sequence[Piece]:
        """Draw one step: gutter, number, name, and as much more as the width allows."""
        row = self._rows[index]
        look = STEP_LOOKS[row.state]
        width = self.scrollable_content_region.width
        bold = "plan--next" if row.state is StepState.NEXT else ""
        pieces = [
            self._gutter(row),
            (look.glyph, f"tone--{look.tone}"),
            (f"{row.number:>3} " if row.number else "    ", "tone--muted"),
        ]
        indent = _indent(row)
        kinds, notes = self._columns if width >= _COLUMNS_FROM else (0, 0)
        if _LEAD + self._longest + kinds + notes > width:
            kinds = 0
        edits = _edits(row)
        room = max(width - _LEAD - len(indent) - len(edits) - kinds - notes, 4)
        pieces += [
            (indent, "tone--muted"),
            (fitted(row.name, room), bold),
            (edits, "tone--edit"),
        ]
        if kinds:
            pieces.append((f" {fitted(row.kind, kinds - 1)}", "tone--muted"))
        if notes:
            pieces.append((f" {row.note:>{notes - 1}}", "tone--muted"))
        return pieces

    def row_text(self, index: int) -> str:
        """Return name, kind and state of a step."""
        row = self._rows[index]
        return f"{row.number or ''} {row.name} {row.kind} {STEP_LOOKS[row.state].word}"

    def watch_cursor(self, before: int, now: int) -> None:
        """Say which step is selected now."""
        super().watch_cursor(before, now)
        row = self.selected
        if before != now and row is not None:
            self.post_message(self.StepSelected(self, row.step_id))

    def action_left(self) -> None:
        """Fold a container; from inside one, go to it."""
        row = self.selected
        if row is None:
            return
        if row.is_open:
            self.post_message(self.ContainerToggled(self, row.step_id))
        elif row.depth:
            above = [at for at in range(self.cursor) if self._rows[at].depth < row.depth]
            self.move_to(above[-1] if above else 0)

    def action_right(self) -> None:
        """Unfold a container."""
        row = self.selected
        if row is not None and row.is_container and not row.is_open:
            self.post_message(self.ContainerToggled(self, row.step_id))

    def on_click(self, event: events.Click) -> None:
        """Select a step; a click in the gutter sets a breakpoint."""
        index = self.scroll_offset.y + event.y - self.gutter.top
        if not 0 <= index < len(self._rows):
            return
        if event.x - self.gutter.left < 1:
            self.post_message(self.GutterClicked(self, self._rows[index].step_id))
        super().on_click(event)

    def _gutter(self, row: PlanRow) -> Piece:
        if row.breakpoint:
            return BREAKPOINT.glyph, f"tone--{BREAKPOINT.tone}"
        if row.breakpoint is False:
            return "○", "tone--muted"
        if row.draft:
            return DRAFT.glyph, f"tone--{DRAFT.tone}"
        if row.edits:
            return EDITED.glyph, f"tone--{EDITED.tone}"
        return " ", ""


def _indent(row: PlanRow) -> str:
    fold = (OPEN if row.is_open else FOLDED).glyph + " " if row.is_container else ""
    return "  " * row.depth + fold


def _edits(row: PlanRow) -> str:
    return f" {EDITED.glyph}{row.edits}" if row.edits else ""


def _name_width(row: PlanRow) -> int:
    return len(_indent(row)) + cell_len(row.name) + len(_edits(row))


def _column(texts: Iterable[str]) -> int:
    """The width of a column with the space before it; 0 when there is nothing in it."""
    longest = max(map(cell_len, texts), default=0)
    return longest + 1 if longest else 0
