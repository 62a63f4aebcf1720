"""Runs while they are served: their records, written from what the engine tells.

A run's record is durable before the first event leaves. What a call did is written when the call
ends, in one transaction with the run's new status; after each finished plan entry as well, so that
a killed server leaves the finished steps of a long run.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flowdbg.core.json_text import JsonText
from flowdbg.dialects.records import (
    CallEnd,
    Capture,
    RunRecord,
    RunStatus,
    StepNote,
    kept_error,
)
from flowdbg.dialects.services import PauseTaken, RunStart
from flowdbg.engine.events import EngineEvent, OutputChunk
from flowdbg.engine.plan import PlanEntry
from flowdbg.server.followers import Followers
from flowdbg.server.metrics import Metrics
from flowdbg.server.recorder import EntryRecorder, usage_in
from flowdbg.server.storage import runs
from flowdbg.server.storage.database import Database
from flowdbg.server.storage.runs import CallOutcome, NewRun
from flowdbg.server.storage.steps import to_text

logger = logging.getLogger("flowdbg.server")

_CUT_SHORT: Mapping[CallEnd, str] = {
    "cancelled": "The client went away while the step ran.",
    "interrupted": "The server was stopped while the step ran.",
}


class RunBook:
    """Begins and records runs; implements `flowdbg.dialects.services.Runs`."""

    def __init__(self, database: Database, metrics: Metrics) -> None:
        self.database = database
        self.metrics = metrics
        self.serving: dict[str, RecordedCall] = {}
        """The calls that are being served by this process, by run id; the latest of each run."""

    async def find(self, flow_id: str, run_id: str) -> RunRecord | None:
        """A run of a flow; None when the flow has no such run."""
        record = await self.database.read(lambda connection: runs.find_run(connection, run_id))
        return None if record is None or record.flow_id != flow_id else record

    async def begin(self, start: RunStart) -> RecordedCall:
        """Write the run's record; it is durable when this returns.

        Raises:
            PauseTaken: The run is not as `start.after` says any more, or is being served.
        """
        owner = self.database.owner
        if start.run_id is None:
            new = new_run(start)
            await self.database.write(lambda connection: runs.start_run(connection, new, owner))
            return self._call(new.id, start)
        goes_on = await self.database.write(
            lambda connection: runs.continue_run(connection, start, owner)
        )
        if start.after is not None and not goes_on:
            raise PauseTaken(f"The pause of the run {start.run_id} is answered already.")
        return self._call(start.run_id, start)

    def _call(self, run_id: str, start: RunStart) -> RecordedCall:
        self.metrics.call_began()
        call = RecordedCall(self, run_id, start)
        self.serving[run_id] = call
        return call


_TOGETHER_SECONDS = 0.1
"""How long a finished entry of a queued run waits for the next ones to be written with."""


class RecordedCall:
    """One call of a run; implements `flowdbg.dialects.services.Call`."""

    def __init__(self, book: RunBook, run_id: str, start: RunStart) -> None:
        self._book = book
        self._database = book.database
        self._resolved = start.resolved
        self._capture = capture_of(start)
        self._fetched_later = start.trigger == "job"
        self._recorder: EntryRecorder | None = None
        self._closed = False
        self._due: asyncio.TimerHandle | None = None
        self.run_id = run_id
        """The run's id."""
        self.followers = Followers()
        """Who is told what happens."""
        self.unwritten: list[StepNote] = []
        """What has ended and is not on its way to the database yet."""
        self.index: int | None = None
        """The plan entry that runs."""

    def enter(self, index: int, resume: Mapping[str, Any] | None = None) -> None:
        """Begin to record a plan entry; the one before it is over."""
        self._leave()
        if self._fetched_later:
            self._flush_soon()
        else:
            self._flush()
        self.index = index
        entry = self.entry(index)
        self._recorder = EntryRecorder(entry, self._capture, usage_in(resume))
        self.followers.entered(index, entry)

    def entry(self, index: int) -> PlanEntry:
        """An entry of the plan that is played."""
        return self._resolved.plan[index]

    def note(self, event: EngineEvent) -> None:
        """Record what one of the entry's events tells."""
        if self._recorder is not None and not isinstance(event, OutputChunk):
            self._recorder.note(event)
        if self.followers:
            self.followers.tell(event)

    def under_way(self) -> list[StepNote]:
        """What has ended and is not on its way to the database yet, and what runs."""
        return [*self.unwritten, *(self._recorder.steps() if self._recorder else ())]

    def leave(self) -> list[StepNote]:
        """End the recording of the entry that runs; what it and its blocks left behind."""
        before = len(self.unwritten)
        self._leave()
        return self.unwritten[before:]

    def add(self, notes: Sequence[StepNote]) -> None:
        """Take over what an entry left behind that was played before a crash."""
        self.unwritten += notes

    async def close(
        self,
        end: CallEnd,
        *,
        error: Mapping[str, Any] | None = None,
        pending: Mapping[str, Any] | None = None,
        result: JsonText | None = None,
    ) -> None:
        """Write what the call did and how it ended; durable when this returns."""
        if not self._closed:
            text = None if result is None else result.text
            if error is not None and not self._fetched_later:
                error = kept_error(error, self._capture)
            await self._write_end(CallOutcome(end, error, pending, text), end)

    def abandon(self, end: CallEnd) -> None:
        """Have the call's end written without waiting."""
        if not self._closed:
            error = {"code": end.upper(), "message": _CUT_SHORT.get(end, "The call was given up.")}
            self._write_end(CallOutcome(end, error), end).add_done_callback(self._log_failure)

    def suspend(self) -> None:
        """Leave the run as it is, to be gone on with later; what has ended is written."""
        if not self._closed:
            self._closed = True
            self._flush()
            self._over("interrupted")

    def _over(self, end: CallEnd) -> None:
        self._book.metrics.call_ended(end)
        if self._book.serving.get(self.run_id) is self:
            del self._book.serving[self.run_id]
        self.followers.end()

    def _write_end(self, outcome: CallOutcome, end: CallEnd) -> asyncio.Future[None]:
        self._closed = True
        self._leave()
        steps, self.unwritten = self.unwritten, []
        if end != "paused":
            error = outcome.error and kept_error(outcome.error, self._capture)
            steps = [_over(step, error) for step in steps]
        run_id = self.run_id
        written = self._database.write(
            lambda connection: runs.close_call(connection, run_id, outcome, steps)
        )
        self._over(end)
        return written

    def _leave(self) -> None:
        self.index = None
        if self._recorder is not None:
            self.unwritten += self._recorder.steps()
            self._recorder = None

    def _flush_soon(self) -> None:
        """Have entries that follow closely written together; a queued run keeps them as well."""
        if self._due is None:
            loop = asyncio.get_running_loop()
            self._due = loop.call_later(_TOGETHER_SECONDS, self._flush)

    def _flush(self) -> None:
        """Have the finished entries written; the writer keeps the order."""
        self._due = None
        if self.unwritten:
            steps, self.unwritten = self.unwritten, []
            self._database.write(
                lambda connection: runs.write_steps(connection, self.run_id, steps)
            ).add_done_callback(self._log_failure)

    def _log_failure(self, written: asyncio.Future[None]) -> None:
        if not written.cancelled() and (error := written.exception()) is not None:
            told = {"run_id": self.run_id, "reason": str(error)}
            logger.error("a run's record could not be written", extra=told)


def new_run(start: RunStart, status: RunStatus = "running") -> NewRun:
    """The record that a new run begins with."""
    resolved = start.resolved
    return NewRun(
        id=str(uuid.uuid4()),
        flow_id=resolved.flow_id,
        version=resolved.version,
        plan_hash=resolved.plan_hash,
        trigger=start.trigger,
        capture=capture_of(start),
        initial=start.initial,
        step_count=len(resolved.plan),
        session_id=start.session_id,
        status=status,
    )


def capture_of(start: RunStart) -> Capture:
    """How much a call keeps: everything when it was asked to, else what the flow says."""
    return "full" if start.full_capture else start.resolved.capture


def _over(step: StepNote, error: Mapping[str, Any] | None) -> StepNote:
    """A step that was running when its run ended has failed, with what ended the run."""
    if step.status != "running":
        return step
    return replace(step, status="failed", error=None if error is None else to_text(error))
