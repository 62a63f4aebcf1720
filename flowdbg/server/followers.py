"""Who follows a run while it happens: a bounded queue for each, so that none slows the run."""

from __future__ import annotations

import asyncio
from collections import deque

from flowdbg.dialects.services import Entered
from flowdbg.engine.events import EngineEvent, OutputChunk
from flowdbg.engine.plan import PlanEntry

_MOST_WAITING = 10_000


class Follower:
    """What one follower has not seen yet.

    A follower that is far behind loses chunks of output, never a start or an end.
    """

    def __init__(self) -> None:
        self._waiting: deque[Entered | EngineEvent | None] = deque()
        self._news = asyncio.Event()

    def put(self, item: Entered | EngineEvent | None) -> None:
        """Queue an event; None is the end."""
        if len(self._waiting) >= _MOST_WAITING and isinstance(item, OutputChunk):
            return
        self._waiting.append(item)
        self._news.set()

    async def next(self) -> Entered | EngineEvent | None:
        """The next event; None at the end."""
        while not self._waiting:
            self._news.clear()
            await self._news.wait()
        return self._waiting.popleft()


class Followers:
    """The followers of one call."""

    def __init__(self) -> None:
        self._followers: list[Follower] = []

    def __bool__(self) -> bool:
        return bool(self._followers)

    def join(self) -> Follower:
        """Follow from now on."""
        follower = Follower()
        self._followers.append(follower)
        return follower

    def leave(self, follower: Follower) -> None:
        """Follow no more."""
        if follower in self._followers:
            self._followers.remove(follower)

    def entered(self, index: int, entry: PlanEntry) -> None:
        """A plan entry begins."""
        if self._followers:
            self.tell(Entered(index, entry))

    def tell(self, event: Entered | EngineEvent) -> None:
        """Pass an event on."""
        for follower in self._followers:
            follower.put(event)

    def end(self) -> None:
        """The call is over."""
        for follower in self._followers:
            follower.put(None)
        self._followers.clear()
