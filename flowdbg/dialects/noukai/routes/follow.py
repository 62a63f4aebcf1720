"""`…/trace/stream`: a run's steps so far as events, then what happens live (section 8.5).

The events are those of the step stream, with `stepIndex` counted in the whole flow. What the run's
capture mode does not keep is not told either.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from flowdbg.dialects.noukai import wire
from flowdbg.dialects.noukai.routes.frames import EntryFrames
from flowdbg.dialects.noukai.routes.traces import note_tokens, run_json
from flowdbg.dialects.records import Capture, RunRecord, StepNote, redacted
from flowdbg.dialects.services import Address, Ended, Entered, Followed, Replayed
from flowdbg.dialects.streams import FrameSink
from flowdbg.engine.events import (
    EngineEvent,
    EntryCompleted,
    EntryFailed,
    EntryPaused,
    IterationFinished,
    NodeFinished,
    NodeSkipped,
    OutputChunk,
    StepInput,
)


class TraceStream:
    """Writes the events of one followed run."""

    def __init__(
        self, run: RunRecord, address: Address, events: AsyncGenerator[Followed, None]
    ) -> None:
        self._run = run
        self._address = address
        self._events = events
        self._index = -1
        self._step_id = ""
        self._failed = False
        self._frames: EntryFrames | None = None

    async def produce(self, sink: FrameSink) -> None:
        """Follow to the end."""
        sink.put(self._started())
        async with aclosing(self._events) as events:
            async for event in events:
                match event:
                    case Replayed(note):
                        await sink.send(self._replayed(note))
                    case Entered(index, entry):
                        self._index, self._step_id, self._failed = index, entry.step_id, False
                        self._frames = EntryFrames(entry, self._run.id, index)
                        await sink.send(self._frames.started())
                    case Ended(run):
                        sink.put(self._ended(run))
                    case _:
                        if frame := self._live(event):
                            await sink.send(frame)

    def farewell(self) -> bytes:
        """Nothing: the end of the stream says nothing of the run."""
        return b""

    def _started(self) -> bytes:
        run = self._run
        return wire.frame(
            wire.FLOW_STARTED,
            {
                "executionId": run.id,
                "runId": run.id,
                "flowId": run.flow_id,
                "stepCount": run.step_count,
                "version": run.version,
                "planHash": run.plan_hash,
            },
        )

    def _live(self, event: EngineEvent) -> bytes:
        if self._frames is None:
            return b""
        self._failed = isinstance(event, EntryFailed)
        shown = masked(event, self._run.capture)
        return b"" if shown is None else self._frames.of(shown)

    def _replayed(self, note: StepNote) -> bytes:
        """An earlier step; what was inside a container comes before the container itself."""
        text = b""
        if note.entry_id != self._step_id:
            self._index += 1
            self._step_id = note.entry_id
            text = self._of(note, wire.STEP_STARTED, stepIndex=self._index)
        if note.path:
            output = _live_output(note.output)
            return text + self._of(
                note,
                wire.STEP_PROGRESS,
                phase="node_finished",
                path=note.path,
                loopIndex=note.loop_index,
                status=note.status,
                output=output,
                durationMs=note.duration_ms,
            )
        self._step_id = ""  # the same entry again would be another attempt
        return text + self._entry_end(note)

    def _entry_end(self, note: StepNote) -> bytes:
        text = b""
        read = _read(note.input)
        if read is not None:
            data = read if isinstance(read, dict) else {"value": read}
            text = self._of(note, wire.STEP_INPUT, inputData=data)
        if note.status == "running":
            return text
        self._failed = note.status == "failed"
        if self._failed:
            error = _read(note.error) or {"code": "FAILED", "message": "The step failed."}
            return text + self._of(note, wire.STEP_ERROR, error=error)
        return text + self._of(
            note,
            wire.STEP_COMPLETED,
            output=_live_output(note.output),
            durationMs=note.duration_ms,
            tokens=note_tokens(note),
            costUsd=None if note.cost is None else format(note.cost, "f"),
        )

    def _of(self, note: StepNote, event_type: str, **fields: Any) -> bytes:
        name = note.entry_id if note.path else note.name
        ids = {"executionId": self._run.id, "stepId": note.entry_id, "name": name}
        return wire.frame(event_type, {**ids, **fields})

    def _ended(self, run: RunRecord) -> bytes:
        summary = run_json(run, self._address)
        if run.status == "completed":
            result = None if run.result is None else json.loads(run.result)
            ids = {"executionId": run.id, "runId": run.id}
            return wire.frame(wire.FLOW_COMPLETED, {**ids, "result": result, "summary": summary})
        if self._failed:
            return b""
        error: Mapping[str, Any] = run.error or {
            "code": run.status.upper(),
            "message": f"The run is {run.status}.",
        }
        return wire.frame(
            wire.STEP_ERROR,
            {"executionId": run.id, "stepId": self._step_id, "name": None, "error": error},
        )


def masked(event: EngineEvent, capture: Capture) -> EngineEvent | None:
    """An event without what a capture mode does not keep; None when nothing is left."""
    if capture == "full" or isinstance(event, EntryFailed | EntryPaused):
        return event
    if isinstance(event, StepInput):
        return replace(event, value=redacted(event.value)) if capture == "redacted" else None
    if isinstance(event, OutputChunk):
        return None
    if isinstance(event, EntryCompleted | NodeFinished | NodeSkipped | IterationFinished):
        return replace(event, output=redacted(event.output) if capture == "redacted" else None)
    return event


def _live_output(text: str | None) -> Any:
    """A kept output as it was told live: without the prompt."""
    value = _read(text)
    if isinstance(value, dict):
        value.pop("__rendered_prompt__", None)
    return value


def _read(text: str | None) -> Any:
    return None if text is None else json.loads(text)
