"""One turn: save the command, send it once, save and fold what comes back, and say how it ended.

TurnStarted ── sent ── EventReceived… ── TurnEnded
     │                       └─ every event is on disk before anybody sees it
     └─ on disk before the request leaves; nothing is ever sent twice
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from flowdbg.core.entries import EventReceived, Outcome, TurnEnded, TurnStarted
from flowdbg.core.plan import Plan
from flowdbg.core.requests import next_request
from flowdbg.debugger.inbox import Inbox
from flowdbg.debugger.journal import Journal
from flowdbg.debugger.waiting import GivenUp, Waiting
from flowdbg.dialects.target import Call, Target
from flowdbg.errors import (
    ConnectionFailed,
    Interrupted,
    Refused,
    ServerFailed,
    StalePlan,
    TargetError,
)

GRACE = 1.0
"""Seconds to wait for the server to close a stream after the event that ends the turn."""


class TurnRunner:
    """Runs one turn of a session; made for each turn, used once."""

    def __init__(self, journal: Journal, target: Target) -> None:
        self._journal = journal
        self._target = target
        self._inbox = Inbox()
        self._waiting = Waiting()
        self._cancelled = False
        self._pump: asyncio.Task[None] | None = None
        self.error: TargetError | None = None
        """What went wrong; None when nothing did."""
        self.stale_plan: Plan | None = None
        """The plan as the server has it now, when the turn ended because it changed."""

    def cancel(self) -> None:
        """Close the stream; what came so far stays."""
        self._cancelled = True
        self._waiting.give_up()
        self._stop_receiving()
        self._inbox.close()

    async def run(self, *, run_remaining: bool, afresh: bool = False) -> Outcome:
        """Send the session's next request and see it through; `afresh` as in `next_request`.

        Raises:
            NotSaved: The command could not be saved, so it was not sent.
        """
        session = self._journal.session
        request = next_request(session, run_remaining=run_remaining, afresh=afresh)
        call = self._target.prepare(request)
        number = len(session.turns) + 1
        started = TurnStarted(number, session.cursor, run_remaining, call.route, call.body)
        await self._journal.write(started, before_sending=True)
        clock = time.monotonic()
        self._pump = asyncio.create_task(self._receive(call))
        if self._cancelled:
            self._stop_receiving()
        try:
            await self._fold_events(number)
        finally:
            self._stop_receiving()
            with suppress(asyncio.CancelledError):
                await self._pump
        outcome = await self._outcome()
        elapsed = time.monotonic() - clock
        await self._journal.write(self._ending(number, outcome, elapsed))
        return outcome

    def _stop_receiving(self) -> None:
        """End the reader, once: a second cancel would interrupt the closing of the connection."""
        if self._pump and not self._pump.cancelling():
            self._pump.cancel()

    async def _receive(self, call: Call) -> None:
        """Put the events of the answer into the inbox, as fast as it takes them."""
        try:
            async with self._target.stream(call) as events:
                async for batch in events:
                    await self._inbox.put(batch)
        except TargetError as error:
            self.error = error
        finally:
            self._inbox.close()

    async def _fold_events(self, number: int) -> None:
        deadline: float | None = None
        while True:
            timeout = None if deadline is None else max(0.0, deadline - time.monotonic())
            try:
                events = await asyncio.wait_for(self._inbox.take(), timeout)
            except TimeoutError:
                return
            if not events:
                return
            await self._journal.write(*(EventReceived(number, event) for event in events))
            turn = self._journal.session.running
            assert turn is not None
            if turn.surprise:
                return
            if turn.terminal is not None and deadline is None:
                deadline = time.monotonic() + GRACE

    async def _outcome(self) -> Outcome:
        turn = self._journal.session.running
        assert turn is not None
        if turn.surprise:
            self.error = None
            await self._look_at_plan(None)
            return Outcome.STALE
        if turn.terminal is not None:
            self.error = None
            return turn.terminal
        if self._cancelled:
            return Outcome.CANCELLED
        match self.error:
            case None:
                self.error = Interrupted(
                    "The stream ended before the server said how the step went.",
                    "Look at what it did, then run it again or restart.",
                )
                return Outcome.UNKNOWN
            case StalePlan():
                await self._look_at_plan(self.error)
                return Outcome.STALE
            case ConnectionFailed():
                return Outcome.NOT_SENT
            case ServerFailed() if self.error.status != 503:
                return Outcome.UNKNOWN
            case Refused():
                return Outcome.REFUSED
            case _:
                return Outcome.UNKNOWN

    async def _look_at_plan(self, error: StalePlan | None) -> None:
        """Find out what the plan is now: ask the server, else read it off its refusal."""
        session = self._journal.session
        if not self._cancelled:
            with suppress(TargetError, GivenUp):
                self.stale_plan = await self._waiting.on(self._target.fetch_plan(session.pinned))
        if self.stale_plan is None:
            self.stale_plan = self._target.plan_of(error.detail) if error else self._told_plan()

    def _told_plan(self) -> Plan:
        """What the turn's own events tell of the plan that the server has now."""
        turn = self._journal.session.running
        assert turn is not None
        return Plan(version=turn.version, hash=turn.plan_hash)

    def _ending(self, number: int, outcome: Outcome, elapsed: float) -> TurnEnded:
        error = self.error
        turn = self._journal.session.running
        what = error.what if error else (turn.surprise if turn else "")
        return TurnEnded(
            number,
            outcome,
            elapsed,
            what=what,
            next_step=error.next_step if error else "",
            code=error.code if isinstance(error, Refused) else "",
            tail=error.tail if isinstance(error, Interrupted) else "",
        )
