"""A JSON value as a flat list of visible rows that fold and unfold.

Only what is unfolded has rows, so opening a value of 50,000 nodes costs what its first level
costs. Folding and unfolding cut and insert one slice. A long or many-lined string folds too: its
text unfolds below it, wrapped, which is where models put what they say.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flowdbg.present.json_paths import Path
from flowdbg.present.safe_text import safe_text
from flowdbg.present.text_lines import TAB, wrapped

LONG_TEXT = 60
"""Characters from which a string can be unfolded into wrapped text."""

UNFOLD_ALL_TEXT = 4_000
"""A string longer than this stays folded when everything is unfolded."""

LEAST = 12
"""Cells that a row has at least: deeper than that, nothing is indented any further."""


class Row:
    """One visible row: a member, an item, or a line of an unfolded string."""

    __slots__ = ("children", "depth", "key", "parent", "text", "value")

    def __init__(
        self, parent: Row | None, key: str | int | None, value: Any, depth: int, text: str = ""
    ) -> None:
        self.parent = parent
        self.key = key
        """Its key or index; None for the root and for lines of text."""
        self.value = value
        """The value; for a line of text, the offset at which it starts in the shown text."""
        self.depth = depth
        self.children = -1
        """How many children are shown right below; -1 when folded or a leaf."""
        self.text = text
        """The shown text of a line of an unfolded string."""

    @property
    def is_text(self) -> bool:
        """Whether this is a line of an unfolded string."""
        return self.key is None and self.parent is not None

    @property
    def foldable(self) -> bool:
        """Whether the row can be unfolded."""
        value = self.value
        if isinstance(value, dict | list):
            return bool(value)
        return not self.is_text and is_long(value)

    @property
    def is_open(self) -> bool:
        """Whether its children are shown."""
        return self.children >= 0

    @property
    def path(self) -> Path:
        """The path from the root; a line of text has the path of its string."""
        steps: list[str | int] = []
        row: Row | None = self
        while row is not None:
            if row.key is not None:
                steps.append(row.key)
            row = row.parent
        return tuple(reversed(steps))


def is_long(value: Any) -> bool:
    """Whether a value is a string that is better read unfolded."""
    return isinstance(value, str) and (len(value) > LONG_TEXT or "\n" in value)


def shown_text(text: str) -> str:
    """A string as it is shown unfolded: control characters as escapes, tabs as spaces."""
    return safe_text(text).replace("\t", TAB)


class JsonRows:
    """The visible rows of one value, with what is folded."""

    def __init__(self, value: Any, *, fill: int = 0, width: int = 80) -> None:
        """Show a value with its first level unfolded.

        Args:
            value: The parsed JSON value.
            fill: Rows up to which further levels are unfolded.
            width: Cells of a row, to which long strings are wrapped.
        """
        self.rows: list[Row] = [Row(None, None, value, 0)]
        self._width = width
        self.unfold(0)
        level = 1
        while (size := self._size_of(level)) and len(self.rows) + size <= fill:
            for index in reversed(range(len(self.rows))):
                row = self.rows[index]
                if row.depth == level and isinstance(row.value, dict | list):
                    self.unfold(index)
            level += 1

    def __len__(self) -> int:
        """The number of visible rows."""
        return len(self.rows)

    def _size_of(self, level: int) -> int:
        """How many rows the containers of a level hold."""
        return sum(
            len(row.value)
            for row in self.rows
            if row.depth == level and isinstance(row.value, dict | list)
        )

    def unfold(self, index: int) -> int:
        """Show the children of a row; returns how many rows were added."""
        row = self.rows[index]
        if row.is_open or not row.foldable:
            return 0
        added = self._children(row)
        row.children = len(added)
        self.rows[index + 1 : index + 1] = added
        return len(added)

    def unfold_texts(self) -> None:
        """Unfold the long strings that are seen, except very long ones."""
        for index in reversed(range(len(self.rows))):
            value = self.rows[index].value
            if isinstance(value, str) and len(value) <= UNFOLD_ALL_TEXT:
                self.unfold(index)

    def fold(self, index: int) -> int:
        """Hide everything below a row; returns how many rows went."""
        row = self.rows[index]
        if not row.is_open:
            return 0
        end = self._end(index)
        gone = end - index - 1
        del self.rows[index + 1 : end]
        row.children = -1
        return gone

    def toggle(self, index: int) -> None:
        """Fold an open row, unfold a folded one."""
        if self.rows[index].is_open:
            self.fold(index)
        else:
            self.unfold(index)

    def unfold_all(self, index: int = 0) -> None:
        """Unfold a row and everything below it, except very long texts."""
        root = self.rows[index]
        self.fold(index)
        self.rows[index + 1 : index + 1] = self._unfolded(
            root,
            lambda row: (
                row is root or not isinstance(row.value, str) or len(row.value) <= UNFOLD_ALL_TEXT
            ),
        )

    def fold_all(self, index: int = 0) -> None:
        """Fold everything below a row, and leave the row itself showing its children."""
        if self.rows[index].is_open:
            self.fold(index)
            self.unfold(index)

    def parent_index(self, index: int) -> int:
        """The index of a row's parent; the root is its own."""
        parent = self.rows[index].parent
        while index > 0 and self.rows[index] is not parent:
            index -= 1
        return index

    def reveal(self, path: Path) -> int:
        """Unfold what is needed to show `path`; returns its row's index.

        Raises:
            LookupError: There is nothing at the path.
        """
        index = 0
        for step in path:
            self.unfold(index)
            index = self._child(index, step)
        return index

    def line_at(self, index: int, offset: int) -> int:
        """Unfold the string at a row and return the row that shows its character at `offset`.

        The offset counts in the shown text: control characters as escapes, tabs as spaces.
        """
        self.unfold(index)
        at = index
        for line in range(index + 1, index + 1 + self.rows[index].children):
            if self.rows[line].value > offset:
                break
            at = line
        return at

    def indent(self, depth: int) -> int:
        """Cells before a row: the members of the root stand below it, not beside."""
        return min(2 * max(depth - 1, 0), max(self._width - LEAST, 0))

    def rewrap(self, width: int) -> None:
        """Wrap unfolded strings to another width."""
        if width == self._width:
            return
        self._width = width
        for index in reversed(range(len(self.rows))):
            row = self.rows[index]
            if row.is_open and isinstance(row.value, str):
                self.fold(index)
                self.unfold(index)

    def renewed(self, value: Any) -> JsonRows:
        """The rows of a new value, unfolded wherever these are and it still has such a path."""
        fresh = JsonRows(value, width=self._width)
        if self.rows[0].foldable:
            fresh.fold(0)
            opened = {row.path for row in self.rows if row.is_open}
            fresh.rows += fresh._unfolded(fresh.rows[0], lambda row: row.path in opened)
        return fresh

    def _unfolded(self, root: Row, opens: Callable[[Row], bool]) -> list[Row]:
        """Return the rows below a row with each one unfolded that `opens` says."""
        below: list[Row] = []
        stack = [root]
        while stack:
            row = stack.pop()
            if row is not root:
                below.append(row)
            if row.foldable and opens(row):
                children = self._children(row)
                row.children = len(children)
                if isinstance(row.value, str):
                    below += children
                else:
                    stack.extend(reversed(children))
        return below

    def _child(self, index: int, step: str | int) -> int:
        row = self.rows[index]
        at = index + 1
        for _ in range(max(row.children, 0)):
            if self.rows[at].key == step and type(self.rows[at].key) is type(step):
                return at
            at = self._end(at)
        raise LookupError(step)

    def _end(self, index: int) -> int:
        """The index after the last visible row below `index`."""
        rows = self.rows
        if rows[index].children < 0:
            return index + 1
        depth = rows[index].depth
        at = index + 1
        end = len(rows)
        while at < end and rows[at].depth > depth:
            at += 1
        return at

    def _children(self, row: Row) -> list[Row]:
        value, depth = row.value, row.depth + 1
        if isinstance(value, dict):
            return [Row(row, key, child, depth) for key, child in value.items()]
        if isinstance(value, list):
            return [Row(row, key, child, depth) for key, child in enumerate(value)]
        return self._lines(row)

    def _lines(self, row: Row) -> list[Row]:
        lines: list[Row] = []
        start = 0
        for line in shown_text(row.value).split("\n"):
            for piece in wrapped(line, self._width - self.indent(row.depth + 1)):
                lines.append(Row(row, None, start, row.depth + 1, piece))
                start += len(piece)
            start += 1
        return lines


def preview(value: Any, limit: int = 200) -> str:
    """Show a value on one line: scalars as JSON, containers by their size."""
    if isinstance(value, dict):
        return f"{{{len(value)}}}"
    if isinstance(value, list):
        return f"[{len(value)}]"
    if isinstance(value, str):
        cut = value[:limit]
        shown = safe_text(json.dumps(cut, ensure_ascii=False))
        return shown if len(cut) == len(value) else shown[:-1] + '…"'
    return json.dumps(value)[:limit]
