"""A structural difference as rows: what changed in full, what did not as a count that unfolds.

Texts are laid out as lines with their changed words marked. Two short values stand on one row
where they fit, `"silver" → "gold"`; where they do not, each has rows of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from flowdbg.present.diff_lines import DiffRow, line_rows, text_rows, unchanged_rows
from flowdbg.present.formats import plural
from flowdbg.present.json_diff import DiffNode, Kind
from flowdbg.present.json_paths import Path
from flowdbg.present.json_rows import is_long, preview
from flowdbg.present.text_diff import DiffLine
from flowdbg.present.text_lines import character_cells

OPEN_LIMIT = 12
"""Members of an added or removed container that are shown without unfolding it."""

_UNBOUNDED = 10**6


class DiffRows:
    """The visible rows of one difference."""

    def __init__(self, root: DiffNode, width: int = _UNBOUNDED) -> None:
        """Lay out a difference.

        Args:
            root: What `json_diff.compare` returned.
            width: Cells that a row may take.
        """
        self.root = root
        self.width = width
        self._top: Sequence[DiffRow] = tuple(self._root_rows(root))
        self.rows = self._shown(self._top)
        """What is seen: the outermost rows, and those below each open one."""

    def __len__(self) -> int:
        """The number of visible rows."""
        return len(self.rows)

    def toggle(self, index: int) -> None:
        """Show what a row hides below it, or hide it again."""
        row = self.rows[index]
        if not row.below:
            return
        inner = self._shown(self._inside(row))
        row.is_open = not row.is_open
        if row.is_open:
            self.rows[index + 1 : index + 1] = inner
        else:
            del self.rows[index + 1 : index + 1 + len(inner)]

    def all_rows(self) -> Iterator[DiffRow]:
        """Yield every row in order, folded ones too."""
        stack = list(reversed(self._top))
        while stack:
            row = stack.pop()
            yield row
            stack += reversed(self._inside(row))

    def reveal(self, row: DiffRow) -> int:
        """Unfold what is needed to show a row; returns its index."""
        above: list[DiffRow] = []
        parent = row.parent
        while parent is not None:
            above.append(parent)
            parent = parent.parent
        for one in reversed(above):
            if not one.is_open:
                self.toggle(self.rows.index(one))
        return self.rows.index(row)

    def rewrapped(self, width: int) -> DiffRows:
        """These rows at another width; what is open stays so where it still has its place."""
        fresh = DiffRows(self.root, width)
        layers = [(self._top, fresh._top)]
        while layers:
            before, now = layers.pop()
            folding = [row for row in before if row.below], [row for row in now if row.below]
            if len(folding[0]) != len(folding[1]):
                continue
            for old, new in zip(*folding, strict=True):
                new.is_open = old.is_open
                if old.is_open:
                    layers.append((self._inside(old), fresh._inside(new)))
        fresh.rows = fresh._shown(fresh._top)
        return fresh

    def path(self, index: int) -> Path:
        """Return where the value of a row stands; a line of a text has the path of its text."""
        steps: list[str | int] = []
        depth = self.rows[index].depth + 1
        for row in reversed(self.rows[: index + 1]):
            if row.depth < depth:
                depth = row.depth
                if row.key is not None:
                    steps.append(row.key)
        return tuple(reversed(steps))

    def _shown(self, rows: Sequence[DiffRow]) -> list[DiffRow]:
        """Rows of one layer with those below each open one."""
        shown: list[DiffRow] = []
        stack = list(reversed(rows))
        while stack:
            row = stack.pop()
            shown.append(row)
            if row.is_open:
                stack += reversed(self._inside(row))
        return shown

    def _inside(self, row: DiffRow) -> Sequence[DiffRow]:
        """The rows right below a row, laid out when they are asked for first."""
        if not row.inner:
            row.inner = tuple(self._below(row))
            for one in row.inner:
                one.parent = row
        return row.inner

    def _below(self, row: DiffRow) -> Iterator[DiffRow]:
        for one in row.below:
            if isinstance(one, DiffRow):
                yield one
            elif isinstance(one, DiffLine):
                yield from unchanged_rows(one, row.depth + 1, self.width)
            else:
                yield from self._node(one, row.depth + 1)

    def _root_rows(self, root: DiffNode) -> Iterator[DiffRow]:
        if root.kind is Kind.SAME:
            yield DiffRow(0, Kind.SAME, new="no difference", below=_inside(root))
        else:
            yield from self._node(root, 0)

    def _node(self, node: DiffNode, depth: int) -> Iterator[DiffRow]:
        if node.children:
            if node.key is not None:
                yield DiffRow(depth, node.kind, node.key, new=preview(node.new))
                depth += 1
            yield from self._children(node.children, depth)
        elif node.kind is Kind.CHANGED:
            yield from self._changed(node, depth)
        else:
            yield from self._whole(node, depth)

    def _children(self, children: Sequence[DiffNode], depth: int) -> Iterator[DiffRow]:
        same: list[DiffNode] = []
        for child in children:
            if child.kind is Kind.SAME:
                same.append(child)
                continue
            yield from self._unchanged(same, depth)
            same = []
            yield from self._node(child, depth)
        yield from self._unchanged(same, depth)

    def _unchanged(self, nodes: list[DiffNode], depth: int) -> Iterator[DiffRow]:
        if len(nodes) == 1:
            yield from self._whole(nodes[0], depth)
        elif nodes:
            said = plural(len(nodes), "unchanged", "unchanged")
            yield DiffRow(depth, Kind.SAME, new=said, below=tuple(nodes))

    def _changed(self, node: DiffNode, depth: int) -> Iterator[DiffRow]:
        """A value that became another one of its kind, or of another kind."""
        row = DiffRow(depth, node.kind, node.key, preview(node.old), preview(node.new))
        texts = isinstance(node.old, str) and isinstance(node.new, str)
        cut = is_long(node.old) or is_long(node.new)
        containers = _inside_value(node.old) or _inside_value(node.new)
        if not cut and not containers and self._fits(row):
            yield row
            return
        if node.key is not None:
            yield DiffRow(depth, node.kind, node.key)
            depth += 1
        if texts:
            yield from text_rows(node.old, node.new, depth, self.width)
        else:
            yield from self._whole(DiffNode(Kind.REMOVED, None, None, node.old), depth)
            yield from self._whole(DiffNode(Kind.ADDED, None, None, None, node.new), depth)

    def _whole(self, node: DiffNode, depth: int) -> Iterator[DiffRow]:
        """A value that stands on one side, or is the same on both."""
        value = node.old if node.kind is Kind.REMOVED else node.new
        gone = node.kind is Kind.REMOVED
        said = preview(value)
        former = f"from [{node.old_key}]" if node.kind is Kind.MOVED else ""
        row = DiffRow(depth, node.kind, node.key, said if gone else former, "" if gone else said)
        if is_long(value):
            lines = line_rows(value, node.kind, depth + 1, self.width)
            if node.kind in (Kind.ADDED, Kind.REMOVED):
                if row.key is not None:
                    yield replace(row, old="", new="")
                yield from lines
            else:
                yield replace(row, below=tuple(lines))
            return
        below = _inside(node)
        is_one_sided = node.kind in (Kind.ADDED, Kind.REMOVED)
        yield replace(row, below=below, is_open=is_one_sided and 0 < len(below) <= OPEN_LIMIT)

    def _fits(self, row: DiffRow) -> bool:
        return sum(map(character_cells, row.text)) + 2 * row.depth <= self.width


def _inside(node: DiffNode) -> tuple[DiffNode, ...]:
    """The members of a value that stands on one side or is the same on both, as nodes."""
    value = node.old if node.kind is Kind.REMOVED else node.new
    kind = Kind.SAME if node.kind is Kind.MOVED else node.kind
    pairs = _inside_value(value)
    if kind is Kind.REMOVED:
        return tuple(DiffNode(kind, key, None, item) for key, item in pairs)
    if kind is Kind.ADDED:
        return tuple(DiffNode(kind, None, key, None, item) for key, item in pairs)
    return tuple(DiffNode(kind, key, key, item, item) for key, item in pairs)


def _inside_value(value: Any) -> Sequence[tuple[str | int, Any]]:
    pairs: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list):
        pairs = enumerate(value)
    return tuple(pairs)
