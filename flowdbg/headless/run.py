"""Run a flow from a script: the same debugger, told by flags instead of keys."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from flowdbg.core.entries import StopReason
from flowdbg.core.session import Session, State
from flowdbg.debugger import Debugger, Subscription
from flowdbg.errors import FlowdbgError, UsageError
from flowdbg.headless.exit_codes import ExitCode, code_of_error, code_of_session
from flowdbg.headless.interruption import caught
from flowdbg.headless.report import Report

OnStale = Literal["stop", "restart", "pin"]

MOST_STARTS = 4
"""How often a run starts before it gives up on a flow that keeps changing under it."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a headless run goes."""

    until: str = ""
    """Stop before this step; empty for the end."""
    run_remaining: bool = False
    """Run everything in one call."""
    on_stale: OnStale = "stop"
    """What to do when the plan changes under the run."""
    skip: tuple[str, ...] = ()
    """Steps to go past without running them; each has an edited output."""

    def __post_init__(self) -> None:
        if self.until and self.run_remaining:
            raise UsageError("--until and --run-remaining exclude each other.", "Give one of them.")


async def run(debugger: Debugger, options: RunOptions, report: Report) -> ExitCode:
    """Run a session as the options say, reporting as it goes; the last thing told is the outcome.

    A report that fails, because nobody reads it any more, stops the run.

    Raises:
        FlowdbgError: As the debugger's verbs.
    """
    subscription = debugger.subscribe()
    observer = asyncio.create_task(_observe(subscription, report))
    observer.add_done_callback(lambda task: debugger.cancel() if task.exception() else None)
    interrupted = False

    def interrupt() -> None:
        nonlocal interrupted
        interrupted = True
        debugger.cancel()

    try:
        with caught(interrupt):
            try:
                await _run_all(debugger, options, lambda: interrupted)
            finally:
                subscription.close()
                await observer
    except FlowdbgError as error:
        report.end(debugger.session, code_of_error(error), error)
        raise
    code = code_of_session(debugger.session, interrupted=interrupted)
    if debugger.unsaved and code is ExitCode.END:
        code = ExitCode.NOT_SAVED
    report.end(debugger.session, code)
    return code


async def _run_all(
    debugger: Debugger, options: RunOptions, interrupted: Callable[[], bool]
) -> None:
    """Run, and start again as the options say when the plan went stale."""
    await _run_once(debugger, options, interrupted)
    for _ in range(MOST_STARTS - 1):
        stale = debugger.session.state is State.STALE
        if not stale or options.on_stale == "stop":
            return
        await (debugger.restart() if options.on_stale == "restart" else debugger.pin())
        if interrupted():
            return
        await _run_once(debugger, options, interrupted)


async def _run_once(
    debugger: Debugger, options: RunOptions, interrupted: Callable[[], bool]
) -> None:
    for step_id in _to_skip(debugger.session, options):
        if not _at(debugger.session, step_id):
            await debugger.run_to(step_id)
            if debugger.session.stop.reason is not StopReason.STEP:
                return
        await debugger.skip()
        if interrupted() or debugger.session.at_end:
            return
    if options.run_remaining:
        await debugger.run_to_end()
    elif not options.until:
        await debugger.continue_()
    elif not _at(debugger.session, options.until):
        await debugger.run_to(options.until)


def _to_skip(session: Session, options: RunOptions) -> Iterator[str]:
    """The steps to skip that lie ahead and before the goal, in the plan's order."""
    index_of = session.plan.index_of
    end = index_of(options.until) if options.until else None
    for index, step in enumerate(session.plan.steps[:end]):
        if index >= session.cursor and step.id in options.skip:
            yield step.id


def _at(session: Session, step_id: str) -> bool:
    step = session.plan.at(session.cursor)
    return step is not None and step.id == step_id


async def _observe(subscription: Subscription, report: Report) -> None:
    async for change in subscription:
        report.show(change)
