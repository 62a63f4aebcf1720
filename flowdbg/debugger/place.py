"""The one place of the verbs that move a session: taken before anything is awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from flowdbg.errors import BusyError


class Place:
    """One verb at a time, in the order given: beside one that runs steps every other is refused.

    The verbs that run nothing (fork, restart, pin) are short: whatever is given while one of them
    is being done waits its turn, so that keys typed in one breath all count.
    """

    def __init__(self) -> None:
        self._runs = ""
        self._runner: object = None
        self._turns = asyncio.Lock()  # hands itself on in the order in which it was asked for
        self.cancelled = False
        """Whether the running verb was cancelled, perhaps while it still waited its turn."""

    @asynccontextmanager
    async def hold(self, verb: str, *, runs: bool = False) -> AsyncIterator[None]:
        """Take the place for a verb; `runs` tells one that runs steps.

        Raises:
            BusyError: A verb that runs steps has it, or is next.
        """
        if self._runs:
            raise BusyError(f"'{self._runs}' is running.", "Cancel it first.")
        mine = object()
        if runs:
            self._runs, self._runner = verb, mine
            self.cancelled = False
        try:
            async with self._turns:
                yield
        finally:
            if self._runner is mine:
                self.ending()

    def ending(self) -> None:
        """The verb that runs steps writes its end: what is given now waits for that."""
        self._runs, self._runner = "", None

    async def free(self) -> None:
        """Wait until every verb given so far is done."""
        async with self._turns:
            return
