"""Search in a JSON value, folded or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from flowdbg.present.json_paths import Path
from flowdbg.present.json_rows import is_long, shown_text
from flowdbg.present.search import MATCH_LIMIT, Query

_Link = tuple[Any, str | int] | None
"""A chain of keys up to the root, from which a path is made only where something matched."""


@dataclass(frozen=True, slots=True)
class Found:
    """One occurrence: the path of the node, and where in a long string it stands."""

    path: Path
    offset: int = -1
    """Offset in the shown text of a long string; -1 for a key or a short value."""


def find(value: Any, query: Query, limit: int = MATCH_LIMIT) -> list[Found]:
    """Return the places where the query occurs, in the order of the rows, at most `limit`.

    A key or a short value counts once, however often the query occurs in it; each occurrence in a
    string that unfolds counts.
    """
    found: list[Found] = []
    long_texts: list[tuple[int, _Link, str]] = []
    with query.testing() as test:
        for link, is_match, long_text in _walk(value, test):
            if is_match:
                found.append(Found(_path(link)))
            if long_text is not None:
                long_texts.append((len(found), link, long_text))
            if len(found) >= limit:
                break
    for at, link, text in reversed(long_texts):
        found[at:at] = _inside(link, text, query, limit)
    return [] if query.problem else found[:limit]


def _walk(value: Any, test: Callable[[str], bool]) -> Iterator[tuple[_Link, bool, str | None]]:
    """Yield the nodes that match or hold a long string, parents before children."""
    known: dict[str, bool] = {}
    stack: list[tuple[Iterator[tuple[str | int, Any]], _Link]] = []
    if isinstance(value, dict | list):
        stack.append((_items(value), None))
    else:
        yield None, not is_long(value) and test(_word(value)), value if is_long(value) else None
    while stack:
        items, link = stack[-1]
        for key, item in items:
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


def _inside(link: _Link, text: str, query: Query, limit: int) -> list[Found]:
    spans = query.spans(shown_text(text), limit)
    if not spans:
        return []
    path = _path(link)
    return [Found(path, start) for start, _ in spans]


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
