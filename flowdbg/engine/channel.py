"""A bounded queue of events between the tasks that run blocks and the one that reads."""

from __future__ import annotations

import asyncio

from flowdbg.engine.events import EngineEvent

LIMIT = 256
"""Events that may wait; then the blocks wait for the reader."""


class Channel:
    """Many writers, one reader; the reader takes the whole backlog at once."""

    def __init__(self) -> None:
        self._waiting: list[EngineEvent] = []
        self._closed = False
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()

    async def send(self, event: EngineEvent) -> None:
        """Add an event; waits while the reader is behind."""
        while len(self._waiting) >= LIMIT:
            self._emptied.clear()
            await self._emptied.wait()
        self._waiting.append(event)
        self._filled.set()

    def close(self) -> None:
        """No more events will come."""
        self._closed = True
        self._filled.set()

    async def take(self) -> list[EngineEvent]:
        """The events that wait, in order, at least one; empty when the channel is closed."""
        if not self._waiting and not self._closed:
            self._filled.clear()
            await self._filled.wait()
        taken, self._waiting = self._waiting, []
        self._emptied.set()
        return taken
