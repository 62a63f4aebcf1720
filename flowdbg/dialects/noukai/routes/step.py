"""`POST …[/v{n}]/step`: run one plan entry, or the rest, as a stream of events.

Stateless but for the run's record (protocol sections 4, 5 and 12): the client owns the cursor and
the outputs, the record only remembers what the run was started with.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from starlette.requests import Request

from flowdbg.dialects.noukai import wire
from flowdbg.dialects.noukai.routes import frames
from flowdbg.dialects.noukai.routes.frames import EntryFrames
from flowdbg.dialects.noukai.routes.requests import (
    StepRequest,
    published_version_of,
    read_request,
    session_of,
)
from flowdbg.dialects.noukai.routes.resolving import (
    check_index,
    check_outputs,
    flow_inputs,
    refused_by_engine,
    resolve,
)
from flowdbg.dialects.operations import INTERNAL_ERROR, Refusal, json_body
from flowdbg.dialects.services import Call, Resolved, RunStart, Services
from flowdbg.dialects.streams import EventStream, FrameSink
from flowdbg.engine.errors import EngineError
from flowdbg.engine.events import (
    EngineEvent,
    EntryCompleted,
    EntryFailed,
    TerminalEvent,
    Usage,
)

logger = logging.getLogger("flowdbg.server")

Events = AsyncGenerator[EngineEvent, None]


class StepRoute:
    """Serves `/step`."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def post(self, request: Request) -> EventStream:
        """Answer `POST …/step`.

        Raises:
            Refusal: Everything that can be found wrong before the step runs.
        """
        version = published_version_of(request)
        body = await json_body(request, self._services.max_body)
        asked = read_request(StepRequest, body)
        resolved = await resolve(self._services.flows, request, version)
        check_outputs(resolved, asked.accumulated_outputs)
        check_index(resolved, asked.step_index)
        initial, keep = await self._initial(asked, resolved)
        inputs = flow_inputs(resolved, initial, first=asked.step_index == 0)
        walk = StepWalk(self._services, resolved, asked, inputs)
        call = await self._services.runs.begin(
            RunStart(
                resolved,
                "step",
                initial,
                run_id=asked.execution_id,
                keep_initial=keep,
                session_id=session_of(request),
                full_capture=asked.trace,
            )
        )
        walk.begin(call)
        return EventStream(
            walk.produce,
            stopping=self._services.stopping,
            heartbeat=self._services.heartbeat,
            ping=wire.PING,
            farewell=walk.farewell,
        )

    async def _initial(
        self, asked: StepRequest, resolved: Resolved
    ) -> tuple[Mapping[str, Any], bool]:
        """What the run was started with, and whether its record already says so.

        At step 0 the request wins, later the record does; a run that nobody remembers is known by
        what the request carries (sections 12.9 and 17.5).
        """
        carried: dict[str, Any] = {
            "message": asked.message,
            "parameters": asked.parameters,
            "attachments": asked.attachments,
        }
        if asked.execution_id is None:
            return carried, False
        known = await self._services.runs.initial(resolved.flow_id, asked.execution_id)
        if known is None:
            raise Refusal(
                404,
                wire.RUN_NOT_FOUND,
                "This flow has no run with that `executionId`. Send `message` and `parameters`"
                " without an `executionId` to begin a new one; the outputs so far stay good.",
            )
        if asked.step_index == 0 and (asked.message is not None or asked.parameters):
            return carried, False
        return known, True


class StepWalk:
    """The plan entries of one call: checked before the answer begins, then streamed."""

    def __init__(
        self,
        services: Services,
        resolved: Resolved,
        asked: StepRequest,
        inputs: Mapping[str, Any],
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
        # The engine checks the first entry here and now, and runs nothing before it is asked.
        try:
            self._first: Events | None = self._run(asked.step_index)
        except EngineError as error:
            raise refused_by_engine(error) from error

    def begin(self, call: Call) -> None:
        """Take the run's record; the stream can be produced now."""
        self._call = call

    def farewell(self) -> bytes:
        """What ends the stream when the server stops."""
        error = {
            "code": wire.SERVER_STOPPING,
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
        start = self._asked.step_index
        end = len(plan) if self._asked.run_remaining else start + 1
        sink.put(frames.run_started(self._resolved, call.run_id))
        for index in range(start, end):
            if index > start:
                sink.put(frames.step_progress(self._resolved, call.run_id, index - 1))
            terminal = await self._entry(sink, call, index, index - start)
            if not isinstance(terminal, EntryCompleted):
                await self._fail(sink, call, terminal)
                return
            self._outputs[plan[index].step_id] = terminal.output
            # Inside one call the real output wins over an override (section 17.8).
            self._overrides.pop(plan[index].step_id, None)
            self._usage += terminal.usage
        if end == len(plan):
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
        call.enter(entry)
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

    async def _fail(self, sink: FrameSink, call: Call, terminal: TerminalEvent) -> None:
        assert self._frames is not None
        error = terminal.error if isinstance(terminal, EntryFailed) else {}
        await call.close("failed", error)
        sink.put(self._frames.of(terminal))

    def _run(self, index: int) -> Events:
        return self._services.engine.run_entry(
            self._resolved.definition,
            index,
            outputs=self._outputs,
            initial=self._inputs,
            input_overrides=self._overrides,
            block_overrides=self._asked.block_overrides,
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
