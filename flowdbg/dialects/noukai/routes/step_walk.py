"""The plan entries of one `/step` call while they stream (protocol sections 5 and 12)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from flowdbg.dialects.noukai.routes import frames
from flowdbg.dialects.noukai.routes.frames import EntryFrames
from flowdbg.dialects.noukai.routes.requests import StepRequest
from flowdbg.dialects.noukai.routes.resolving import refused_by_engine
from flowdbg.dialects.noukai.routes.tools import over_the_limit, pending_of
from flowdbg.dialects.operations import INTERNAL_ERROR, SERVER_STOPPING
from flowdbg.dialects.services import Call, Resolved, Services
from flowdbg.dialects.streams import FrameSink
from flowdbg.engine.errors import EngineError
from flowdbg.engine.events import (
    EngineEvent,
    EntryCompleted,
    EntryFailed,
    EntryPaused,
    TerminalEvent,
    Usage,
)

logger = logging.getLogger("flowdbg.server")

Events = AsyncGenerator[EngineEvent, None]


class StepWalk:
    """The plan entries of one call: checked before the answer begins, then streamed."""

    def __init__(
        self,
        services: Services,
        resolved: Resolved,
        asked: StepRequest,
        inputs: Mapping[str, Any],
        resume: Mapping[str, Any] | None,
    ) -> None:
        self._services = services
        self._resolved = resolved
        self._asked = asked
        self._inputs = inputs
        self._outputs = dict(asked.accumulated_outputs)
        self._overrides = dict(asked.input_overrides)
        self._usage = Usage()
        self._began = time.monotonic()
        self._call: Call | None = None
        self._frames: EntryFrames | None = None
        self._resume = resume
        # The engine checks the first entry here and now, and runs nothing before it is asked.
        try:
            self._first: Events | None = self._run(asked.step_index, resume)
        except EngineError as error:
            raise refused_by_engine(error) from error

    def begin(self, call: Call) -> None:
        """Take the run's record; the stream can be produced now."""
        self._call = call

    def farewell(self) -> bytes:
        """What ends the stream when the server stops."""
        error = {
            "code": SERVER_STOPPING,
            "message": "The server was stopped while the step ran.",
        }
        return self._frames.failed(error) if self._frames is not None else b""

    async def produce(self, sink: FrameSink) -> None:
        """Run the entries and write their frames."""
        assert self._call is not None
        call = self._call
        try:
            await self._walk(sink, call)
        except asyncio.CancelledError:
            call.abandon("interrupted" if self._services.stopping.begun else "cancelled")
            raise
        except Exception as error:
            logger.exception("a step failed inside the server", extra={"run_id": call.run_id})
            failure = {"code": INTERNAL_ERROR, "message": "The server met a fault of its own."}
            if isinstance(error, EngineError):
                failure = {"code": error.code, "message": str(error)}
            await self._fail(sink, call, EntryFailed((), failure))

    async def _walk(self, sink: FrameSink, call: Call) -> None:
        plan = self._resolved.plan
        indexes = indexes_of(self._asked, self._resolved)
        start = indexes.start
        sink.put(frames.run_started(self._resolved, call.run_id))
        for index in indexes:
            if index > start:
                sink.put(frames.step_progress(self._resolved, call.run_id, index - 1))
            terminal = await self._entry(sink, call, index, index - start)
            if isinstance(terminal, EntryPaused):
                terminal = over_the_limit(terminal) or terminal
            if isinstance(terminal, EntryPaused):
                await self._pause(sink, call, index, terminal)
                return
            if isinstance(terminal, EntryFailed):
                await self._fail(sink, call, terminal)
                return
            self._outputs[plan[index].step_id] = terminal.output
            # Inside one call the real output wins over an override (section 17.8).
            self._overrides.pop(plan[index].step_id, None)
            self._usage += terminal.usage
        if indexes.stop == len(plan):
            await call.close("completed")
            sink.put(frames.finished(call.run_id, self._final_outputs(), self._summary()))
        else:
            await call.close("paused")
            sink.put(frames.step_paused(self._resolved, call.run_id, start, 0))

    async def _entry(
        self, sink: FrameSink, call: Call, index: int, call_index: int
    ) -> TerminalEvent:
        """Run one entry; returns its terminal event, written unless it is a failure."""
        entry = self._resolved.plan[index]
        self._frames = EntryFrames(entry, call.run_id, call_index)
        call.enter(index, self._resume if index == self._asked.step_index else None)
        sink.put(self._frames.started())
        events, self._first = self._first or self._run(index), None
        async with contextlib.aclosing(events):
            async for event in events:
                call.note(event)
                if isinstance(event, TerminalEvent):
                    if isinstance(event, EntryCompleted):
                        await sink.send(self._frames.of(event))
                    return event
                if frame := self._frames.of(event):
                    await sink.send(frame)
        raise RuntimeError("the engine ended an entry without saying how")

    async def _pause(self, sink: FrameSink, call: Call, index: int, paused: EntryPaused) -> None:
        step_id = self._resolved.plan[index].step_id
        asked = self._asked
        pending = pending_of(paused, step_id, asked.tools, asked.tool_choice)
        await call.close("paused", pending=pending)
        sink.put(frames.paused_for_tools(step_id, call.run_id, index, paused, self._outputs))

    async def _fail(self, sink: FrameSink, call: Call, failure: EntryFailed) -> None:
        assert self._frames is not None
        error = frames.wire_error(failure.error)
        await call.close("failed", error={**error, "stepId": self._frames.step_id})
        sink.put(self._frames.of(failure))

    def _run(self, index: int, resume: Mapping[str, Any] | None = None) -> Events:
        return self._services.engine.run_entry(
            self._resolved.definition,
            index,
            outputs=self._outputs,
            initial=self._inputs,
            input_overrides=self._overrides,
            block_overrides=self._asked.block_overrides,
            tools=self._asked.tools,
            tool_choice=self._asked.tool_choice,
            resume=resume,
        )

    def _final_outputs(self) -> dict[str, Any]:
        """The outputs in the order of the plan, so that the last one is the flow's result."""
        plan = self._resolved.plan
        known = [entry.step_id for entry in plan if entry.step_id in self._outputs]
        rest = self._outputs.keys() - set(known)
        return {name: self._outputs[name] for name in [*sorted(rest), *known]}

    def _summary(self) -> dict[str, Any]:
        return {
            "status": "completed",
            "stepCount": len(self._resolved.plan),
            "durationMs": round((time.monotonic() - self._began) * 1000),
            "tokens": frames.tokens(self._usage),
            "costUsd": self._usage.cost_text,
        }


def indexes_of(asked: StepRequest, resolved: Resolved) -> range:
    """The plan entries that a request runs."""
    end = len(resolved.plan) if asked.run_remaining else asked.step_index + 1
    return range(asked.step_index, end)
