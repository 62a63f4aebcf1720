"""Streamed text as wrapped rows, grown in time proportional to what was added.

Rows are decided from left to right and a decided row never changes, so appending in any split
gives the same rows as appending at once. Only the last, still open row is wrapped again.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache

from flowdbg.present.safe_text import safe_text

TAB = "    "
"""What a tab is shown as."""

_NOT_NARROW = re.compile(
    "[^\x00-\u02ff\u0370-\u0482\u048a-\u058f\u1e00-\u1fff\u2010-\u2027"
    "\u2030-\u205e\u20a0-\u20bf\u2100-\u218f\u2190-\u2319\u2500-\u25fc]"
)
"""Finds a character that may be wide or have no width; the others always take one cell."""

_NEWLY_WIDE = re.compile(
    "[\u2630-\u2637\u268a-\u268f\u4dc0-\u4dff\U0001d300-\U0001d356\U0001d360-\U0001d376]"
)
"""Wide since Unicode 16, and narrow to a Python that knows an older one."""

_JOINER = "\u200d"
_EMOJI_SIGN = "\ufe0f"
"""Makes an emoji of the sign before it, which takes a cell more then."""


@lru_cache(maxsize=4096)
def character_cells(character: str) -> int:
    """Return how many cells one character takes at most: 0 for combining marks, 2 for wide ones.

    Terminals differ; where several characters make one sign, it may take less than their sum.
    """
    if character in (_JOINER, "\u200c"):
        return 0
    category = unicodedata.category(character)
    if category in ("Mn", "Me") and character != _EMOJI_SIGN:
        return 0
    if category == "Cn":  # a terminal may know more of Unicode than this Python
        return 2
    is_wide = unicodedata.east_asian_width(character) in ("W", "F")
    return 2 if is_wide or _NEWLY_WIDE.match(character) else 1


class TextLines:
    """An append-only text, wrapped to a width; words stay whole where they fit.

    Control characters are shown as escapes and tabs as spaces before anything else happens, so
    that offsets, rows and search all speak of the text as it is shown.
    """

    def __init__(self, width: int = 80) -> None:
        self._width = max(width, 2)
        self._chunks: list[str] = []
        self._held = ""
        self._length = 0
        self.rows: list[str] = []
        """The wrapped rows, without line ends."""
        self._starts = array("q")
        self._open = False

    @property
    def text(self) -> str:
        """The whole text as shown, with line feeds."""
        if len(self._chunks) > 1:
            self._chunks = ["".join(self._chunks)]
        return self._chunks[0] if self._chunks else ""

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.rows)

    def append(self, text: str) -> int:
        """Add text at the end; returns the first row that changed."""
        text = self._held + text
        self._held = ""
        if text.endswith("\r"):  # may be the first half of a line end
            text, self._held = text[:-1], "\r"
        shown = safe_text(text).replace("\t", TAB)
        if not shown:
            return len(self.rows)
        self._chunks.append(shown)
        changed = len(self.rows)
        if self._open:
            changed -= 1
            start = self._starts.pop()
            shown = self.rows.pop() + shown
        else:
            start = self._length
        self._length = start + len(shown)
        self._wrap(shown, start)
        return changed

    def rewrap(self, width: int) -> None:
        """Wrap everything again to another width."""
        width = max(width, 2)
        if width == self._width:
            return
        self._width = width
        text = self.text
        self.rows.clear()
        self._starts = array("q")
        self._open = False
        if text:
            self._wrap(text, 0)

    def row_of(self, offset: int) -> int:
        """Return the index of the row that holds the character at `offset` of `text`."""
        return max(0, bisect_right(self._starts, offset) - 1)

    def start_of(self, row: int) -> int:
        """Return the offset in `text` at which a row starts; 0 while there are no rows."""
        return self._starts[row] if self.rows else 0

    def _wrap(self, text: str, start: int) -> None:
        rows, starts = self.rows, self._starts
        lines = text.split("\n")
        self._open = bool(lines[-1])
        last = len(lines) - 1
        for number, line in enumerate(lines):
            if number == last and not line:
                break
            for piece in wrapped(line, self._width):
                rows.append(piece)
                starts.append(start)
                start += len(piece)
            start += 1


def wrapped(line: str, width: int) -> Iterator[str]:
    """Cut one line (without line feeds) into rows of at most `width` cells.

    A row may carry one space more than fits, so that the next one starts with its word. Joined,
    the rows are the line; an empty line is one empty row.
    """
    narrow = line.isascii() or _NOT_NARROW.search(line) is None
    if len(line) <= width and (narrow or sum(map(character_cells, line)) <= width):
        yield line
    elif narrow:
        yield from _wrapped_narrow(line, width)
    else:
        yield from _wrapped_wide(line, width)


def _wrapped_narrow(line: str, width: int) -> Iterator[str]:
    at, end = 0, len(line)
    while end - at > width:
        cut = _cut(line, at, at + width)
        yield line[at:cut]
        at = cut
    if at < end:
        yield line[at:]


def _wrapped_wide(line: str, width: int) -> Iterator[str]:
    at = cells = 0
    index, end = 0, len(line)
    while index < end:
        wide = character_cells(line[index])
        if cells + wide > width and index > at:
            cut = _cut(line, at, _sign_start(line, at, index))
            yield line[at:cut]
            at = index = cut
            cells = 0
        else:
            cells += wide
            index += 1
    if at < end:
        yield line[at:]


def _sign_start(line: str, at: int, index: int) -> int:
    """Where the sign begins that the character at `index` is a part of; after `at` in any case."""
    start = index
    while start > at and (
        line[start] == _EMOJI_SIGN
        or character_cells(line[start]) == 0
        or line[start - 1] == _JOINER
    ):
        start -= 1
    return start if start > at else index


def _cut(line: str, at: int, full: int) -> int:
    """Where the row that starts at `at` ends, when the character at `full` no longer fits."""
    space = line.rfind(" ", at, full + 1)
    if space <= at or line[at:space].isspace():
        return full
    return space + 1
