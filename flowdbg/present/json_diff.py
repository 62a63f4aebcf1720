"""The structural difference of two JSON values, leaf by leaf.

Key order and white space do not count; `1`, `1.0`, `true` and `"1"` differ. Items of arrays are
aligned before they are compared, so an insertion at the front is one addition and not a change of
everything behind it. From the tree both values can be rebuilt, so nothing is ever hidden.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any

from flowdbg.present.json_paths import Path
from flowdbg.present.json_rows import preview

ALIGN_LIMIT = 2_000
"""Items of an array that are aligned; longer stretches are compared place by place."""


LARGE = 100_000
"""Characters of texts from which values count as large; a node counts as 20."""


MISSING: Any = object()
"""Stands for no value at all, where one side has none; `None` is the JSON null."""


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

    Values nested too deep to be walked are one change. A side that is `MISSING` has no value, so
    that the other one was added, or removed.
    """
    if old is MISSING or new is MISSING:
        return _one_sided(old, new)
    try:
        return _compare(None, None, old, new)
    except RecursionError:
        return DiffNode(Kind.CHANGED, None, None, old, new)


def _one_sided(old: Any, new: Any) -> DiffNode:
    if old is new:
        return DiffNode(Kind.SAME, None, None)
    if old is MISSING:
        return DiffNode(Kind.ADDED, None, None, None, new)
    return DiffNode(Kind.REMOVED, None, None, old)


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


def former(original: Any, value: Any, prefix: Path = ()) -> dict[Path, str]:
    """Return what each differing leaf was, by its path.

    Containers above a differing leaf are there with an empty text, so that they can be marked too.

    Args:
        original: The value before it was edited.
        value: The value now.
        prefix: Where both stand inside a larger value.
    """
    was: dict[Path, str] = {}
    for change in changes(compare(original, value)):
        path = (*prefix, *change.path)
        if change.kind is Kind.REMOVED:
            path = path[:-1]
        for length in range(1, len(path) + 1):
            was.setdefault(path[:length], "")
        if change.kind in (Kind.CHANGED, Kind.MOVED):
            was[path] = preview(change.old, 60)
        elif change.kind is Kind.ADDED:
            was[path] = "absent"
    return was


def fingerprint(value: Any) -> str:
    """Return a text that two values share exactly when they do not differ."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def is_large(*values: Any) -> bool:
    """Whether comparing values may take long enough to be noticed."""
    left = LARGE
    stack = list(values)
    while stack and left > 0:
        value = stack.pop()
        if isinstance(value, str):
            left -= len(value)
        elif isinstance(value, dict | list):
            left -= 20 * len(value)
            stack.extend(value.values() if isinstance(value, dict) else value)
    return left <= 0


def same(old: Any, new: Any) -> bool:
    """Whether two values do not differ; of those nested too deep to be walked, nobody can tell."""
    try:
        return _same(old, new)
    except RecursionError:
        return False


def _same(old: Any, new: Any) -> bool:
    """Whether two values do not differ; types count, the order of keys does not."""
    if old is new:
        return True
    if type(old) is not type(new):
        return False
    if isinstance(old, dict):
        if len(old) != len(new):
            return False
        return all(key in new and _same(value, new[key]) for key, value in old.items())
    if isinstance(old, list):
        return len(old) == len(new) and all(map(_same, old, new))
    if isinstance(old, float):
        return repr(old) == repr(new)
    return bool(old == new)


def _compare(old_key: str | int | None, new_key: str | int | None, old: Any, new: Any) -> DiffNode:
    children: tuple[DiffNode, ...] = ()
    if isinstance(old, dict) and isinstance(new, dict):
        children = tuple(_members(old, new))
        differs = any(child.kind is not Kind.SAME for child in children)
    elif isinstance(old, list) and isinstance(new, list):
        children = tuple(_items(old, new))
        differs = any(child.kind is not Kind.SAME for child in children)
    else:
        differs = not _same(old, new)
    if not differs:
        return DiffNode(Kind.SAME, old_key, new_key, old, new)
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
    start, least = 0, min(len(old), len(new))
    while start < least and _same(old[start], new[start]):
        start += 1
    end = 0
    while end < least - start and _same(old[-1 - end], new[-1 - end]):
        end += 1
    old_end, new_end = len(old) - end, len(new) - end
    nodes = [DiffNode(Kind.SAME, at, at, old[at], new[at]) for at in range(start)]
    for tag, old_from, old_to, new_from, new_to in _aligned(
        [fingerprint(item) for item in old[start:old_end]],
        [fingerprint(item) for item in new[start:new_end]],
    ):
        both = min(old_to - old_from, new_to - new_from)
        for at in range(both):
            before, after = start + old_from + at, start + new_from + at
            if tag == "equal":
                nodes.append(DiffNode(Kind.SAME, before, after, old[before], new[after]))
            else:
                nodes.append(_compare(before, after, old[before], new[after]))
        gone = range(start + old_from + both, start + old_to)
        nodes += [DiffNode(Kind.REMOVED, at, None, old[at]) for at in gone]
        come = range(start + new_from + both, start + new_to)
        nodes += [DiffNode(Kind.ADDED, None, at, None, new[at]) for at in come]
    nodes += [
        DiffNode(Kind.SAME, old_end + at, new_end + at, old[old_end + at], new[new_end + at])
        for at in range(end)
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


def _aligned(old: list[str], new: list[str]) -> Sequence[tuple[str, int, int, int, int]]:
    """Opcodes of difflib; long stretches are not aligned."""
    if max(len(old), len(new)) > ALIGN_LIMIT:
        return [("replace", 0, len(old), 0, len(new))]
    return SequenceMatcher(None, old, new).get_opcodes()
