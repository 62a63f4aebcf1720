"""The installed program in a real pseudo-terminal, with a screen that can be read."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import pexpect
import pyte

PATIENCE = 60.0
"""Seconds until a screen that never comes fails the test."""


class Terminal:
    """`flowdbg ARGUMENTS` in a terminal of `columns` x `rows`; every byte it writes is kept."""

    def __init__(
        self,
        *arguments: str,
        columns: int = 80,
        rows: int = 24,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.written = bytearray()
        self._process = pexpect.spawn(
            sys.executable,
            ["-m", "flowdbg", *arguments],
            dimensions=(rows, columns),
            env={**os.environ, "TERM": "xterm-256color", **(environment or {})},
            timeout=PATIENCE,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.close(force=True)

    @property
    def text(self) -> str:
        """What the screen shows, a line a row."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def press(self, *keys: str) -> None:
        """Send keys as a terminal does."""
        for key in keys:
            self._process.send(key)
            self.read(0.05)

    def read(self, seconds: float) -> None:
        """Take in what the program writes, for so long after its last byte."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                data = self._process.read_nonblocking(65536, timeout=seconds)
            except pexpect.TIMEOUT:
                return
            except pexpect.EOF:
                return
            self.written += data
            self._stream.feed(data)

    def until(self, wanted: str | Callable[[str], object]) -> str:
        """Wait for a text on the screen, or for a screen that a function likes."""
        likes = wanted if callable(wanted) else lambda text: wanted in text
        end = time.monotonic() + PATIENCE
        while not likes(self.text):
            if time.monotonic() > end or not (self._process.isalive() or self._more()):
                raise AssertionError(f"waited for {wanted!r}; the screen is:\n{self.text}")
            self.read(0.1)
        return self.text

    def resize(self, columns: int, rows: int) -> None:
        """Change the terminal's size."""
        self._screen.resize(rows, columns)
        self._process.setwinsize(rows, columns)

    @property
    def pid(self) -> int:
        """The program's process."""
        return int(self._process.pid)

    def signal(self, number: int) -> None:
        """Send the program a signal and wait until it is gone."""
        self._process.kill(number)
        end = time.monotonic() + PATIENCE
        while self._process.isalive() and time.monotonic() < end:
            self.read(0.1)

    def hang_up(self) -> None:
        """Close the terminal under the program."""
        self._process.close(force=False)

    def leave(self, *keys: str) -> int:
        """Press keys that end the program; its exit code."""
        self.press(*keys)
        end = time.monotonic() + PATIENCE
        while self._process.isalive() and time.monotonic() < end:
            self.read(0.1)
        self._process.wait()
        return int(self._process.exitstatus if self._process.exitstatus is not None else -1)

    def _more(self) -> bool:
        before = len(self.written)
        self.read(0.2)
        return len(self.written) > before
