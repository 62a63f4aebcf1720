"""The debugger: one session, one target, and the verbs that people and programs give.

It owns the one running turn: a second running verb is refused, never started beside the first.
Verbs that run something return when the debugger has stopped; `session.stop` says why.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from flowdbg.core import rules
from flowdbg.core.entries import (
    Body,
    CommandGiven,
    ExecutionLost,
    ForkReason,
    Outcome,
    PlanLoaded,
    PlanWentStale,
    SessionOpened,
    Stopped,
    StopReason,
    ToolAnswered,
    TurnEnded,
)
from flowdbg.core.json_text import JsonText
from flowdbg.core.plan import Plan
from flowdbg.core.requests import next_request
from flowdbg.core.session import Session
from flowdbg.core.tool_calls import ToolCall, content_of
from flowdbg.debugger.journal import Journal, Subscription
from flowdbg.debugger.moving import MovingVerbs
from flowdbg.debugger.reopening import close_left_open, stored_session
from flowdbg.debugger.stops import stop_after
from flowdbg.debugger.turn import TurnRunner
from flowdbg.debugger.waiting import GivenUp
from flowdbg.dialects.target import Call, Target
from flowdbg.errors import (
    NoSuchStep,
    NotSaved,
    RunLost,
    UsageError,
)
from flowdbg.store import SessionStore

ToolHandler = Callable[[ToolCall], Coroutine[Any, Any, JsonText]]
"""Answers a tool call; never raises for what the tool does."""


_PATIENCE = 5.0
"""Seconds that a running verb has to write its end when the debugger is closed."""


class Debugger(MovingVerbs):
    """One debugging session: verbs in, changes out (`subscribe`)."""

    def __init__(self, target: Target, journal: Journal) -> None:
        self.tool_handler: ToolHandler | None = None
        """Answers tool calls by itself; without one the session stops and a person does."""
        self.tool_rounds = 10
        """How often the handler is asked for one step, before the session stops."""
        self.profile = ""
        """How the person calls the server; empty where it is known by its URL alone."""
        self.is_production = False
        """Whether the server is one where a mistake costs: front-ends show and ask then."""
        super().__init__(target, journal)
        self._turn: TurnRunner | None = None
        self._stopped = Stopped(StopReason.USER)

    @classmethod
    async def start(
        cls,
        target: Target,
        store: SessionStore | None,
        opened: SessionOpened,
        plan: Plan | None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> Debugger:
        """Begin a new session on a plan (None where the server tells none), before step 0.

        Raises:
            NotSaved: The session could not be written at all.
        """
        journal = Journal(store, Session(), clock)
        first: list[Body] = [opened, PlanLoaded(plan or Plan(version=opened.pinned))]
        await journal.write(*first, Stopped(StopReason.START), before_sending=True)
        return cls(target, journal)

    @classmethod
    async def resume(
        cls,
        target: Target,
        store: SessionStore,
        *,
        read_only: str = "",
        clock: Callable[[], float] = time.time,
    ) -> Debugger:
        """Go on with a stored session where it stood; with `read_only`, only look at it.

        A turn that was under way when the process died is marked: its outcome is unknown.

        Raises:
            SessionUnreadable: The log is damaged, or has entries that this version does not know;
                nothing was written.
        """
        session = stored_session(store, target.decode)
        debugger = cls(target, Journal(store, session, clock, read_only=read_only))
        left_open = close_left_open(session)
        if left_open and not read_only:
            await debugger._journal.write(*left_open)
        return debugger

    @property
    def target(self) -> Target:
        """What the session talks to."""
        return self._target

    @property
    def unsaved(self) -> str:
        """Why the newest entries are not on disk; empty when all are."""
        return self._journal.unsaved

    @property
    def read_only(self) -> str:
        """Who holds the session, when this debugger may only look at it; else empty."""
        return self._journal.read_only

    def subscribe(self) -> Subscription:
        """Observe the session: a snapshot first, then every change in order."""
        return self._journal.subscribe()

    def preview(self, *, run_remaining: bool = False) -> Call:
        """The exact call that the next turn would make; it carries no credentials."""
        return self._target.prepare(next_request(self.session, run_remaining=run_remaining))

    async def step(self) -> None:
        """Run the step at the cursor.

        Raises:
            BusyError: A turn is running.
            UsageError: There is nothing to step (see `rules.refusal`).
            NotSaved: The command could not be saved, so it was not sent.
        """
        async with self._running("step"):
            await self._run_turn()

    async def continue_(self) -> None:
        """Run step after step until something stops it: a breakpoint, an error, the end.

        Raises:
            BusyError, UsageError, NotSaved: As `step`.
        """
        async with self._running("continue"):
            await self._run_steps(lambda: False)

    async def run_to(self, step_id: str) -> None:
        """Run step after step and stop before the step named.

        Raises:
            BusyError, UsageError, NotSaved: As `step`; also when the step does not lie ahead.
        """
        async with self._running("run to", step_id):
            index = self.session.plan.index_of(step_id)
            assert index is not None
            await self._run_steps(lambda: self.session.cursor >= index)

    async def run_to_end(self) -> None:
        """Run all remaining steps in one call.

        Steps up to the last one whose output is edited before it ran are taken one by one, because
        within one call a server does not let the edit win.

        Raises:
            BusyError, UsageError, NotSaved: As `step`.
        """
        async with self._running("run to end"):
            for _ in range(rules.blind_edits(self.session)):
                if not await self._advanced():
                    return
            await self._run_turn(run_remaining=True)

    async def retry(self) -> None:
        """Run the last step again: in place when it did not end well, else on a new branch.

        Raises:
            BusyError, UsageError, NotSaved: As `step`.
        """
        async with self._running("retry"):
            index = rules.retry_index(self.session)
            assert index is not None
            if index < self.session.cursor:
                await self._journal.write(self._fork(index, ForkReason.RETRY))
            await self._run_turn(afresh=True)

    def cancel(self) -> None:
        """Close the running stream, or give up what else a verb waits for; nothing further runs.

        Does nothing when nothing runs.
        """
        self._place.cancelled = True
        self._waiting.give_up()
        if self._turn:
            self._turn.cancel()

    async def close(self) -> None:
        """Cancel what runs, close the connections and the session's file."""
        self.cancel()
        with suppress(TimeoutError):  # a disk may not answer
            await asyncio.wait_for(self._place.free(), _PATIENCE)
        await self._target.aclose()
        await self._journal.close()

    def _check_ahead(self, step_id: str) -> None:
        plan = self.session.plan
        index = plan.index_of(step_id)
        if index is None and not plan.told:
            raise UsageError(
                f"The server tells no plan, so nothing is known of '{step_id}' before it runs.",
                "Step until it has run, or run without a goal.",
            )
        if index is None:
            known = ", ".join(step.id for step in plan.steps)
            raise UsageError(f"The plan has no step '{step_id}'.", f"It has: {known}.")
        if index <= self.session.cursor:
            raise UsageError(
                f"'{step_id}' does not lie ahead.", "Fork from it or restart to get there."
            )

    @asynccontextmanager
    async def _running(self, verb: str, step_id: str = "") -> AsyncIterator[None]:
        """Hold the one place of a running verb; it ends with a stop whatever happens."""
        async with self._place.hold(verb, runs=True):
            self._check(verb)
            if verb == "run to":
                self._check_ahead(step_id)
            self._stopped = Stopped(StopReason.USER, "interrupted")
            try:
                async with self._in_order:  # behind the edits given before it
                    await self._journal.write(CommandGiven(verb, step_id), before_sending=True)
                if self._place.cancelled:
                    self._stopped = Stopped(StopReason.USER, "cancelled before anything was sent")
                yield
            except NotSaved as error:
                self._stopped = Stopped(StopReason.SERVER, f"nothing was sent: {error}")
                raise
            finally:
                self._turn = None
                if self.session.verb:  # the command itself may not have been saved
                    await asyncio.shield(self._stop())

    async def _stop(self) -> None:
        self._place.ending()
        ended: list[Body] = []
        if self.session.running:
            outcome = Outcome.CANCELLED if self._place.cancelled else Outcome.UNKNOWN
            ended.append(TurnEnded(self.session.running.number, outcome))
        await self._journal.write(*ended, self._stopped)
        await self._journal.checkpoint()

    async def _run_turn(self, *, run_remaining: bool = False, afresh: bool = False) -> Outcome:
        """One turn, and as many more as the tool handler has answers for."""
        outcome = await self._one_turn(run_remaining, afresh)
        for _ in range(self.tool_rounds):
            if outcome is not Outcome.TOOL_CALLS or self.tool_handler is None:
                return outcome
            for call in self.session.branch.unanswered:
                asked = ToolCall.of(call)
                try:
                    result = await self._waiting.on(self.tool_handler(asked))
                except GivenUp:
                    return outcome
                answered = ToolAnswered(asked.id, content_of(result), "handler")
                await self._journal.write(answered)
            outcome = await self._one_turn(run_remaining, afresh=False)
        if outcome is Outcome.TOOL_CALLS and self.tool_handler:
            detail = f"the handler was asked {self.tool_rounds} times; answer by hand or retry"
            self._stopped = dataclasses.replace(self._stopped, detail=detail)
        return outcome

    async def _one_turn(self, run_remaining: bool, afresh: bool) -> Outcome:
        self._turn = TurnRunner(self._journal, self._target)
        if self._place.cancelled:
            return Outcome.CANCELLED
        outcome = await self._turn.run(run_remaining=run_remaining, afresh=afresh)
        if self._turn.stale_plan is not None:
            detail = self.session.turns[-1].what
            await self._journal.write(PlanWentStale(self._turn.stale_plan, detail))
        if isinstance(self._turn.error, NoSuchStep) and not self.session.plan.told:
            ended = dataclasses.replace(self.session.plan, count=self.session.cursor)
            await self._journal.write(PlanLoaded(ended))
        if isinstance(self._turn.error, RunLost):
            await self._journal.write(ExecutionLost(self.session.branch.execution_id))
        self._stopped = stop_after(self.session, outcome, self._turn.error)
        return outcome

    async def _run_steps(self, arrived: Callable[[], bool]) -> None:
        """Step until a turn does not pause, the goal or a breakpoint is next, or on cancel."""
        while await self._advanced():
            step_id = self._next_id()
            if arrived():
                self._stopped = Stopped(StopReason.STEP, "", step_id)
            elif self._breakpoint_at(step_id):
                self._stopped = Stopped(StopReason.BREAKPOINT, "", step_id)
            else:
                continue
            return

    async def _advanced(self) -> bool:
        """Run a step; whether another may follow by itself, which the same one never may."""
        before = self.session.cursor
        if await self._run_turn() is not Outcome.PAUSED or self.session.at_end:
            return False
        step_id = self._next_id()
        if self.session.cursor <= before:
            what = "the server paused without going on"
            self._stopped = Stopped(StopReason.SERVER, what, step_id)
        elif self._place.cancelled:
            self._stopped = Stopped(StopReason.USER, "cancelled between two steps", step_id)
        else:
            return True
        return False

    def _next_id(self) -> str:
        step = self.session.plan.at(self.session.cursor)
        return step.id if step else ""

    def _breakpoint_at(self, step_id: str) -> bool:
        point = self.session.breakpoints.get(step_id)
        return point is not None and point.enabled
