"""Search in a JSON value, folded or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from flowdbg.present.json_paths import Path
from flowdbg.present.json_rows import is_long, shown_text
from flowdbg.present.search import MATCH_LIMIT, Query, sliced

_Link = tuple[Any, str | int] | None
"""A chain of keys up to the root, from which a path is made only where something matched."""


_PAUSE = 256
"""Nodes that are looked at between two pauses."""


@dataclass(frozen=True, slots=True)
class Found:
    """One occurrence: the path of the node, and where in a long string it stands."""

    path: Path
    offset: int = -1
    """Offset in the shown text of a long string; -1 for a key or a short value."""


def finding(value: Any, query: Query, limit: int = MATCH_LIMIT) -> Iterator[list[Found] | None]:
    """Find the places where a query occurs, in the order of the rows, at most `limit`.

    It is done a part at a time: None is yielded in between, and at last what was found. A key or a
    short value counts once, however often the query occurs in it; each occurrence in a string that
    unfolds counts.
    """
    found: list[Found] = []
    long_texts: list[tuple[int, _Link, str]] = []
    for part in sliced(query, _walk(value, query.test())):
        for link, is_match, long_text in part:
            if is_match:
                found.append(Found(_path(link)))
            if long_text is not None:
                long_texts.append((len(found), link, long_text))
        if len(found) >= limit:
            break
        yield None
    inside: list[tuple[int, list[Found]]] = []
    room = limit
    for at, link, text in long_texts:
        if room <= 0:
            break
        places: list[Found] = []
        for spans in query.scanning(shown_text(text), room):
            places += [Found(_path(link), start) for start, _ in spans]
            yield None
        inside.append((at, places))
        room -= len(places)
    for at, places in reversed(inside):
        found[at:at] = places
    yield [] if query.problem else found[:limit]


def _walk(
    value: Any, test: Callable[[str], bool]
) -> Iterator[tuple[_Link, bool, str | None] | None]:
    """Yield the nodes that match or hold a long string, parents before children, and pauses."""
    known: dict[str, bool] = {}
    stack: list[tuple[Iterator[tuple[str | int, Any]], _Link]] = []
    if isinstance(value, dict | list):
        stack.append((_items(value), None))
    else:
        yield None, not is_long(value) and test(_word(value)), value if is_long(value) else None
    tested = 0
    while stack:
        items, link = stack[-1]
        for key, item in items:
            tested += 1
            if tested % _PAUSE == 0:
                yield None
            match = False
            if isinstance(key, str):
                if key not in known:
                    known[key] = test(key)
                match = known[key]
            if isinstance(item, dict | list):
                if match:
                    yield (link, key), True, None
                if item:
                    stack.append((_items(item), (link, key)))
                    break
            elif is_long(item):
                yield (link, key), match, item
            elif match or test(_word(item)):
                yield (link, key), True, None
        else:
            stack.pop()


def _items(value: dict[str, Any] | list[Any]) -> Iterator[tuple[str | int, Any]]:
    return iter(value.items()) if isinstance(value, dict) else iter(enumerate(value))


def _word(item: Any) -> str:
    if isinstance(item, str):
        return item
    if item is None:
        return "null"
    if isinstance(item, bool):
        return "true" if item else "false"
    return str(item)


def _path(link: _Link) -> Path:
    steps: list[str | int] = []
    while link is not None:
        link, key = link
        steps.append(key)
    return tuple(reversed(steps))
