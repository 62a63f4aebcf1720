"""Runs the branches of a parallel container at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from flowdbg.engine.events import NodePath


class Stopped(Exception):
    """The walk stands before a block, and everything beside it comes to a stop as well."""

    def __init__(self, path: NodePath) -> None:
        super().__init__("stopped")
        self.path = path


async def run_together(branches: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
    """The results of all branches, in their order; the first failure ends the others.

    A branch that stops does not end the others: they go on to their next block boundary.

    Raises:
        Stopped: A branch stopped and the others finished or stopped too.
    """
    tasks = [asyncio.ensure_future(branch) for branch in branches]
    stopped: Stopped | None = None
    waiting = set(tasks)
    try:
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                error = task.exception()
                if isinstance(error, Stopped):
                    stopped = stopped or error
                elif error is not None:
                    raise error
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if stopped is not None:
        raise stopped
    return [task.result() for task in tasks]
