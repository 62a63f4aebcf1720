"""A structural difference: what changed leaf by leaf, what did not as a count."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from rich.cells import get_character_cell_size
from textual import events, on
from textual.message import Message

from flowdbg.present.diff_lines import DiffRow
from flowdbg.present.diff_rows import DiffRows
from flowdbg.present.json_diff import DiffNode, Kind, compare, is_large
from flowdbg.present.looks import ADDED, CHANGED, FOLDED, MOVED, OPEN, REMOVED
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

    def __init__(
        self,
        *,
        id: str | None = None,  # noqa: A002 # Textual's own name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._rows: DiffRows | None = None
        self._placeholder = ""
        self._asked = 0
        """Counts what was asked to be shown; what was laid out for something else is late."""

    def compare_values(self, old: object, new: object) -> None:
        """Show the difference of two parsed JSON values; large ones are compared in a thread."""
        self.hits = None
        self.cursor = 0
        self.scroll_home(animate=False)
        self._asked += 1
        if is_large(old, new):
            self.clear("Comparing…")
            self._lay_out_aside(lambda: compare(old, new))
        else:
            self._take(DiffRows(compare(old, new), self._width, get_character_cell_size))

    def clear(self, placeholder: str) -> None:
        """Show no difference but a sentence."""
        self._asked += 1
        self._rows, self._placeholder, self.hits = None, placeholder, None
        self.rows_changed()
        self.refresh()

    def whole_text(self) -> str:
        """Return all rows that are shown, as text to be copied or read elsewhere."""
        return "\n".join(self.row_text(at) for at in range(self.row_count()))

    def row_count(self) -> int:
        """Return how many rows there are."""
        return len(self._rows) if self._rows else 1

    def shows_cursor(self) -> bool:
        """A placeholder has no cursor."""
        return self._rows is not None

    def row_pieces(self, index: int) -> Sequence[Piece]:
        """Draw one row: mark, key, former and new value."""
        if self._rows is None:
            return [(f" {self._placeholder}", "tone--muted")]
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

    def on_resize(self, event: events.Resize) -> None:
        """Wrap texts to the new width."""
        del event
        if self._rows is None or self._rows.width == self._width:
            return
        root = self._rows.root
        if is_large(root.old, root.new):
            self._lay_out_aside(lambda: root)
        else:
            self._take(DiffRows(root, self._width, get_character_cell_size))

    def action_choose(self) -> None:
        """Unfold what did not change, or fold it again."""
        if self._rows is not None and self._rows.rows[self.cursor].below:
            self._rows.toggle(self.cursor)
            self.hits = None
            self.rows_changed()
            self.refresh()

    def action_right(self) -> None:
        """Unfold what did not change."""
        if self._rows is not None and self._rows.can_open(self.cursor):
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
    def _width(self) -> int:
        """Cells that a row may take."""
        return max(self.scrollable_content_region.width - 4, 20)

    def _take(self, rows: DiffRows) -> None:
        self._rows = rows
        self.rows_changed()
        self.refresh()

    def _lay_out_aside(self, compared: Callable[[], DiffNode]) -> None:
        """Compare and lay out in a thread; the keys are answered meanwhile."""
        self.run_worker(self._laid_out(compared, self._width, self._asked), exclusive=False)

    async def _laid_out(self, compared: Callable[[], DiffNode], width: int, asked: int) -> None:
        def laid_out() -> DiffRows:
            return DiffRows(compared(), width, get_character_cell_size)

        self.post_message(self.LaidOut(await asyncio.to_thread(laid_out), asked))

    @on(LaidOut)
    def _is_laid_out(self, event: LaidOut) -> None:
        event.stop()
        if event.asked == self._asked:
            self._take(event.rows)

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
