"""What a person typed into the search bar, and where it occurs.

`words` is plain text (ignoring case unless it has a capital letter), `/pattern/` a regular
expression. A regular expression can take for ever on an unlucky text; every use is bounded in time,
and one that passed its bound is not tried again.
"""

from __future__ import annotations

import re
import signal
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

Span = tuple[int, int]
"""Start and end offset of one occurrence."""

TIME_LIMIT = 0.15
"""Seconds that one search with a regular expression may take."""

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
        self.is_regex = len(typed) > 2 and typed.startswith("/") and typed.rstrip("i").endswith("/")
        self._plain = ""
        self._pattern: re.Pattern[str] | None = None
        if self.is_regex:
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
        if self._pattern is None:
            return self._plain_spans(text, limit)
        return self._bounded(self._pattern, text, limit)

    @contextmanager
    def testing(self) -> Iterator[Callable[[str], bool]]:
        """Give a test for many short texts, bounded in time as a whole.

        When the time is up the block ends early, and `problem` says so.
        """
        if not self:
            yield lambda _: False
        elif self._pattern is not None:
            search = self._pattern.search
            try:
                with _time_limit(TIME_LIMIT):
                    yield lambda text: search(text) is not None
            except _TimeUp:
                self._too_slow()
        elif self._fold:
            needle = self._plain
            yield lambda text: needle in text.lower()
        else:
            exact = self._plain
            yield lambda text: exact in text

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

    def _bounded(self, pattern: re.Pattern[str], text: str, limit: int) -> list[Span]:
        try:
            with _time_limit(TIME_LIMIT):
                return _regex_spans(pattern, text, limit)
        except _TimeUp:
            self._too_slow()
            return []

    def _too_slow(self) -> None:
        self.problem = f"stopped after {TIME_LIMIT:g} s; the expression is too slow for this text"


def _regex_spans(pattern: re.Pattern[str], text: str, limit: int) -> list[Span]:
    found: list[Span] = []
    for match in pattern.finditer(text):
        if match.end() > match.start():
            found.append(match.span())
            if len(found) >= limit:
                break
    return found


def _can_interrupt() -> bool:
    """Whether a timer can stop the engine: POSIX, in the main thread."""
    return hasattr(signal, "setitimer") and (threading.current_thread() is threading.main_thread())


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise `_TimeUp` inside the block after `seconds`; the engine checks for signals."""
    if not _can_interrupt():
        yield
        return
    armed = True

    def stop(_signal: int, _frame: FrameType | None) -> None:
        if armed:
            raise _TimeUp

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


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
