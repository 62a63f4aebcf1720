"""Everything that happened, newest last; 10,000 events cost what 20 cost."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from textual import events

from flowdbg.present.event_rows import Describe, EventItem, EventLine, EventRows, clock_time
from flowdbg.present.looks import FOLDED, OPEN
from flowdbg.tui.styles import stylesheet
from flowdbg.tui.widgets.line_view import LineView, Piece

_CLOCK_FROM = 60
"""Cells of width from which times have milliseconds."""


class EventsView(LineView):
    """Lists events; the cursor stays on the newest one until somebody moves it."""

    DEFAULT_CSS = stylesheet(__file__)

    def __init__(self, describe: Describe, *, id: str | None = None) -> None:  # noqa: A002 # Textual's own name for it
        super().__init__(id=id)
        self._describe = describe
        self._rows = EventRows(describe)

    def show_items(self, items: Sequence[EventItem]) -> None:
        """Show another log from its end."""
        self._rows = EventRows(self._describe)
        self.hits = None
        self.cursor = 0
        self.add(items)
        self.refresh()
        self.call_after_refresh(self.scroll_end, animate=False, x_axis=False, force=True)

    def add(self, items: Sequence[EventItem]) -> None:
        """Add what happened; keep to the end when the cursor stands there."""
        at_end = self.cursor >= len(self._rows) - 1
        first = self._rows.extend(items)
        self.rows_changed(first)
        if at_end:
            self.cursor = max(len(self._rows) - 1, 0)
            self.scroll_end(animate=False, immediate=True, x_axis=False, force=True)

    def on_resize(self, event: events.Resize) -> None:
        """Keep to the end also when the list was hidden while events came."""
        del event
        if self.cursor >= len(self._rows) - 1:
            self.scroll_end(animate=False, x_axis=False, force=True)

    @property
    def place(self) -> list[Any]:
        """When the row under the cursor happened, its name, and how far below the top it is seen.

        Nothing for the end, which is followed. Rows are not counted: a log that is read again
        leaves out what only happened on the screen.
        """
        if self.cursor >= len(self._rows) - 1:
            return []
        name = self._rows.line(self.cursor).name
        return [self._rows.at(self.cursor), name, self.cursor - round(self.scroll_target_y)]

    def go_to(self, place: list[Any]) -> None:
        """Stand on what happened at the time of a place, or next."""
        if not place:
            return
        at, name, below = place
        first = bisect_left(range(len(self._rows)), float(at), key=self._rows.at)
        for row in range(first, len(self._rows)):
            if self._rows.at(row) != at:
                break
            if self._rows.line(row).name == name:
                first = row
                break
        self.cursor = min(first, len(self._rows) - 1)
        self.show_from(self.cursor - int(below))

    @property
    def line_at_cursor(self) -> EventLine | None:
        """What the row under the cursor says, with the event's raw data."""
        return self._rows.line(self.cursor) if len(self._rows) else None

    def path_text(self) -> str:
        """Return the id of the step that the row under the cursor is about."""
        line = self.line_at_cursor
        return line.step if line is not None else ""

    def row_count(self) -> int:
        """Return how many rows there are; a folded run of chunks is one."""
        return len(self._rows)

    def row_pieces(self, index: int) -> Sequence[Piece]:
        """Draw one event: time, name, step, what it says."""
        row = self._rows.rows[index]
        line = self._rows.line(index)
        clock = clock_time(self._rows.at(index))
        if self.size.width < _CLOCK_FROM:
            clock = clock[:8]
        mark = " "
        if row.count > 1 and not row.child:
            mark = (OPEN if row.is_open else FOLDED).glyph
        name = "  " + line.name if row.child else line.name
        tone = f"tone--{line.tone}" if line.tone != "plain" else ""
        return [
            (f"{clock} ", "tone--muted"),
            (f"{mark} ", "tone--muted"),
            (f"{_padded(name, 15)} ", tone),
            (f"{_padded(line.step, 14)} " if line.step else "", ""),
            (line.text, "tone--muted" if tone != "tone--bad" else tone),
        ]

    def row_text(self, index: int) -> str:
        """Return an event as one line."""
        return self._rows.text(index)

    def action_choose(self) -> None:
        """Unfold a run of chunks; anything else is opened."""
        if len(self._rows) and self._rows.rows[self.cursor].count > 1:
            self._toggle()
        else:
            super().action_choose()

    def action_left(self) -> None:
        """Fold a run of chunks."""
        if len(self._rows) and self._rows.rows[self.cursor].is_open:
            self._toggle()

    def action_right(self) -> None:
        """Unfold a run of chunks."""
        if len(self._rows) and not self._rows.rows[self.cursor].is_open:
            self._toggle()

    def _toggle(self) -> None:
        self._rows.toggle(self.cursor)
        self.rows_changed()


def _padded(text: str, cells: int) -> str:
    return text + " " * (cells - cell_len(text))
