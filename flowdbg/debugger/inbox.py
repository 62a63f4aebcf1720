"""What lies between the reader of a stream and the one who saves and folds its events."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from flowdbg.core.events import Received


class Inbox:
    """A bounded queue that hands out everything it holds at once.

    The bound presses back on the socket while the disk or the screen is slow; taking all at once
    makes one transaction of events that came together.
    """

    def __init__(self, limit: int = 1024) -> None:
        self._limit = limit
        self._events: list[Received] = []
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False

    async def put(self, events: Sequence[Received]) -> None:
        """Add events; waits while the inbox is full."""
        await self._room.wait()
        self._events.extend(events)
        self._news.set()
        if len(self._events) >= self._limit:
            self._room.clear()

    def close(self) -> None:
        """No more events will come."""
        self._closed = True
        self._news.set()

    async def take(self) -> list[Received]:
        """All events that are there, at least one; an empty list when no more will come."""
        await self._news.wait()
        events, self._events = self._events, []
        self._room.set()
        if not self._closed:
            self._news.clear()
        return events
