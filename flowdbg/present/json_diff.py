"""The structural difference of two JSON values, leaf by leaf.

Key order and white space do not count; `1`, `1.0`, `true` and `"1"` differ. Items of arrays are
aligned before they are compared, so an insertion at the front is one addition and not a change of
everything behind it. From the tree both values can be rebuilt, so nothing is ever hidden.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any

from flowdbg.present.json_paths import Path

ALIGN_LIMIT = 2_000
"""Items of an array that are aligned; longer stretches are compared place by place."""


class Kind(StrEnum):
    """What became of a node."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"


@dataclass(slots=True)
class DiffNode:
    """A node of the two values laid over each other."""

    kind: Kind
    old_key: str | int | None
    new_key: str | int | None
    old: Any = None
    new: Any = None
    children: tuple[DiffNode, ...] = ()
    """Filled where both sides are containers of one type and something below differs."""

    @property
    def key(self) -> str | int | None:
        """The key on the new side, or the old one where the node is gone."""
        return self.old_key if self.kind is Kind.REMOVED else self.new_key


@dataclass(frozen=True, slots=True)
class Change:
    """One leaf that differs; containers appear only when added, removed, moved or retyped."""

    kind: Kind
    path: Path
    """Where it stands: in the new value, or in the old one where it was removed."""
    old: Any
    new: Any


def compare(old: Any, new: Any) -> DiffNode:
    """Lay two values over each other; the root is the node that is returned.

    Values nested too deep to be walked are one change.
    """
    try:
        return _compare(None, None, old, new)
    except RecursionError:
        return DiffNode(Kind.CHANGED, None, None, old, new)


def changes(root: DiffNode) -> list[Change]:
    """List the leaves that differ, in the order they are shown."""
    found: list[Change] = []
    stack: list[tuple[DiffNode, Path]] = [(root, ())]
    while stack:
        node, path = stack.pop()
        if node.children:
            below = [
                (child, path if child.key is None else (*path, child.key))
                for child in node.children
            ]
            stack.extend(reversed(below))
        elif node.kind is not Kind.SAME:
            found.append(Change(node.kind, path, node.old, node.new))
    return found


def summary(root: DiffNode) -> str:
    """Count the differences in words: `2 changed, 1 added`, or `no difference`."""
    counts: dict[Kind, int] = {}
    for change in changes(root):
        counts[change.kind] = counts.get(change.kind, 0) + 1
    order = (Kind.CHANGED, Kind.ADDED, Kind.REMOVED, Kind.MOVED)
    parts = [f"{counts[kind]} {kind}" for kind in order if kind in counts]
    return ", ".join(parts) or "no difference"


def fingerprint(value: Any) -> str:
    """Return a text that two values share exactly when they do not differ."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _compare(old_key: str | int | None, new_key: str | int | None, old: Any, new: Any) -> DiffNode:
    if old is new or fingerprint(old) == fingerprint(new):
        return DiffNode(Kind.SAME, old_key, new_key, old, new)
    children: tuple[DiffNode, ...] = ()
    if isinstance(old, dict) and isinstance(new, dict):
        children = tuple(_members(old, new))
    elif isinstance(old, list) and isinstance(new, list):
        children = tuple(_items(old, new))
    return DiffNode(Kind.CHANGED, old_key, new_key, old, new, children)


def _members(old: dict[str, Any], new: dict[str, Any]) -> Iterator[DiffNode]:
    gone = [key for key in old if key not in new]
    for key, value in new.items():
        if key in old:
            yield _compare(key, key, old[key], value)
        else:
            yield DiffNode(Kind.ADDED, None, key, None, value)
    for key in gone:
        yield DiffNode(Kind.REMOVED, key, None, old[key], None)


def _items(old: list[Any], new: list[Any]) -> list[DiffNode]:
    old_prints = [fingerprint(item) for item in old]
    new_prints = [fingerprint(item) for item in new]
    nodes: list[DiffNode] = []
    for tag, old_from, old_to, new_from, new_to in _aligned(old_prints, new_prints):
        both = min(old_to - old_from, new_to - new_from)
        for step in range(both):
            before, after = old_from + step, new_from + step
            if tag == "equal":
                nodes.append(DiffNode(Kind.SAME, before, after, old[before], new[after]))
            else:
                nodes.append(_compare(before, after, old[before], new[after]))
        nodes += [
            DiffNode(Kind.REMOVED, at, None, old[at]) for at in range(old_from + both, old_to)
        ]
        nodes += [
            DiffNode(Kind.ADDED, None, at, None, new[at]) for at in range(new_from + both, new_to)
        ]
    return _with_moves(nodes)


def _with_moves(nodes: list[DiffNode]) -> list[DiffNode]:
    """Join an item that was removed here and added there into one that moved."""
    removed: dict[str, list[DiffNode]] = {}
    for node in nodes:
        if node.kind is Kind.REMOVED:
            removed.setdefault(fingerprint(node.old), []).append(node)
    moved: set[int] = set()
    if removed:
        for node in nodes:
            if node.kind is Kind.ADDED and (twins := removed.get(fingerprint(node.new))):
                twin = twins.pop(0)
                moved.add(id(twin))
                node.kind, node.old, node.old_key = Kind.MOVED, twin.old, twin.old_key
    return [node for node in nodes if id(node) not in moved]


def _aligned(old: list[str], new: list[str]) -> list[tuple[str, int, int, int, int]]:
    """Opcodes of difflib, with equal ends taken off first and long middles not aligned."""
    start = 0
    least = min(len(old), len(new))
    while start < least and old[start] == new[start]:
        start += 1
    end = 0
    while end < least - start and old[-1 - end] == new[-1 - end]:
        end += 1
    old_end, new_end = len(old) - end, len(new) - end
    codes: list[tuple[str, int, int, int, int]] = []
    if start:
        codes.append(("equal", 0, start, 0, start))
    if max(old_end, new_end) - start > ALIGN_LIMIT:
        codes.append(("replace", start, old_end, start, new_end))
    else:
        matcher = SequenceMatcher(None, old[start:old_end], new[start:new_end])
        codes += [
            (tag, a + start, b + start, c + start, d + start)
            for tag, a, b, c, d in matcher.get_opcodes()
        ]
    if end:
        codes.append(("equal", old_end, len(old), new_end, len(new)))
    return codes
