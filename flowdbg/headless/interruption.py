"""Ctrl-C and SIGTERM: they end the waiting, in order, and the command says what that means."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class StoppedByPerson(Exception):
    """A person stopped the waiting; what was waited for is cancelled on this side."""


async def unless_stopped(work: Coroutine[Any, Any, Result]) -> Result:
    """Do some work and give its result.

    Raises:
        StoppedByPerson: SIGINT or SIGTERM came first; the work has ended.
    """
    task = asyncio.create_task(work)
    stopped = False

    def stop() -> None:
        nonlocal stopped
        stopped = True
        task.cancel()

    loop = asyncio.get_running_loop()
    caught = (signal.SIGINT, signal.SIGTERM)
    for number in caught:
        loop.add_signal_handler(number, stop)
    try:
        return await task
    except asyncio.CancelledError:
        if stopped:
            raise StoppedByPerson from None
        raise
    finally:
        for number in caught:
            loop.remove_signal_handler(number)
