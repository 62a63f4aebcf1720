"""What a person put on the session: edits, breakpoints, unfinished drafts."""

from __future__ import annotations

from collections.abc import Sequence

from flowdbg.present.edit_rows import EditRow
from flowdbg.present.looks import BREAKPOINT, DRAFT, EDITED
from flowdbg.tui.styles import stylesheet
from flowdbg.tui.widgets.line_view import LineView, Piece

_MARKS = {"output": EDITED, "block": EDITED, "breakpoint": BREAKPOINT, "draft": DRAFT}


_NONE = (" Nothing yet.", " i edits an output,", " o a block,", " b sets a breakpoint.")


class EditsView(LineView):
    """Lists edits and breakpoints; opening one goes to its step."""

    DEFAULT_CSS = stylesheet(__file__)

    def __init__(
        self,
        *,
        id: str | None = None,  # noqa: A002 # Textual's own name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._rows: tuple[EditRow, ...] = ()

    @property
    def row_at_cursor(self) -> EditRow | None:
        """The edit under the cursor."""
        return self._rows[self.cursor] if self._rows else None

    def show_rows(self, rows: tuple[EditRow, ...]) -> None:
        """Show other rows."""
        if rows != self._rows:
            self._rows = rows
            self.rows_changed()
            self.refresh()

    def row_count(self) -> int:
        """Return how many rows there are; without any, one that says so."""
        return len(self._rows) or len(_NONE)

    def shows_cursor(self) -> bool:
        """A list without edits has no cursor."""
        return bool(self._rows)

    def row_pieces(self, index: int) -> Sequence[Piece]:
        """Draw one edit."""
        if not self._rows:
            return [(_NONE[index], "tone--muted")]
        row = self._rows[index]
        mark = _MARKS[row.kind]
        return [
            (f" {mark.glyph} ", f"tone--{mark.tone}"),
            (row.label, ""),
            (f"  {row.value}" if row.value else "", "tone--muted"),
        ]

    def action_choose(self) -> None:
        """Go to the step of the edit under the cursor."""
        if self._rows:
            super().action_choose()
