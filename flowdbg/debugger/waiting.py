"""Waiting for a server or a tool in a way that cancel can give up."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class GivenUp(Exception):
    """Cancel ended the waiting; nothing came of it."""


class Waiting:
    """The one thing that a verb waits for beside its stream."""

    def __init__(self) -> None:
        self._task: asyncio.Task[Any] | None = None

    async def on(self, work: Coroutine[Any, Any, Result]) -> Result:
        """What comes of the work.

        Raises:
            GivenUp: `give_up` was called first; the work was cancelled and has ended.
        """
        task = asyncio.create_task(work)
        self._task = task
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            raise
        finally:
            self._task = None
        if task.cancelled():
            raise GivenUp
        return task.result()

    def give_up(self) -> None:
        """Cancel what is waited for; does nothing when nothing is."""
        if self._task:
            self._task.cancel()
