"""Ctrl-C and SIGTERM: they end the waiting, in order, and the command says what that means."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

Result = TypeVar("Result")

_CAUGHT = (signal.SIGINT, signal.SIGTERM)


class StoppedByPerson(Exception):
    """A person stopped the waiting; what was waited for is cancelled on this side."""


@contextmanager
def caught(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` for SIGINT and SIGTERM; afterwards they do again what they did before."""
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in _CAUGHT}
    for number in _CAUGHT:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)


def run_interruptible(work: Coroutine[Any, Any, Result]) -> Result:
    """`asyncio.run` for a command that SIGTERM ends in order, as Ctrl-C does.

    Raises:
        KeyboardInterrupt: One of them came.
    """

    async def both() -> Result:
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
        return await work

    before = signal.getsignal(signal.SIGTERM)
    try:
        return asyncio.run(both())
    finally:
        signal.signal(signal.SIGTERM, before)


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

    with caught(stop):
        try:
            return await task
        except asyncio.CancelledError:
            if stopped:
                raise StoppedByPerson from None
            raise
