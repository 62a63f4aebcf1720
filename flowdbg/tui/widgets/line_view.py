"""The base of all long lists: rows drawn one by one, only those that are seen.

A subclass says how many rows there are and draws one; this class scrolls, moves the cursor, marks
what was searched and turns mouse clicks into rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, takewhile
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from flowdbg.present.looks import ELLIPSIS
from flowdbg.present.search import Hits, Query, Span, sliced
from flowdbg.present.text_lines import wrapped
from flowdbg.tui.inks import ink
from flowdbg.tui.styles import stylesheet
from flowdbg.tui.widgets.pieces import painted

Piece = tuple[str, str]
"""A piece of a row: its text, safe to draw, and the ink (`inks.py`) that it is drawn with."""

_LINE_END = 10**9


def list_key(keys: str, action: str, label: str, binding_id: str) -> Binding:
    """Return a key of a list; it goes before others, so that a burst of keys is done in order."""
    return Binding(keys, action, label, show=False, priority=True, id=binding_id)


class LineView(ScrollView, can_focus=True):
    """A scrolling list of rows with a cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        list_key("down,j", "move(1)", "Down", "cursor.down"),
        list_key("up,k", "move(-1)", "Up", "cursor.up"),
        list_key("pagedown,ctrl+d", "page(1)", "Page down", "cursor.page-down"),
        list_key("pageup,ctrl+u", "page(-1)", "Page up", "cursor.page-up"),
        list_key("home,g", "first", "First", "cursor.first"),
        list_key("end,G", "last", "Last", "cursor.last"),
        list_key("left,h", "left", "Fold or left", "cursor.left"),
        list_key("right,l", "right", "Unfold or right", "cursor.right"),
        list_key("enter,space", "choose", "Open", "cursor.choose"),
    ]
    DEFAULT_CSS = stylesheet(__file__)

    cursor: reactive[int] = reactive(0, repaint=False)
    """The index of the row that keys act on."""

    class OfRow(Message):
        """Something about a row of a view."""

        def __init__(self, view: LineView, index: int) -> None:
            super().__init__()
            self.view = view
            self.index = index

        @property
        def control(self) -> LineView:
            """The view that the row is in."""
            return self.view

    class Moved(OfRow):
        """The cursor stands on another row."""

    class Chosen(OfRow):
        """A row was opened, with a key or a second click."""

    def __init__(self, *, id: str | None = None, placeholder: str = "") -> None:  # noqa: A002 # Textual's own name for it
        super().__init__(id=id)
        self.hits: Hits | None = None
        """What was searched here; None when nothing was."""
        self.placeholder = placeholder
        """What is shown while there are no rows."""
        self._hit_row = -1
        self._inks: dict[str, Style] = {}
        self._base: Style | None = None

    def row_count(self) -> int:
        """Return how many rows there are."""
        raise NotImplementedError

    def row_pieces(self, index: int) -> Sequence[Piece]:
        """Draw one row, from left to right."""
        raise NotImplementedError

    def row_text(self, index: int) -> str:
        """Return a row as it is searched and copied."""
        return "".join(text for text, _ in self.row_pieces(index))

    def path_text(self) -> str:
        """Return where in a value the cursor stands, as people write it; empty without a path."""
        return ""

    def shows_cursor(self) -> bool:
        """Whether there is a row to stand on."""
        return self.row_count() > 0

    def rows_changed(self, first: int = 0) -> None:
        """Tell the view that rows from `first` on are others now; they are drawn again."""
        self._take_size(Size(self.scrollable_content_region.width, self._line_count()))
        self.cursor = self.cursor  # which may be beyond the last row now
        top, height = self.scroll_offset.y, self.size.height
        if first <= top:
            self.refresh()
        elif first <= top + height:
            self.refresh_lines(first, height)

    def _take_size(self, size: Size) -> None:
        """Take a new size; the whole screen is laid out again only when a scrollbar comes or goes.

        A stream grows fifteen times a second, and laying out costs more than all its rows.
        """
        before = self.virtual_size
        if size == before:
            return
        height = self.scrollable_content_region.height
        keeps = size.width == before.width and not self.styles.is_auto_height and height > 0
        if keeps and self.show_vertical_scrollbar and size.height > height:
            self.set_reactive(Widget.virtual_size, size)
            self.vertical_scrollbar.window_virtual_size = size.height
        elif keeps and not self.show_vertical_scrollbar and size.height <= height:
            self.set_reactive(Widget.virtual_size, size)
        else:
            self.virtual_size = size

    @property
    def text_width(self) -> int:
        """Cells for texts that wrap: as many whether the scrollbar is there or not."""
        return self.content_region.width - self.styles.scrollbar_size_vertical

    def move_to(self, index: int) -> None:
        """Put the cursor on a row and show it."""
        self.cursor = index
        self.show_row(self.cursor)

    def show_row(self, index: int) -> None:
        """Scroll as little as needed for a row to be seen."""
        top, height = round(self.scroll_target_y), self.scrollable_content_region.height
        if index < top:
            self.scroll_to(y=index, animate=False, force=True)
        elif index >= top + height:
            self.scroll_to(y=index - height + 1, animate=False, force=True)

    def search(self, query: Query) -> Hits:
        """Find a query, stand on the first hit from here on, and return all hits."""
        found = [hits for hits in self.searching(query) if hits is not None]
        return found[-1] if found else Hits(query, ())

    @property
    def place(self) -> list[Any]:
        """Where this view stands, as JSON, for `go_to`."""
        return [self.cursor, round(self.scroll_target_y)]

    def go_to(self, place: list[Any]) -> None:
        """Stand where a view of the same rows stood.

        Raises:
            ValueError, TypeError, LookupError: The place is of another view.
        """
        cursor, top = place
        self.cursor = int(cursor)
        self.show_from(int(top))

    def show_from(self, top: int) -> None:
        """Scroll until a row is the first that is seen; before the first layout, after it."""
        if self.size.height:
            self.scroll_to(y=top, animate=False, immediate=True, force=True)
        else:
            self.call_after_refresh(self.scroll_to, y=top, animate=False, force=True)

    def searching(self, query: Query) -> Iterator[Hits | None]:
        """Do what `search` does a part at a time; yields None in between, and at last the hits."""
        occurs = query.test()
        rows = takewhile(lambda at: at < self.row_count(), count())  # some may come meanwhile
        places: list[int] = []
        for part in sliced(query, (at if occurs(self.row_text(at)) else None for at in rows)):
            places += part
            yield None
        yield self.stand_on(
            Hits(query, () if query.problem else tuple(places)).nearest(self.cursor)
        )

    def search_step(self, step: int) -> Hits | None:
        """Stand on the next (1) or the previous (-1) hit."""
        return self.stand_on(self.hits.moved(step)) if self.hits is not None else None

    def end_search(self) -> None:
        """Show no hits any more."""
        self.hits = None
        self.refresh()

    def stand_on(self, hits: Hits) -> Hits:
        """Take hits over, go to the current one and return them."""
        self.hits = hits
        self._hit_row = -1
        if hits.place is not None:
            self._hit_row = self.row_of(hits.place)
            self.move_to(self._hit_row)
        self.refresh()
        return hits

    def row_of(self, place: int) -> int:
        """Return the row of a hit; views that fold unfold what is needed to show it."""
        return place

    def folded(self) -> None:
        """Tell the view that something was folded or unfolded."""
        self._hit_row = -1
        self.rows_changed()

    def validate_cursor(self, index: int) -> int:
        """Keep the cursor on a row."""
        return min(max(index, 0), max(self.row_count() - 1, 0))

    def watch_cursor(self, before: int, now: int) -> None:
        """Draw the two rows again and say where the cursor is."""
        if before != now:
            self.refresh_line(before)
            self.refresh_line(now)
            self.post_message(self.Moved(self, now))

    def notify_style_update(self) -> None:
        """Forget styles when the theme or the state of the widget changed."""
        super().notify_style_update()
        self._inks.clear()
        self._base = None

    def render_line(self, y: int) -> Strip:
        """Draw the row at a line of the screen."""
        index = self.scroll_offset.y + y
        width = self.size.width
        base = self.base
        if index >= self._line_count():
            return Strip.blank(width, base)
        is_cursor = index == self.cursor and self.shows_cursor()
        focused_cursor = is_cursor and self.has_focus
        if is_cursor:
            name = "line--cursor" if self.has_focus else "line--cursor-blurred"
            base = ink(self, name)
        pieces = [
            Segment(text, base if focused_cursor or not name else base + self.ink(name))
            for text, name in self._line(index)
            if text
        ]
        spans, current = self.hit_spans(index, pieces)
        if spans:
            name = "line--match-current" if current else "line--match"
            pieces = painted(pieces, spans, ink(self, name))
        if (selection := self.text_selection) and (span := selection.get_span(index)):
            start, end = span
            selected = self.screen.get_component_rich_style("screen--selection")
            pieces = painted(pieces, [(start, _LINE_END if end == -1 else end)], selected)
        strip = Strip(pieces)
        room = self.scrollable_content_region.width
        if strip.cell_length > room > 1:
            strip = Strip([*strip.crop(0, room - 1), Segment(ELLIPSIS.glyph, base)])
        return strip.crop_extend(0, width, base).apply_offsets(0, index)

    def hit_spans(self, index: int, pieces: Sequence[Segment]) -> tuple[Sequence[Span], bool]:
        """Return which parts of a row were searched for, and whether it is the current hit."""
        if self.hits is None or not self.hits.query:
            return (), False
        text = "".join(piece.text for piece in pieces)
        return self.hits.query.spans(text, 50), index == self._hit_row

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the text under a selection made with the mouse."""
        first = selection.start.y if selection.start else 0
        last = selection.end.y if selection.end else self._line_count() - 1
        rows = []
        for index in range(first, min(last + 1, self._line_count())):
            text = "".join(piece for piece, _ in self._line(index))
            start, end = selection.get_span(index) or (0, -1)
            rows.append(text[start : None if end == -1 else end].rstrip())
        return "\n".join(rows), "\n"

    def _line_count(self) -> int:
        """How many rows are drawn, the lines of a placeholder too."""
        return self.row_count() or len(self._placeholder_lines())

    def _line(self, index: int) -> Sequence[Piece]:
        if self.row_count():
            return self.row_pieces(index)
        return [(f" {self._placeholder_lines()[index]}", "tone--muted")]

    def _placeholder_lines(self) -> list[str]:
        lines = self.placeholder.split("\n") if self.placeholder else []
        return [piece for line in lines for piece in wrapped(line, max(self.text_width - 2, 10))]

    def on_resize(self, event: events.Resize) -> None:
        """Wrap a placeholder to the new width."""
        del event
        if not self.row_count():
            self.rows_changed()

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw the selection."""
        del selection
        self.refresh()

    @property
    def base(self) -> Style:
        """The style of a row without any other; kept, because Textual asks all ancestors for it."""
        if self._base is None:
            self._base = self.rich_style
        return self._base

    def ink(self, name: str) -> Style:
        """Return an ink without its background, to lay over the style of a row."""
        found = self._inks.get(name)
        if found is None:
            full = ink(self, name)
            found = Style(
                color=full.color,
                bold=full.bold,
                dim=full.dim,
                italic=full.italic,
                underline=full.underline,
                reverse=full.reverse,
                strike=full.strike,
            )
            self._inks[name] = found
        return found

    def action_move(self, by: int) -> None:
        """Move the cursor by rows."""
        self.move_to(self.cursor + by)

    def action_page(self, direction: int) -> None:
        """Move the cursor by a screenful."""
        self.move_to(self.cursor + direction * max(self.scrollable_content_region.height - 1, 1))

    def action_first(self) -> None:
        """Move the cursor to the first row."""
        self.move_to(0)

    def action_last(self) -> None:
        """Move the cursor to the last row."""
        self.move_to(self.row_count() - 1)

    def action_left(self) -> None:
        """Fold; most lists have nothing that folds."""

    def action_right(self) -> None:
        """Unfold; most lists have nothing that folds."""

    def action_choose(self) -> None:
        """Open the row under the cursor."""
        if self.row_count():
            self.post_message(self.Chosen(self, self.cursor))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse is; a second click opens the row."""
        index = self.scroll_offset.y + event.y - self.gutter.top
        if 0 <= index < self.row_count():
            if event.chain > 1:
                self.action_choose()
            else:
                self.cursor = index
