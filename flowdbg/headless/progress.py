"""One line on stderr that says what is being waited for, and for how long."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Final, Self, TextIO

from flowdbg.present import formats
from flowdbg.present.safe_text import safe_line

_EVERY: Final = 0.2
"""Seconds between two redraws."""
_ERASE: Final = "\r\x1b[K"


class Progress:
    """What is waited for, while it is waited for.

    On a terminal it is one line that is redrawn and taken away at the end. Elsewhere a line is
    written when the words change, so that a log tells what happened, unless `lines` is off.
    """

    def __init__(self, err: TextIO, *, lines: bool = True) -> None:
        self._err = err
        self._words = ""
        self._live = err.isatty()
        self._lines = lines
        self._began = time.monotonic()
        self._told = ""
        self._task: asyncio.Task[None] | None = None

    def say(self, words: str) -> None:
        """Change the words."""
        self._words = words
        self._draw()

    def clear(self) -> None:
        """Take the line away, so that something else can be written; it comes back by itself."""
        if self._live:
            self._write(_ERASE)

    async def __aenter__(self) -> Self:
        self._began = time.monotonic()
        if self._live:
            self._task = asyncio.create_task(self._redraw())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task:
            self._task.cancel()
            self.clear()

    async def _redraw(self) -> None:
        while True:
            if self._words:
                self._draw()
            await asyncio.sleep(_EVERY)

    def _draw(self) -> None:
        if self._live:
            elapsed = formats.clock(time.monotonic() - self._began)
            self._write(f"{_ERASE}{safe_line(self._words, 60)} · {elapsed}")
        elif self._lines and self._words != self._told:
            self._told = self._words
            self._write(f"{safe_line(self._words)}\n")

    def _write(self, text: str) -> None:
        self._err.write(text)
        self._err.flush()
