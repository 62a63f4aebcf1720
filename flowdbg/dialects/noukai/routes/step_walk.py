"""The plan entries of one `/step` call while they stream (protocol sections 5 and 12)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable
from typing import Any

from flowdbg.dialects.noukai import wire
from flowdbg.dialects.noukai.routes import frames
from flowdbg.dialects.noukai.routes.frames import EntryFrames
from flowdbg.dialects.noukai.routes.tools import over_the_limit, pending_of
from flowdbg.dialects.operations import INTERNAL_ERROR, SERVER_STOPPING, UNAVAILABLE
from flowdbg.dialects.playing import Play, play_entry
from flowdbg.dialects.services import Call, Services
from flowdbg.dialects.streams import FrameSink
from flowdbg.engine.errors import EngineError
from flowdbg.engine.events import (
    EngineEvent,
    EntryFailed,
    EntryPaused,
    TerminalEvent,
    Usage,
)
from flowdbg.errors import StoreError

logger = logging.getLogger("flowdbg.server")


class StepWalk:
    """The plan entries of one call; `play` has the first one checked already."""

    def __init__(self, services: Services, play: Play, indexes: range, call: Call) -> None:
        self._services = services
        self._play = play
        self._resolved = play.resolved
        self._indexes = indexes
        self._call = call
        self._usage = Usage()
        self._began = time.monotonic()
        self._frames: EntryFrames | None = None

    def farewell(self) -> bytes:
        """What ends the stream when the server stops."""
        error = {
            "code": SERVER_STOPPING,
            "message": "The server was stopped while the step ran.",
        }
        return self._frames.failed(error) if self._frames is not None else b""

    async def produce(self, sink: FrameSink) -> None:
        """Run the entries and write their frames."""
        call = self._call
        try:
            await self._walk(sink, call)
        except asyncio.CancelledError:
            call.abandon("interrupted" if self._services.stopping.begun else "cancelled")
            raise
        except StoreError as error:  # the end cannot be written; what ran is told all the same
            told = {"run_id": call.run_id, "reason": str(error)}
            logger.error("the end of a step could not be written", extra=told)
            assert self._frames is not None
            sink.put(self._frames.failed({"code": UNAVAILABLE, "message": str(error)}))
        except EngineError as error:  # a later entry of this call cannot be run
            await self._fail(
                sink, call, EntryFailed((), {"code": error.code, "message": str(error)})
            )
        except Exception:
            logger.exception("a step failed inside the server", extra={"run_id": call.run_id})
            failure = {"code": INTERNAL_ERROR, "message": "The server met a fault of its own."}
            await self._fail(sink, call, EntryFailed((), failure))

    async def _walk(self, sink: FrameSink, call: Call) -> None:
        resolved, indexes = self._resolved, self._indexes
        start = indexes.start
        count = len(resolved.plan)
        sink.put(frames.run_started(wire.RUN_STARTED, call.run_id, count, resolved))
        for index in indexes:
            if index > start:
                sink.put(frames.step_progress(resolved, call.run_id, index - 1))
            terminal = await self._entry(sink, call, index)
            if isinstance(terminal, EntryPaused):
                terminal = over_the_limit(terminal) or terminal
            if isinstance(terminal, EntryPaused):
                await self._pause(sink, call, index, terminal)
                return
            if isinstance(terminal, EntryFailed):
                await self._fail(sink, call, terminal)
                return
            self._usage += terminal.usage
        if indexes.stop == count:
            await call.close("completed")
            sink.put(frames.finished(call.run_id, self._final_outputs(), self._summary()))
        else:
            await call.close("paused")
            sink.put(frames.step_paused(resolved, call.run_id, start, 0))

    async def _entry(self, sink: FrameSink, call: Call, index: int) -> TerminalEvent:
        """Run one entry; returns its terminal event, written when it completed."""
        entry = self._resolved.plan[index]
        place = index - self._indexes.start
        told = self._frames = EntryFrames(entry.step_id, entry.name, call.run_id, place)
        sink.put(told.started())

        def hear(event: EngineEvent) -> Awaitable[None] | None:
            frame = b"" if isinstance(event, EntryFailed) else told.of(event)
            return sink.send(frame) if frame else None

        return await play_entry(self._services.engine, call, self._play, index, hear=hear)

    async def _pause(self, sink: FrameSink, call: Call, index: int, paused: EntryPaused) -> None:
        step_id = self._resolved.plan[index].step_id
        play = self._play
        pending = pending_of(paused, step_id, play.tools, play.tool_choice)
        await call.close("paused", pending=pending)
        sink.put(frames.paused_for_tools(step_id, call.run_id, index, paused, play.outputs))

    async def _fail(self, sink: FrameSink, call: Call, failure: EntryFailed) -> None:
        assert self._frames is not None
        error = frames.wire_error(failure.error)
        await call.close("failed", error={**error, "stepId": self._frames.step_id})
        sink.put(self._frames.of(failure))

    def _final_outputs(self) -> dict[str, Any]:
        """The outputs in the order of the plan, so that the last one is the flow's result."""
        outputs = self._play.outputs
        known = [entry.step_id for entry in self._resolved.plan if entry.step_id in outputs]
        rest = outputs.keys() - set(known)
        return {name: outputs[name] for name in [*sorted(rest), *known]}

    def _summary(self) -> dict[str, Any]:
        return {
            "status": "completed",
            "stepCount": len(self._resolved.plan),
            "durationMs": round((time.monotonic() - self._began) * 1000),
            "tokens": wire.tokens(self._usage.prompt, self._usage.completion),
            "costUsd": self._usage.cost_text,
        }
