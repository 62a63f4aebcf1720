"""The difference of two texts: line by line, a long line sentence by sentence, then word by word.

What models say comes in paragraphs of one line. Such a line is cut into its sentences before
anything is aligned, so that a word changed in a page is a sentence with one word marked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from flowdbg.present.search import Span

UNIT_LIMIT = 4_000
"""Lines and sentences that are aligned; a longer difference is all removed, all added."""

LONG_LINE = 160
"""Characters from which a line is cut into sentences."""

WORD_LIMIT = 3_000
"""Words of a line that are compared one by one; of longer ones the ends that are the same."""

FEW_WORDS = 600
"""Words of a line of which also the most frequent ones are looked for."""

PAIRS_LIMIT = 10_000
"""How many pairs of changed lines are looked at to find out which became which."""

ALIKE = 0.4
"""The share of common words from which a line counts as changed, not as another one."""

_CJK = "\u2e80-\u9fff\uac00-\ud7af"
_WORDS = re.compile(rf"[{_CJK}]\s*|[^\W{_CJK}]+\s*|[^\w\s]\s*|\s+")
_SENTENCE_END = re.compile(r"[.!?…]+[\"')\]’”]*\s+|[。！？]+\s*")

Unit = tuple[str, bool]
"""A line or a sentence of one, and whether the line ends after it."""


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line, or a sentence of a long one: kept (` `), removed (`-`) or added (`+`)."""

    mark: Literal[" ", "-", "+"]
    text: str
    spans: tuple[Span, ...] = ()
    """The parts of a changed line that differ, empty ones where the other side has more; without
    any, the whole line differs."""
    ends_line: bool = True
    """Whether the line ends after it; False where another sentence of it follows."""


def text_diff(old: str, new: str) -> list[DiffLine]:
    """Compare two texts; a changed line appears as a removed and an added one."""
    before, after = _units(old), _units(new)
    start, least = 0, min(len(before), len(after))
    while start < least and before[start] == after[start]:
        start += 1
    end = 0
    while end < least - start and before[-1 - end] == after[-1 - end]:
        end += 1
    changed = _changed(before[start : len(before) - end], after[start : len(after) - end])
    return [
        *_lines(" ", before[:start]),
        *changed,
        *_lines(" ", before[len(before) - end :] if end else ()),
    ]


def _units(text: str) -> list[Unit]:
    units: list[Unit] = []
    for line in text.split("\n"):
        at = 0
        if len(line) > LONG_LINE:
            for match in _SENTENCE_END.finditer(line):
                if match.end() < len(line):
                    units.append((line[at : match.end()], False))
                    at = match.end()
        units.append((line[at:], True))
    return units


def _lines(mark: Literal[" ", "-", "+"], units: Sequence[Unit]) -> Iterator[DiffLine]:
    return (DiffLine(mark, text, (), ends) for text, ends in units)


def _changed(before: list[Unit], after: list[Unit]) -> Iterator[DiffLine]:
    if max(len(before), len(after)) > UNIT_LIMIT:
        yield from _lines("-", before)
        yield from _lines("+", after)
        return
    for tag, a, b, c, d in SequenceMatcher(None, before, after).get_opcodes():
        if tag == "equal":
            yield from _lines(" ", before[a:b])
        else:
            yield from _replaced(before[a:b], after[c:d])


def _replaced(before: list[Unit], after: list[Unit]) -> Iterator[DiffLine]:
    """What stands in a place of other units: each beside the one that it most likely was."""
    old_at = new_at = 0
    for old, new in _partners([text for text, _ in before], [text for text, _ in after]):
        yield from _lines("-", before[old_at:old])
        yield from _lines("+", after[new_at:new])
        (was, was_end), (now, now_end) = before[old], after[new]
        gone, come = _words(was, now)
        yield DiffLine("-", was, gone, was_end)
        yield DiffLine("+", now, come, now_end)
        old_at, new_at = old + 1, new + 1
    yield from _lines("-", before[old_at:])
    yield from _lines("+", after[new_at:])


def _partners(before: list[str], after: list[str]) -> list[tuple[int, int]]:
    """Which unit became which, in order: the pairs that have the most in common together."""
    rows, columns = len(before), len(after)
    if not rows or not columns:
        return []
    if rows == columns == 1:
        return [(0, 0)]
    if rows * columns > PAIRS_LIMIT:
        return [(at, at) for at in range(min(rows, columns))] if rows == columns else []
    old_words = [Counter(_WORDS.findall(text)) for text in before]
    new_words = [Counter(_WORDS.findall(text)) for text in after]
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    likeness = [[_likeness(old, new) for new in new_words] for old in old_words]
    for row in range(rows - 1, -1, -1):
        for column in range(columns - 1, -1, -1):
            alike = likeness[row][column]
            joined = alike + best[row + 1][column + 1] if alike >= ALIKE else 0.0
            best[row][column] = max(joined, best[row + 1][column], best[row][column + 1])
    found: list[tuple[int, int]] = []
    row = column = 0
    while row < rows and column < columns:
        if best[row][column] == best[row + 1][column]:
            row += 1
        elif best[row][column] == best[row][column + 1]:
            column += 1
        else:
            found.append((row, column))
            row, column = row + 1, column + 1
    return found


def _likeness(old: Counter[str], new: Counter[str]) -> float:
    """The share of words that two lines have in common, from 0 to 1."""
    size = old.total() + new.total()
    return 2 * (old & new).total() / size if size else 0.0


def _words(old: str, new: str) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """The spans that differ in two versions of a line; empty when hardly anything is common."""
    before, after = list(_WORDS.finditer(old)), list(_WORDS.finditer(new))
    if max(len(before), len(after)) > WORD_LIMIT:
        return _middles(old, new)
    common = max(len(before), len(after)) > FEW_WORDS  # leave frequent words out, for speed
    matcher = SequenceMatcher(
        None, [word.group() for word in before], [word.group() for word in after], autojunk=common
    )
    if matcher.ratio() < 0.3:
        return _middles(old, new)
    gone: list[Span] = []
    come: list[Span] = []
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag != "equal":
            _mark(gone, old, before, a, b)
            _mark(come, new, after, c, d)
    return tuple(gone), tuple(come)


def _mark(
    spans: list[Span], text: str, words: Sequence[re.Match[str]], first: int, last: int
) -> None:
    """Mark words; those that follow the last ones closely are marked together with them."""
    if first == last:
        at = words[first].start() if first < len(words) else len(text)
        spans.append((at, at))
        return
    start, end = words[first].start(), words[last - 1].end()
    end = start + (len(text[start:end].rstrip()) or end - start)
    if spans and start - spans[-1][1] <= 1:
        start = spans.pop()[0]
    spans.append((start, end))


def _middles(old: str, new: str) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """What stands between two equal ends; nothing when the ends are less than half."""
    start = _same_start(old, new)
    rest_old, rest_new = old[start:], new[start:]
    end = _same_start(rest_old[::-1], rest_new[::-1])
    if (start + end) * 2 < max(len(old), len(new)):
        return (), ()
    return ((start, len(old) - end),), ((start, len(new) - end),)


def _same_start(old: str, new: str) -> int:
    """How many characters two texts begin with alike, by halving: comparing slices is quick."""
    low, high = 0, min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
