"""A structural difference as rows: what changed in full, what did not as a count that unfolds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flowdbg.present.formats import plural
from flowdbg.present.json_diff import DiffNode, Kind
from flowdbg.present.json_rows import is_long, preview
from flowdbg.present.safe_text import safe_line, safe_text
from flowdbg.present.search import Span
from flowdbg.present.text_diff import text_diff
from flowdbg.present.text_lines import TAB, Measure, character_cells, wrapped

CONTEXT = 2
"""Unchanged lines shown around a changed one inside a text."""


@dataclass(frozen=True, slots=True)
class DiffRow:
    """One row of a difference."""

    depth: int
    kind: Kind
    label: str
    """Key or index; empty for lines of a text."""
    old: str = ""
    """The former value on one line; empty where there was none or it is shown below."""
    new: str = ""
    spans: tuple[Span, ...] = ()
    """For a line of a text: the part of `old` or `new` that differs."""
    is_line: bool = False
    continued: bool = False
    """For a line of a text: whether it goes on from the row above."""
    hidden: tuple[DiffNode, ...] = ()
    """Unchanged nodes that this row stands for and that it can unfold."""

    @property
    def text(self) -> str:
        """The row as it is searched and copied."""
        return "  ".join(part for part in (self.label, self.old, self.new) if part)


class DiffRows:
    """The visible rows of one difference."""

    def __init__(self, root: DiffNode, width: int = 0, measure: Measure = character_cells) -> None:
        """Lay out a difference.

        Args:
            root: What `json_diff.compare` returned.
            width: Cells to which lines of texts are wrapped; 0 for not at all.
            measure: How wide a character is.
        """
        self.root = root
        self.rows: list[DiffRow] = []
        for row in _node_rows(root, 0):
            self.rows += _wrapped(row, width, measure) if width and row.is_line else (row,)

    def __len__(self) -> int:
        """The number of visible rows."""
        return len(self.rows)

    def toggle(self, index: int) -> None:
        """Put the unchanged nodes in the place of the row that counts them."""
        row = self.rows[index]
        if row.hidden:
            shown = [_leaf(node, row.depth) for node in row.hidden]
            self.rows[index : index + 1] = shown


def _wrapped(row: DiffRow, width: int, measure: Measure) -> Iterator[DiffRow]:
    """Cut a line of a text into rows that fit, each with its part of the changed words."""
    start = 0
    for piece in wrapped(row.old or row.new, max(width - 2 * row.depth, 20), measure):
        spans = tuple(
            (max(first - start, 0), min(last - start, len(piece)))
            for first, last in row.spans
            if first < start + len(piece) and last > start
        )
        fitted = replace(row, spans=spans, continued=start > 0)
        yield replace(fitted, old=piece) if row.old else replace(fitted, new=piece)
        start += len(piece)


def _node_rows(node: DiffNode, depth: int) -> Iterator[DiffRow]:
    if node.kind is Kind.SAME and depth == 0:
        yield DiffRow(0, Kind.SAME, "", "no difference")
    elif node.children:
        if node.key is not None:
            yield DiffRow(depth, node.kind, _label(node), new=preview(node.new))
            depth += 1
        yield from _children(node.children, depth)
    elif node.kind is Kind.CHANGED and (is_long(node.old) or is_long(node.new)):
        if isinstance(node.old, str) and isinstance(node.new, str):
            yield DiffRow(depth, node.kind, _label(node))
            yield from _text_rows(node.old, node.new, depth + 1)
        else:
            yield _leaf(node, depth)
    elif node.kind in (Kind.ADDED, Kind.REMOVED) and is_long(_present(node)):
        yield DiffRow(depth, node.kind, _label(node))
        mark = node.kind
        for line in _shown(_present(node)).split("\n"):
            yield _line(depth + 1, mark, line, ())
    else:
        yield _leaf(node, depth)


def _children(children: Sequence[DiffNode], depth: int) -> Iterator[DiffRow]:
    same: list[DiffNode] = []
    for child in children:
        if child.kind is Kind.SAME:
            same.append(child)
            continue
        if same:
            yield _unchanged(same, depth)
            same = []
        yield from _node_rows(child, depth)
    if same:
        yield _unchanged(same, depth)


def _unchanged(nodes: list[DiffNode], depth: int) -> DiffRow:
    if len(nodes) == 1:
        return _leaf(nodes[0], depth)
    return DiffRow(
        depth, Kind.SAME, "", plural(len(nodes), "unchanged", "unchanged"), hidden=tuple(nodes)
    )


def _text_rows(old: str, new: str, depth: int) -> Iterator[DiffRow]:
    lines = text_diff(_shown(old), _shown(new))
    near = [False] * len(lines)
    for at, line in enumerate(lines):
        if line.mark != " ":
            for close in range(max(0, at - CONTEXT), min(len(lines), at + CONTEXT + 1)):
                near[close] = True
    skipped = 0
    for line, is_near in zip(lines, near, strict=True):
        if not is_near:
            skipped += 1
            continue
        if skipped:
            yield DiffRow(depth, Kind.SAME, "", plural(skipped, "unchanged line"), is_line=True)
            skipped = 0
        kind = {" ": Kind.SAME, "-": Kind.REMOVED, "+": Kind.ADDED}[line.mark]
        yield _line(depth, kind, line.text, line.spans)
    if skipped:
        yield DiffRow(depth, Kind.SAME, "", plural(skipped, "unchanged line"), is_line=True)


def _line(depth: int, kind: Kind, text: str, spans: tuple[Span, ...]) -> DiffRow:
    if kind is Kind.REMOVED:
        return DiffRow(depth, kind, "", old=text, spans=spans, is_line=True)
    return DiffRow(depth, kind, "", new=text, spans=spans, is_line=True)


def _leaf(node: DiffNode, depth: int) -> DiffRow:
    old = new = ""
    if node.kind in (Kind.REMOVED, Kind.CHANGED):
        old = preview(node.old)
    if node.kind in (Kind.ADDED, Kind.CHANGED, Kind.MOVED, Kind.SAME):
        new = preview(node.new)
    if node.kind is Kind.MOVED:
        old = f"from [{node.old_key}]"
    return DiffRow(depth, node.kind, _label(node), old, new)


def _present(node: DiffNode) -> Any:
    return node.old if node.kind is Kind.REMOVED else node.new


def _label(node: DiffNode) -> str:
    if node.key is None:
        return ""
    return f"[{node.key}]" if isinstance(node.key, int) else safe_line(node.key, 80)


def _shown(text: str) -> str:
    return safe_text(text).replace("\t", TAB)
