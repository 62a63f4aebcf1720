"""Work that computes, so that nobody's work keeps others waiting.

Python computes in one thread at a time, so threads make nothing quicker: they only let the event
loop have its turns. What is short is done at once, on the loop, because everybody waits less than
for a thread. What turns out to be long is given up there and done again in the one thread there is
for it, where each run has one piece of work at most.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

AT_ONCE = 0.005
"""Seconds of processor time that work may take on the event loop."""


class TakesLonger(Exception):
    """Raised by work that passes the seconds it was given."""


class Deadline:
    """So much processor time of the thread that makes it; a busy machine makes it no shorter."""

    def __init__(self, seconds: float) -> None:
        self._end = time.thread_time() + seconds

    def check(self) -> None:
        """Go on, or give up.

        Raises:
            TakesLonger: The time is over.
        """
        if time.thread_time() > self._end:
            raise TakesLonger


class Effort:
    """The computing of one process; use from one event loop."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        """Held by whoever computes on the event loop: many at once leave it to others between."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="compute")

    def of_a_run(self) -> Compute:
        """What one run computes with: its long work is done piece by piece."""
        return Compute(self.turn, self._thread)

    def close(self) -> None:
        """Begin nothing further."""
        self._thread.shutdown(wait=False, cancel_futures=True)


class Compute:
    """Does work in the surroundings of one run."""

    def __init__(self, turn: asyncio.Lock, thread: Executor) -> None:
        self._turn = turn
        self._thread = thread
        self._one_at_a_time = asyncio.Lock()
        self._is_long = False

    async def __call__(self, work: Callable[[Deadline], T], seconds: float) -> T:
        """What the work returns; it is called with its deadline, possibly twice.

        Raises:
            TakesLonger: It takes longer than so many seconds of processor time.
        """
        async with self._one_at_a_time:
            if not self._is_long:
                async with self._turn:
                    try:
                        return work(Deadline(AT_ONCE))
                    except TakesLonger:
                        # What a run computes is mostly alike: from now on it has the thread.
                        self._is_long = True
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, lambda: work(Deadline(seconds)))
