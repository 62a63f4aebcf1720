"""Ctrl-C, SIGTERM and SIGHUP: they end the waiting, in order, and the command says what it means.

What is ignored stays so: SIGHUP below nohup, SIGINT in a script's background.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

Result = TypeVar("Result")

_ENDING = (signal.SIGTERM, signal.SIGHUP)


class StoppedByPerson(Exception):
    """A person stopped the waiting; what was waited for is cancelled on this side."""


@contextmanager
def caught(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` for each of the signals; afterwards they do again what they did before."""
    loop = asyncio.get_running_loop()
    before = _heeded(signal.SIGINT, *_ENDING)
    for number in before:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in before:
            loop.remove_signal_handler(number)
        _restore(before)


def run_interruptible(work: Coroutine[Any, Any, Result]) -> Result:
    """`asyncio.run` for a command that SIGTERM and SIGHUP end in order, as Ctrl-C does.

    Raises:
        KeyboardInterrupt: One of them came.
    """
    before = _heeded(*_ENDING)

    async def stoppable() -> Result:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task
        for number in before:
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(task.cancel))
        return await work

    try:
        return asyncio.run(stoppable())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        _restore(before)


@contextmanager
def at_once() -> Iterator[None]:
    """Where something keeps the event loop waiting: the signals end it with KeyboardInterrupt."""
    before = _heeded(signal.SIGINT, *_ENDING)
    for number in before:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        _restore(before)


def _restore(handlers: dict[signal.Signals, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _heeded(*numbers: signal.Signals) -> dict[signal.Signals, Any]:
    """The signals that are not ignored, with what handles each now."""
    handlers = {number: signal.getsignal(number) for number in numbers}
    return {number: one for number, one in handlers.items() if one is not signal.SIG_IGN}


async def unless_stopped(work: Coroutine[Any, Any, Result]) -> Result:
    """Do some work and give its result.

    Raises:
        StoppedByPerson: A signal came first; the work has ended.
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
