"""The difference of two texts: line by line, and word by word inside a changed line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from flowdbg.present.search import Span

LINE_LIMIT = 2_000
"""Lines that are aligned; a longer difference is shown as all removed, all added."""

WORD_LIMIT = 400
"""Words of a line that are compared one by one."""

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line: kept (` `), removed (`-`) or added (`+`)."""

    mark: Literal[" ", "-", "+"]
    text: str
    spans: tuple[Span, ...] = ()
    """The parts of a changed line that differ; empty when the whole line does."""


def text_diff(old: str, new: str) -> list[DiffLine]:
    """Compare two texts; a changed line appears as a removed and an added one."""
    before, after = old.split("\n"), new.split("\n")
    if max(len(before), len(after)) > LINE_LIMIT:
        lines = [DiffLine("-", line) for line in before]
        return lines + [DiffLine("+", line) for line in after]
    found: list[DiffLine] = []
    for tag, a, b, c, d in SequenceMatcher(None, before, after).get_opcodes():
        if tag == "equal":
            found += [DiffLine(" ", line) for line in before[a:b]]
        elif b - a == d - c:
            pairs = [
                _words(old_line, new_line) for old_line, new_line in _pairs(before, after, a, b, c)
            ]
            found += [DiffLine("-", before[a + at], spans) for at, (spans, _) in enumerate(pairs)]
            found += [DiffLine("+", after[c + at], spans) for at, (_, spans) in enumerate(pairs)]
        else:
            found += [DiffLine("-", line) for line in before[a:b]]
            found += [DiffLine("+", line) for line in after[c:d]]
    return found


def _pairs(
    before: list[str], after: list[str], first: int, last: int, other: int
) -> Iterator[tuple[str, str]]:
    for at in range(first, last):
        yield before[at], after[other + at - first]


def _words(old: str, new: str) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """The spans that differ in two versions of a line; empty when hardly anything is common."""
    before, after = list(_WORDS.finditer(old)), list(_WORDS.finditer(new))
    if max(len(before), len(after)) > WORD_LIMIT:
        return (), ()
    matcher = SequenceMatcher(
        None, [word.group() for word in before], [word.group() for word in after], autojunk=False
    )
    if matcher.ratio() < 0.3:
        return (), ()
    old_spans: list[Span] = []
    new_spans: list[Span] = []
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag != "equal":
            if b > a:
                old_spans.append((before[a].start(), before[b - 1].end()))
            if d > c:
                new_spans.append((after[c].start(), after[d - 1].end()))
    return tuple(old_spans), tuple(new_spans)
