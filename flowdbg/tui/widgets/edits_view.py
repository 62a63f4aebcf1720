"""What a person put on the session: edits, breakpoints, unfinished drafts."""

from __future__ import annotations

from collections.abc import Sequence

from flowdbg.present.edit_rows import EditRow
from flowdbg.present.looks import BREAKPOINT, DRAFT, EDITED
from flowdbg.tui.widgets.line_view import LineView, Piece

_MARKS = {"output": EDITED, "block": EDITED, "breakpoint": BREAKPOINT, "draft": DRAFT}


class EditsView(LineView):
    """Lists edits and breakpoints; opening one goes to its step."""

    _rows: tuple[EditRow, ...] = ()

    @property
    def row_at_cursor(self) -> EditRow | None:
        """The edit under the cursor."""
        return self._rows[self.cursor] if self._rows else None

    def path_text(self) -> str:
        """Return the id of the step that the edit under the cursor is of."""
        return self.row_at_cursor.step_id if self.row_at_cursor else ""

    def show_rows(self, rows: tuple[EditRow, ...]) -> None:
        """Show other rows."""
        if rows != self._rows:
            self._rows = rows
            self.rows_changed()

    def row_count(self) -> int:
        """Return how many edits there are."""
        return len(self._rows)

    def row_pieces(self, index: int) -> Sequence[Piece]:
        """Draw one edit."""
        row = self._rows[index]
        mark = _MARKS[row.kind]
        return [
            (f" {mark.glyph} ", f"tone--{mark.tone}"),
            (row.label, ""),
            (f"  {row.value}" if row.value else "", "tone--muted"),
        ]
