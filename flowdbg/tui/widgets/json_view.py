"""A JSON value that folds: 50,000 nodes open in the time of their first level.

`Tree` was measured at four seconds for that; this draws only the rows that are seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message

from flowdbg.present.json_paths import Path, show
from flowdbg.present.json_rows import JsonRows, Row, preview
from flowdbg.present.json_search import Found, finding
from flowdbg.present.looks import EDITED, FOLDED, OPEN
from flowdbg.present.safe_text import safe_line
from flowdbg.present.search import Hits, Query
from flowdbg.tui.widgets.line_view import LineView, Piece, list_key

FILL = 30
"""Rows up to which a value is shown unfolded at first."""


class JsonView(LineView):
    """Shows one JSON value; containers and long texts fold."""

    BINDINGS: ClassVar[list[BindingType]] = [
        list_key("enter", "choose", "Open or edit", "json.choose"),
        list_key("space", "fold_toggle", "Fold or unfold", "json.toggle"),
        list_key("asterisk", "unfold_all", "Unfold all below", "json.unfold-all"),
        list_key("underscore", "fold_all", "Fold all below", "json.fold-all"),
    ]

    class LeafChosen(Message):
        """A leaf was opened: somebody wants to edit it."""

        def __init__(self, view: JsonView, path: Path, value: Any) -> None:
            super().__init__()
            self.view = view
            self.path = path
            self.value = value

        @property
        def control(self) -> JsonView:
            """The view that the leaf stands in."""
            return self.view

    def __init__(
        self,
        *,
        id: str | None = None,  # noqa: A002 # Textual's own name for it
        placeholder: str = "",
        open_texts: bool = False,
    ) -> None:
        super().__init__(id=id, placeholder=placeholder)
        self._open_texts = open_texts
        self._rows: JsonRows | None = None
        self._was: Mapping[Path, str] = {}
        self._found: list[Found] = []

    @property
    def has_value(self) -> bool:
        """Whether a value is shown."""
        return self._rows is not None

    @property
    def value(self) -> Any:
        """The value shown; None when there is none."""
        return self._rows.rows[0].value if self._rows else None

    def show_value(
        self, value: Any, was: Mapping[Path, str] | None = None, *, keep: bool = False
    ) -> None:
        """Show a value.

        Args:
            value: The parsed JSON value.
            was: What edited leaves were before, from `json_diff.former`; they are marked.
            keep: Whether what is unfolded now stays so, for the next value of the same thing.
        """
        self._was = was or {}
        if self._rows is not None and keep:
            self._rows = self._rows.renewed(value)
        else:
            self._rows = JsonRows(value, fill=FILL, width=self._row_width)
            if self._open_texts:
                self._rows.unfold_texts()
            self.cursor = 0
            self.scroll_home(animate=False)
        self.hits = None
        self.folded()

    def clear(self, placeholder: str = "") -> None:
        """Show no value but a sentence."""
        self._rows, self._was = None, {}
        self.placeholder = placeholder
        self.hits = None
        self.folded()

    def row_count(self) -> int:
        """Return how many rows are visible."""
        return len(self._rows) if self._rows is not None else 0

    def row_pieces(self, index: int) -> Sequence[Piece]:
        """Draw one row: fold mark, key, value, and what it was before an edit."""
        assert self._rows is not None
        row = self._rows.rows[index]
        indent = " " * (1 + self._rows.indent(row.depth))
        if row.is_text:
            return [(indent + row.text, "json--text")]
        mark = "  "
        if row.foldable:
            mark = (OPEN if row.is_open else FOLDED).glyph + " "
        pieces: list[Piece] = [(indent + mark, "tone--muted")]
        was = self._was.get(row.path) if self._was else None
        if was is not None:
            pieces.append((EDITED.glyph + " ", "tone--edit"))
        pieces += self._member(row)
        if was:
            pieces.append((f"   was {was}", "tone--muted"))
        return pieces

    def row_text(self, index: int) -> str:
        """Return a row's key and value without its fold mark."""
        return "".join(text for text, _ in self.row_pieces(index)).strip()

    def path_at_cursor(self) -> Path:
        """Return the path of the row under the cursor; empty without a value."""
        return self._rows.rows[self.cursor].path if self._rows else ()

    def path_text(self) -> str:
        """Return the path under the cursor as people write it."""
        return show(self.path_at_cursor()) if self._rows else ""

    def value_at_cursor(self) -> Any:
        """Return the value under the cursor; for a line of a text, the whole text."""
        if self._rows is None:
            return None
        row = self._rows.rows[self.cursor]
        return row.parent.value if row.is_text and row.parent else row.value

    def reveal(self, path: Path) -> None:
        """Unfold down to a path and stand on it; an unknown path changes nothing."""
        if self._rows is not None:
            try:
                index = self._rows.reveal(path)
            except LookupError:
                return
            self.folded()
            self.move_to(index)

    @property
    def place(self) -> list[Any]:
        """The path under the cursor, and how far below the top it is seen."""
        return [list(self.path_at_cursor()), self.cursor - round(self.scroll_target_y)]

    def go_to(self, place: list[Any]) -> None:
        """Unfold down to the path of a place and stand there."""
        path, below = place
        self.reveal(tuple(path))
        self.show_from(self.cursor - int(below))

    def searching(self, query: Query) -> Iterator[Hits | None]:
        """Find a query in the whole value, folded parts included, a part at a time."""
        rows = self._rows
        found: list[Found] = []
        for part in finding(self.value, query) if rows is not None else ():
            found = part or found
            yield None
        if rows is not self._rows:
            return  # another value is shown by now
        self._found = found
        yield self.stand_on(Hits(query, tuple(range(len(found)))).nearest(0))

    def row_of(self, place: int) -> int:
        """Unfold what is needed to show a hit."""
        assert self._rows is not None
        found = self._found[place]
        index = self._rows.reveal(found.path)
        if found.offset >= 0:
            index = self._rows.line_at(index, found.offset)
        self.rows_changed()
        return index

    def on_resize(self, event: events.Resize) -> None:
        """Wrap unfolded texts to the new width."""
        del event
        if self._rows is not None:
            self._rows.rewrap(self._row_width)
            self.rows_changed()

    def action_fold_toggle(self) -> None:
        """Fold or unfold the row under the cursor."""
        if self._rows is None:
            return
        row = self._rows.rows[self.cursor]
        if row.is_text:
            self.cursor = self._rows.parent_index(self.cursor)
        self._rows.toggle(self.cursor)
        self.folded()

    def action_choose(self) -> None:
        """Fold or unfold a container; a leaf asks to be edited."""
        if self._rows is None:
            return
        row = self._rows.rows[self.cursor]
        if row.foldable and not isinstance(row.value, str):
            self.action_fold_toggle()
        else:
            self.post_message(self.LeafChosen(self, row.path, self.value_at_cursor()))

    def action_left(self) -> None:
        """Fold the row; a folded one goes to its parent."""
        if self._rows is None:
            return
        if self._rows.rows[self.cursor].is_open:
            self.action_fold_toggle()
        else:
            self.move_to(self._rows.parent_index(self.cursor))

    def action_right(self) -> None:
        """Unfold the row; an open one goes to its first child."""
        if self._rows is None:
            return
        row = self._rows.rows[self.cursor]
        if row.foldable and not row.is_open:
            self.action_fold_toggle()
        elif row.is_open:
            self.move_to(self.cursor + 1)

    def action_unfold_all(self) -> None:
        """Unfold the row under the cursor and everything below it."""
        if self._rows is not None:
            self._rows.unfold_all(self.cursor)
            self.folded()

    def action_fold_all(self) -> None:
        """Fold everything below the row under the cursor."""
        if self._rows is not None:
            self._rows.fold_all(self.cursor)
            self.folded()

    def on_click(self, event: events.Click) -> None:
        """Stand where the mouse is; a click on the fold mark folds."""
        index = self.scroll_offset.y + event.y - self.gutter.top
        if self._rows is None or not 0 <= index < len(self._rows):
            return
        row = self._rows.rows[index]
        left = 1 + self._rows.indent(row.depth)
        self.cursor = index
        if row.foldable and left <= event.x - self.gutter.left < left + 2:
            self.action_fold_toggle()
        elif event.chain > 1:
            self.action_choose()
        event.stop()

    def _member(self, row: Row) -> list[Piece]:
        pieces: list[Piece] = []
        if isinstance(row.key, int):
            pieces.append((f"{row.key}: ", "tone--muted"))
        elif row.key is not None:
            pieces.append((f"{safe_line(row.key, 200)}: ", "json--key"))
        value = row.value
        if row.is_open and isinstance(value, str):
            pieces.append((f"text, {len(value):,} characters", "json--size"))
        else:
            pieces.append((preview(value), _class_of(value)))
        return pieces

    @property
    def _row_width(self) -> int:
        """Cells of a row without the ones at its ends."""
        return max(self.text_width - 2, 20)


def _class_of(value: Any) -> str:
    if isinstance(value, str):
        return "json--string"
    if isinstance(value, dict | list):
        return "json--size"
    if isinstance(value, bool) or value is None:
        return "json--word"
    return "json--number"
