"""Text that grows: follows its end until somebody scrolls up, and never jumps after that."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from rich.segment import Segment
from textual import events

from flowdbg.present.search import Hits, Query, Span
from flowdbg.present.text_lines import TextLines
from flowdbg.tui.styles import stylesheet
from flowdbg.tui.widgets.line_view import LineView, Piece

SLICE = 64 * 1024
"""Characters that are wrapped at a time; a longer text is shown while the rest is being wrapped."""


class StreamView(LineView):
    """Shows a text while it is being produced; it wraps and is searched as it was said."""

    DEFAULT_CSS = stylesheet(__file__)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # Textual's own name for it
        super().__init__(id=id)
        self._lines = TextLines()
        self._waiting: deque[str] = deque()
        self._spans: list[Span] = []
        self._follow = True
        self._wanted: int | None = None

    @property
    def text(self) -> str:
        """The text as shown, as far as it was wrapped."""
        return self._lines.text

    def show_text(self, text: str, *, follow: bool = False, placeholder: str = "") -> None:
        """Show another text, from its beginning or, to follow, at its end."""
        self._lines = TextLines(self._row_width)
        self._waiting.clear()
        self._wanted = None
        self._spans = []
        self.hits = None
        self.placeholder = placeholder
        self.scroll_home(animate=False, immediate=True)
        self._follow = follow
        self.rows_changed()
        if text:
            self.append(text)

    def append(self, text: str) -> None:
        """Add text at the end; a long one is taken in slices, so that keys stay quick."""
        feeding = bool(self._waiting)
        self._waiting.extend(text[at : at + SLICE] for at in range(0, len(text), SLICE))
        if not feeding:
            self._feed()

    def row_count(self) -> int:
        """Return how many wrapped rows there are."""
        return len(self._lines)

    def row_pieces(self, index: int) -> Sequence[Piece]:
        """Draw one wrapped row."""
        return [(" ", ""), (self._lines.rows[index], "")]

    def shows_cursor(self) -> bool:
        """Text is read by scrolling; no row stands out."""
        return False

    @property
    def place(self) -> list[Any]:
        """The offset of the first character that is seen; nothing while the end is followed."""
        if self._follow or not len(self._lines):
            return []
        return [self._lines.start_of(min(round(self.scroll_target_y), len(self._lines) - 1))]

    def go_to(self, place: list[Any]) -> None:
        """Show a text from an offset on, as soon as it was wrapped so far."""
        if place:
            self._wanted = int(place[0])
            self._show_wanted()

    def _show_wanted(self) -> None:
        if self._wanted is not None and (self._wanted < len(self.text) or not self._waiting):
            row = self._lines.row_of(self._wanted) if len(self._lines) else 0
            self._follow, self._wanted = False, None
            self.show_from(row)

    def searching(self, query: Query) -> Iterator[Hits | None]:
        """Find a query in the text, across wrapped rows, a part at a time."""
        found: list[Span] = []
        for part in query.scanning(self._lines.text):
            found += part
            yield None
        self._spans = [] if query.problem else found
        start = self._lines.start_of(self.scroll_offset.y)
        places = tuple(start for start, _ in self._spans)
        yield self.stand_on(Hits(query, places).nearest(start))

    def row_of(self, place: int) -> int:
        """Return the row in which a place of the text is."""
        return self._lines.row_of(place)

    def move_to(self, index: int) -> None:
        """Bring a row into sight, with some of what stands above it."""
        self._follow = False
        height = self.scrollable_content_region.height
        if not self.scroll_offset.y <= index < self.scroll_offset.y + height:
            self.scroll_to(y=max(index - height // 3, 0), animate=False, force=True)

    def hit_spans(self, index: int, pieces: Sequence[Segment]) -> tuple[Sequence[Span], bool]:
        """Return the spans found by the last search that reach into a row."""
        del pieces
        if self.hits is None or index >= len(self._lines) or not self._spans:
            return (), False
        start = self._lines.start_of(index)
        end = start + len(self._lines.rows[index])
        at = max(bisect_left(self._spans, (start, start)) - 1, 0)
        found: list[Span] = []
        current = False
        while at < len(self._spans) and self._spans[at][0] < end:
            first, last = self._spans[at]
            if last > start:
                found.append((max(first, start) - start + 1, min(last, end) - start + 1))
                current = current or first == self.hits.place
            at += 1
        return found, current

    def end_search(self) -> None:
        """Show no hits any more."""
        self._spans = []
        super().end_search()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow the end again when somebody scrolled there; stop when they scrolled away."""
        super().watch_scroll_y(old_value, new_value)
        if new_value < old_value:
            self._follow = False
        elif self.is_vertical_scroll_end:
            self._follow = True

    def on_resize(self, event: events.Resize) -> None:
        """Wrap to the new width; the text at the top stays at the top."""
        del event
        top = self._lines.start_of(self.scroll_offset.y)
        follow = self._follow
        self._lines.rewrap(self._row_width)
        self.rows_changed()
        if follow:
            self._to_end()
        elif len(self._lines):
            self.scroll_to(y=self._lines.row_of(top), animate=False, force=True)
        self._follow = follow

    def action_move(self, by: int) -> None:
        """Scroll by rows."""
        self.scroll_relative(y=by, animate=False)

    def action_page(self, direction: int) -> None:
        """Scroll by a screenful."""
        height = max(self.scrollable_content_region.height - 1, 1)
        self.scroll_relative(y=direction * height, animate=False)

    def action_first(self) -> None:
        """Scroll to the beginning."""
        self.scroll_home(animate=False)

    def action_last(self) -> None:
        """Scroll to the end and follow it."""
        self._to_end()
        self._follow = True

    def on_click(self, event: events.Click) -> None:
        """A second click opens the text in an editor; one alone selects."""
        if event.chain > 1:
            self.action_choose()

    def _feed(self) -> None:
        """Wrap the next slice; come back for the rest after the screen was drawn."""
        if not self._waiting:
            return
        changed = self._lines.append(self._waiting.popleft())
        follow = self._follow
        self.rows_changed(changed)
        if follow:
            self._to_end()
        self._follow = follow
        self._show_wanted()
        if self._waiting:
            self.set_timer(1 / 60, self._feed)

    def _to_end(self) -> None:
        self.scroll_end(animate=False, immediate=True, x_axis=False, force=True)

    @property
    def _row_width(self) -> int:
        """Cells of a row without the ones at its ends."""
        return max(self.text_width - 2, 10)
