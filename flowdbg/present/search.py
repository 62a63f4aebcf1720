"""What a person typed into the search bar, and where it occurs.

`words` is plain text (ignoring case unless it has a capital letter), `/pattern/` a regular
expression. A regular expression can take for ever on an unlucky text; every use is bounded in time,
and one that passed its bound is not tried again. A long search is done a part at a time, so that
whoever searches can look after other things in between.
"""

from __future__ import annotations

import re
import signal
import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import TypeVar

Item = TypeVar("Item")

Span = tuple[int, int]
"""Start and end offset of one occurrence."""

TIME_LIMIT = 0.015
"""Processor seconds that a regular expression may take at a time."""

SLICE = 0.01
"""Seconds of one part of a search."""

WINDOW = 64 * 1024
"""Characters of a long text that are searched at a time."""

_LEAST_WINDOW = 2 * 1024
"""Characters that an expression must get through within its time."""

_OVERLAP = 512
"""Characters that are searched with the window before and again with the one after."""

_TRIES = 8
"""How often one place of a text is searched with windows of other sizes."""

MATCH_LIMIT = 10_000
"""Occurrences after which a search stops counting."""

_NESTED_REPEAT = re.compile(r"\([^()]*[*+}][^()]*\)\s*(?:[*+]|\{\d*,)")


class _TimeUp(Exception):
    """The bound of time passed inside the regular expression engine."""


class Query:
    """One search, ready to be applied to texts of any size."""

    def __init__(self, typed: str) -> None:
        self.typed = typed
        self.problem = ""
        """Why nothing can be found: a wrong or too slow expression; empty when all is well."""
        self._plain = ""
        self._pattern: re.Pattern[str] | None = None
        if len(typed) > 2 and typed.startswith("/") and typed.rstrip("i").endswith("/"):
            self._compile()
        else:
            self._plain = typed
            self._fold = typed == typed.lower()

    def __bool__(self) -> bool:
        """Whether there is anything to look for."""
        return bool(self._plain or self._pattern) and not self.problem

    def spans(self, text: str, limit: int = MATCH_LIMIT) -> list[Span]:
        """Return where the query occurs in `text`, at most `limit` places, in order."""
        if not self:
            return []
        found = self._window(text, 0, len(text), limit)
        if found is None:
            self._too_slow()
        return found or []

    def test(self) -> Callable[[str], bool]:
        """Return a test for short texts; to be used inside `bounded`."""
        if not self:
            return lambda _: False
        if self._pattern is not None:
            search = self._pattern.search
            return lambda text: search(text) is not None
        needle = self._plain
        return (lambda text: needle in text.lower()) if self._fold else needle.__contains__

    @contextmanager
    def bounded(self) -> Iterator[None]:
        """End a block early when its tests take too long; `problem` says so then."""
        if self._pattern is None:
            yield
            return
        try:
            with _time_limit(TIME_LIMIT):
                yield
        except _TimeUp:
            self._too_slow()

    def scanning(self, text: str, limit: int = MATCH_LIMIT) -> Iterator[list[Span]]:
        """Yield where the query occurs in a long text, in order, a part of the text at a time.

        An occurrence that spans lines and more than 500 characters may be missed where two parts
        meet.
        """
        at = last = count = tries = 0
        window = WINDOW
        while self and at < len(text) and count < limit:
            end = _window_end(text, at, window)
            found = self._window(text, at, end, limit - count)
            tries += 1
            if found is None or tries > _TRIES:
                if window <= _LEAST_WINDOW or tries > _TRIES:
                    self._too_slow()
                    return
                window = max(window // 8, _LEAST_WINDOW)
                yield []
                continue
            begins = at
            if self._pattern is None:
                at = end
            elif end < len(text) and found and found[-1][1] >= end:
                at = found.pop()[0]  # it may go on behind the window
                window *= 4 if at == begins else 1
            else:
                at = end if end == len(text) else max(end - _OVERLAP, begins + 1)
            found = [span for span in found if span[0] >= last]
            last = found[-1][1] if found else last
            at = max(at, last)
            count += len(found)
            tries = 0 if at > begins else tries
            yield found

    def _window(self, text: str, start: int, end: int, limit: int) -> list[Span] | None:
        """Return what begins in a part of a text; None when the time was up."""
        if self._pattern is None:
            piece = text[start : end + len(self._plain) - 1]
            return [(start + a, start + b) for a, b in self._plain_spans(piece, limit)]
        try:
            with _time_limit(TIME_LIMIT):
                return _regex_spans(self._pattern, text, limit, start, end)
        except _TimeUp:
            return None

    def _compile(self) -> None:
        body, _, flags = self.typed[1:].rpartition("/")
        try:
            self._pattern = re.compile(body, re.MULTILINE | (re.IGNORECASE if flags else 0))
        except (re.error, OverflowError, RecursionError) as error:
            self.problem = f"not a regular expression: {error}"
            return
        if not _can_interrupt() and _NESTED_REPEAT.search(body):
            self.problem = "a repeat inside a repeat can take for ever; write it with one repeat"

    def _plain_spans(self, text: str, limit: int) -> list[Span]:
        needle = self._plain
        if self._fold:
            lowered = text.lower()
            # a few characters change length when lowered; offsets must stay those of the text
            if len(lowered) != len(text):
                pattern = re.compile(re.escape(needle), re.IGNORECASE)
                return _regex_spans(pattern, text, limit)
            text = lowered
        found: list[Span] = []
        at = text.find(needle)
        while at >= 0 and len(found) < limit:
            found.append((at, at + len(needle)))
            at = text.find(needle, at + len(needle))
        return found

    def _too_slow(self) -> None:
        self.problem = "stopped: the expression is too slow for this text"


def sliced(query: Query, work: Iterator[Item | None]) -> Iterator[list[Item]]:
    """Do work that tests texts a part at a time; yield what each part brought.

    Args:
        query: Whose tests the work makes; it ends early when they take too long.
        work: Yields what it finds, and None now and then so that time can be looked at.
    """
    is_done = False
    while not is_done:
        found: list[Item] = []
        is_done = True
        end = time.perf_counter() + SLICE
        with query.bounded():
            for item in work:
                if item is not None:
                    found.append(item)
                if time.perf_counter() > end:
                    is_done = False
                    break
        yield found


def _window_end(text: str, start: int, size: int) -> int:
    """Return the end of a part of a text: that of a line, where there is one."""
    end = start + size
    if end >= len(text):
        return len(text)
    line = text.rfind("\n", start, end) + 1
    return line if line > start + size // 2 else end


def _regex_spans(
    pattern: re.Pattern[str], text: str, limit: int, start: int = 0, end: int = sys.maxsize
) -> list[Span]:
    found: list[Span] = []
    for match in pattern.finditer(text, start, end):
        if match.end() > match.start():
            found.append(match.span())
            if len(found) >= limit:
                break
    return found


def _can_interrupt() -> bool:
    """Whether a timer can stop the engine: POSIX, in the main thread."""
    return hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()


_BETWEEN = ("weakref", "_weakrefset")
"""Modules with callbacks that run inside any other code."""
_TICK = 0.005
"""Seconds after which a limit that could not be raised is tried again."""


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise `_TimeUp` inside the block after `seconds`; the engine checks for signals."""
    if not _can_interrupt():
        yield
        return
    armed = True

    def stop(_signal: int, frame: FrameType | None) -> None:
        # What the interpreter calls in between, such as the end of a weak reference, would swallow
        # it: then the next tick raises.
        name = frame.f_globals.get("__name__", "") if frame else ""
        if armed and not name.startswith(_BETWEEN):
            raise _TimeUp

    previous = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, _TICK)
    try:
        yield
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, previous)


@dataclass(frozen=True, slots=True)
class Hits:
    """The places found in one pane, and which of them is looked at."""

    query: Query
    places: tuple[int, ...]
    """Positions in reading order: offsets of a text or indexes of rows."""
    current: int = -1

    @property
    def label(self) -> str:
        """The count in words: `3/17`, `no match`, or the query's problem."""
        if self.query.problem:
            return self.query.problem
        if not self.places:
            return "no match" if self.query else ""
        total = f"{len(self.places)}{'+' if len(self.places) >= MATCH_LIMIT else ''}"
        return f"{self.current + 1}/{total}"

    def nearest(self, position: int) -> Hits:
        """Look at the first place at or after a position, else at the first of all."""
        at = bisect_left(self.places, position)
        return Hits(self.query, self.places, at % len(self.places) if self.places else -1)

    def moved(self, step: int) -> Hits:
        """Look at the next (1) or previous (-1) place; goes round at the ends."""
        if not self.places:
            return self
        return Hits(self.query, self.places, (self.current + step) % len(self.places))

    @property
    def place(self) -> int | None:
        """The position looked at, or None."""
        return self.places[self.current] if self.places and self.current >= 0 else None
