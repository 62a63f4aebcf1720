"""A structural difference: what changed leaf by leaf, what did not as a count."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from textual import events, on
from textual.message import Message

from flowdbg.present.diff_lines import DiffRow
from flowdbg.present.diff_rows import DiffRows
from flowdbg.present.json_diff import Kind, compare, is_large
from flowdbg.present.json_paths import show
from flowdbg.present.looks import ADDED, CHANGED, FOLDED, MOVED, OPEN, REMOVED
from flowdbg.present.search import Hits, Query, sliced
from flowdbg.tui.widgets.line_view import LineView, Piece

_MARKS = {
    Kind.ADDED: ADDED,
    Kind.REMOVED: REMOVED,
    Kind.CHANGED: CHANGED,
    Kind.MOVED: MOVED,
}


class DiffView(LineView):
    """Shows how one JSON value differs from another."""

    class LaidOut(Message):
        """Two large values were compared."""

        def __init__(self, rows: DiffRows, asked: int) -> None:
            super().__init__()
            self.rows = rows
            self.asked = asked

    _rows: DiffRows | None = None
    _found: Mapping[int, DiffRow] = MappingProxyType({})
    _asked = 0
    """Counts what was asked to be shown; what was laid out for something else is late."""

    def compare_values(self, old: object, new: object) -> None:
        """Show the difference of two parsed JSON values; large ones are compared in a thread."""
        self.clear("Comparing…")
        self.cursor = 0
        self.scroll_home(animate=False)
        width = self._row_width
        self._lay_out(lambda: DiffRows(compare(old, new), width), aside=is_large(old, new))

    def clear(self, placeholder: str) -> None:
        """Show no difference but a sentence."""
        self._asked += 1
        self._rows, self.placeholder, self.hits = None, placeholder, None
        self.rows_changed()

    def whole_text(self) -> str:
        """Return all rows that are shown, as text to be copied or read elsewhere."""
        return "\n".join(self.row_text(at) for at in range(self.row_count()))

    def path_text(self) -> str:
        """Return the path under the cursor as people write it."""
        return show(self._rows.path(self.cursor)) if self._rows is not None else ""

    def row_count(self) -> int:
        """Return how many rows there are."""
        return len(self._rows) if self._rows is not None else 0

    def row_pieces(self, index: int) -> Sequence[Piece]:
        """Draw one row: mark, key, former and new value."""
        assert self._rows is not None
        row = self._rows.rows[index]
        indent = " " + "  " * row.depth
        look = _MARKS.get(row.kind)
        if row.below and look is None:
            mark = (OPEN if row.is_open else FOLDED).glyph
            return [(f"{indent}{mark} ", "tone--muted"), *self._values(row)]
        mark = f"{look.glyph} " if look else "  "
        tone = f"tone--{look.tone}" if look else "tone--muted"
        if row.is_line:
            return [(indent, ""), ("  " if row.continued else mark, tone), *_line(row)]
        return [(indent, ""), (mark, tone), *self._values(row)]

    def searching(self, query: Query) -> Iterator[Hits | None]:
        """Find a query in all rows, folded ones too, a part at a time."""
        rows = self._rows
        if rows is None:
            return
        here, cursor = 0, rows.rows[self.cursor]
        occurs = query.test()

        def matching() -> Iterator[tuple[int, DiffRow] | None]:
            nonlocal here
            for at, row in enumerate(rows.all_rows()):
                here = at if row is cursor else here
                yield (at, row) if occurs(row.content) else None

        found: list[tuple[int, DiffRow]] = []
        for part in sliced(query, matching()):
            found += part
            yield None
        if rows is self._rows:  # else another difference is shown by now
            self._found = {} if query.problem else dict(found)
            yield self.stand_on(Hits(query, tuple(self._found)).nearest(here))

    def row_of(self, place: int) -> int:
        """Unfold what is needed to show a hit."""
        assert self._rows is not None
        index = self._rows.reveal(self._found[place])
        self.rows_changed()
        return index

    def on_resize(self, event: events.Resize) -> None:
        """Wrap texts to the new width."""
        del event
        self._fit()

    def action_choose(self) -> None:
        """Unfold what did not change, or fold it again."""
        if self._rows is not None:
            self._rows.toggle(self.cursor)
            self.folded()

    def action_right(self) -> None:
        """Unfold what did not change."""
        if self._rows is not None and not self._rows.rows[self.cursor].is_open:
            self.action_choose()

    def action_left(self) -> None:
        """Fold the row, or the one that it stands below."""
        if self._rows is None:
            return
        rows, at = self._rows.rows, self.cursor
        depth = rows[at].depth + rows[at].is_open
        while at > 0 and not (rows[at].is_open and rows[at].depth < depth):
            at -= 1
        if rows[at].is_open:
            self.move_to(at)
            self.action_choose()

    @property
    def _row_width(self) -> int:
        """Cells of a row without the ones at its ends and its mark."""
        return max(self.text_width - 4, 20)

    def _lay_out(self, laid_out: Callable[[], DiffRows], *, aside: bool) -> None:
        """Take rows; in a thread where that takes long, so that the keys are answered meanwhile."""
        if aside:
            self.run_worker(self._laid_out(laid_out, self._asked), exclusive=False)
        else:
            self._take(laid_out())

    async def _laid_out(self, laid_out: Callable[[], DiffRows], asked: int) -> None:
        self.post_message(self.LaidOut(await asyncio.to_thread(laid_out), asked))

    @on(LaidOut)
    def _is_laid_out(self, event: LaidOut) -> None:
        event.stop()
        if event.asked == self._asked:
            self._take(event.rows)

    def _take(self, rows: DiffRows) -> None:
        self._rows = rows
        self.hits = None
        self.folded()
        self._fit()

    def _fit(self) -> None:
        """Wrap texts again that were laid out for another width."""
        rows, width = self._rows, self._row_width
        if rows is not None and self.size and rows.width != width:
            root = rows.root
            self._lay_out(lambda: rows.rewrapped(width), aside=is_large(root.old, root.new))

    def _values(self, row: DiffRow) -> list[Piece]:
        label = f"{row.label}: " if row.label and (row.old or row.new) else row.label
        pieces: list[Piece] = [(label, "json--key" if row.kind is not Kind.SAME else "tone--muted")]
        if row.kind is Kind.SAME:
            return [*pieces, (row.new or row.old, "tone--muted")]
        if row.old:
            pieces.append((row.old, "diff--removed"))
        if row.old and row.new:
            pieces.append((" → ", "tone--muted"))
        if row.new:
            pieces.append((row.new, "diff--added"))
        return pieces


def _line(row: DiffRow) -> list[Piece]:
    """A line of a text, its changed words stronger than the rest."""
    name = {Kind.ADDED: "diff--added", Kind.REMOVED: "diff--removed"}.get(row.kind, "tone--muted")
    text = row.old or row.new
    if not row.spans:
        return [(text, name)]
    pieces: list[Piece] = []
    at = 0
    for start, end in row.spans:
        pieces += [(text[at:start], name), (text[start:end], f"{name}-word")]
        at = end
    return [*pieces, (text[at:], name)]
