"""The one place of a verb that moves a session: taken before anything is awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from flowdbg.errors import BusyError


class Place:
    """One verb at a time; a second one is refused, never queued."""

    def __init__(self) -> None:
        self._held = ""
        self._free = asyncio.Event()
        self._free.set()

    @contextmanager
    def hold(self, verb: str) -> Iterator[None]:
        """Take the place for a verb.

        Raises:
            BusyError: Another verb has it.
        """
        if self._held:
            raise BusyError(f"'{self._held}' is running.", "Cancel it first (ctrl+c).")
        self._held = verb
        self._free.clear()
        try:
            yield
        finally:
            self._held = ""
            self._free.set()

    async def free(self) -> None:
        """Wait until no verb has the place."""
        await self._free.wait()
