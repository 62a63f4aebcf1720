"""Run a flow from a script: the same debugger, told by flags instead of keys."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flowdbg.core.session import Session, State
from flowdbg.debugger import Debugger, Subscription
from flowdbg.errors import UsageError
from flowdbg.headless.exit_codes import ExitCode, code_of_session
from flowdbg.headless.on_stale import OnStale
from flowdbg.headless.report import Report

MOST_STARTS = 4
"""How often a run starts before it gives up on a flow that keeps changing under it."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a headless run goes."""

    until: str = ""
    """Stop before this step; empty for the end."""
    run_remaining: bool = False
    """Run everything in one call."""
    on_stale: OnStale = OnStale.STOP


async def run(debugger: Debugger, options: RunOptions, report: Report) -> ExitCode:
    """Run a session as the options say, reporting as it goes.

    Raises:
        FlowdbgError: As the debugger's verbs.
    """
    if options.until and options.run_remaining:
        raise UsageError("--until and --run-remaining exclude each other.", "Give one of them.")
    subscription = debugger.subscribe()
    observer = asyncio.create_task(_observe(subscription, report))
    interrupted = False

    def interrupt() -> None:
        nonlocal interrupted
        interrupted = True
        debugger.cancel()

    try:
        with _signals(interrupt):
            await _run_once(debugger, options)
            for _ in range(MOST_STARTS - 1):
                stale = debugger.session.state is State.STALE
                if not stale or options.on_stale is OnStale.STOP:
                    break
                await (debugger.restart() if _restarts(options) else debugger.pin())
                if interrupted:
                    break
                await _run_once(debugger, options)
    finally:
        subscription.close()
        await observer
    code = code_of_session(debugger.session, interrupted=interrupted)
    if debugger.unsaved and code is ExitCode.END:
        code = ExitCode.NOT_SAVED
    report.end(debugger.session, code)
    return code


def _restarts(options: RunOptions) -> bool:
    return options.on_stale is OnStale.RESTART


async def _run_once(debugger: Debugger, options: RunOptions) -> None:
    if options.run_remaining:
        await debugger.run_to_end()
    elif not options.until:
        await debugger.continue_()
    elif not _at(debugger.session, options.until):
        await debugger.run_to(options.until)


def _at(session: Session, step_id: str) -> bool:
    step = session.plan.at(session.cursor)
    return step is not None and step.id == step_id


async def _observe(subscription: Subscription, report: Report) -> None:
    async for change in subscription:
        report.show(change)


@contextmanager
def _signals(interrupt: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C and SIGTERM cancel the running turn instead of the process."""
    loop = asyncio.get_running_loop()
    caught = (signal.SIGINT, signal.SIGTERM)
    for number in caught:
        loop.add_signal_handler(number, interrupt)
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)
