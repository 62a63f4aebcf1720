"""Runs while they are served: their records, written from what the engine tells.

A run's record is durable before the first event leaves. What a call did is written when the call
ends, in one transaction with the run's new status; after each finished plan entry as well, so that
a killed server leaves the finished steps of a long run.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flowdbg.dialects.services import CallEnd, RunStart
from flowdbg.engine.events import EngineEvent, OutputChunk
from flowdbg.engine.plan import PlanEntry
from flowdbg.server.metrics import Metrics
from flowdbg.server.recorder import EntryRecorder
from flowdbg.server.storage import runs
from flowdbg.server.storage.database import Database
from flowdbg.server.storage.runs import NewRun, NewStep, to_text

logger = logging.getLogger("flowdbg.server")

_CUT_SHORT: Mapping[CallEnd, str] = {
    "cancelled": "The client went away while the step ran.",
    "interrupted": "The server was stopped while the step ran.",
}

FULL = "full"
METADATA_ONLY = "metadata_only"


class RunBook:
    """Begins and records runs; implements `flowdbg.dialects.services.Runs`."""

    def __init__(self, database: Database, metrics: Metrics) -> None:
        self._database = database
        self._metrics = metrics

    async def initial(self, flow_id: str, run_id: str) -> Mapping[str, Any] | None:
        """What a run of this flow was started with; None when there is no such run."""
        row = await self._database.read(lambda connection: runs.find_run(connection, run_id))
        return None if row is None or row.flow_id != flow_id else row.initial

    async def begin(self, start: RunStart) -> RecordedCall:
        """Write the run's record; it is durable when this returns."""
        capture = FULL if start.full_capture else METADATA_ONLY
        run_id = start.run_id or str(uuid.uuid4())
        owner = self._database.owner
        resolved = start.resolved
        if start.run_id is None:
            new = NewRun(
                id=run_id,
                flow_id=resolved.flow_id,
                version=resolved.version,
                plan_hash=resolved.plan_hash,
                trigger_type=start.trigger,
                capture=capture,
                initial=start.initial,
                step_count=len(resolved.plan),
                session_id=start.session_id,
            )
            await self._database.write(lambda connection: runs.start_run(connection, new, owner))
        else:
            initial = None if start.keep_initial else start.initial
            await self._database.write(
                lambda connection: runs.continue_run(
                    connection,
                    run_id,
                    owner,
                    version=resolved.version,
                    plan_hash=resolved.plan_hash,
                    initial=initial,
                )
            )
        self._metrics.call_began()
        return RecordedCall(self._database, self._metrics, run_id, full=start.full_capture)


class RecordedCall:
    """One call of a run; implements `flowdbg.dialects.services.Call`."""

    def __init__(self, database: Database, metrics: Metrics, run_id: str, *, full: bool) -> None:
        self._database = database
        self._metrics = metrics
        self._full = full
        self._steps: list[NewStep] = []
        self._recorder: EntryRecorder | None = None
        self._closed = False
        self.run_id = run_id
        """The run's id."""

    def enter(self, entry: PlanEntry) -> None:
        """Begin to record a plan entry; the one before it is over."""
        self._leave()
        self._flush()
        self._recorder = EntryRecorder(entry, full=self._full)

    def note(self, event: EngineEvent) -> None:
        """Record what one of the entry's events tells."""
        if self._recorder is not None and not isinstance(event, OutputChunk):
            self._recorder.note(event)

    async def close(self, end: CallEnd, error: Mapping[str, Any] | None = None) -> None:
        """Write what the call did and how it ended; durable when this returns."""
        if not self._closed:
            await self._write_end(end, error)

    def abandon(self, end: CallEnd) -> None:
        """Have the call's end written without waiting."""
        if not self._closed:
            self._write_end(end, None).add_done_callback(_log_failure)

    def _write_end(self, end: CallEnd, error: Mapping[str, Any] | None) -> asyncio.Future[None]:
        self._closed = True
        self._leave()
        steps, self._steps = self._steps, []
        if end in _CUT_SHORT:
            steps = [_cut_short(step, end) for step in steps]
        self._metrics.call_ended(end)
        return self._database.write(
            lambda connection: runs.close_call(connection, self.run_id, end, steps, error)
        )

    def _leave(self) -> None:
        if self._recorder is not None:
            self._steps += self._recorder.steps()
            self._recorder = None

    def _flush(self) -> None:
        """Have the finished entries written; the writer keeps the order."""
        if not self._steps:
            return
        steps, self._steps = self._steps, []
        self._database.write(
            lambda connection: runs.close_call(connection, self.run_id, "running", steps)
        ).add_done_callback(_log_failure)


def _cut_short(step: NewStep, end: CallEnd) -> NewStep:
    """A step that was running when its call was cut short has failed."""
    if step.status != "running":
        return step
    error = to_text({"code": end.upper(), "message": _CUT_SHORT[end]})
    return replace(step, status="failed", error=error)


def _log_failure(written: asyncio.Future[None]) -> None:
    if not written.cancelled() and (error := written.exception()) is not None:
        logger.error("a run's record could not be written", extra={"reason": str(error)})
