"""`…/trace/stream`: a run's steps so far as events, then what happens live (section 8.5).

The events are those of the step stream, with `stepIndex` counted in the whole flow. What the run's
capture mode does not keep is not told either.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from flowdbg.dialects.noukai import wire
from flowdbg.dialects.noukai.routes.frames import EntryFrames
from flowdbg.dialects.noukai.routes.traces import note_tokens, run_json
from flowdbg.dialects.records import (
    RETRIED,
    Capture,
    RunRecord,
    StepNote,
    kept_error,
    redacted,
)
from flowdbg.dialects.services import Address, Ended, Entered, Followed, Replayed
from flowdbg.dialects.streams import FrameSink
from flowdbg.engine.events import (
    EngineEvent,
    EntryCompleted,
    EntryFailed,
    IterationFinished,
    NodeFinished,
    NodeRetried,
    NodeSkipped,
    OutputChunk,
    StepInput,
)
from flowdbg.engine.plan import PlanEntry


class TraceStream:
    """Writes the events of one followed run."""

    def __init__(
        self, run: RunRecord, address: Address, events: AsyncGenerator[Followed, None]
    ) -> None:
        self._run = run
        self._address = address
        self._events = events
        self._indexes: dict[str, int] = {}
        self._inside: list[StepNote] = []
        """Earlier blocks of a container whose own record comes after them."""
        self._open = ""
        """Id of the entry that was told to have started and not to have ended."""
        self._goes_on = False
        """Whether that entry goes on after a wait for tool results: its input was told."""
        self._last: tuple[int, Any] = (-1, None)
        """Index and output of the entry that is furthest in the plan."""
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
                        await sink.send(self._entered(index, entry))
                    case Ended(run):
                        sink.put(self._ended(run))
                    case _:
                        if frame := self._told(event):
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

    def _entered(self, index: int, entry: PlanEntry) -> bytes:
        self._indexes[entry.step_id] = index
        self._frames = EntryFrames(entry, self._run.id, index)
        self._failed = False
        self._goes_on = self._open == entry.step_id
        self._open = entry.step_id
        return b"" if self._goes_on else self._frames.started()

    def _told(self, event: EngineEvent) -> bytes:
        """What happens now."""
        shown = masked(event, self._run.capture)
        if self._frames is None or shown is None:
            return b""
        match shown:
            case StepInput(()) if self._goes_on:
                return b""
            case EntryCompleted(output):
                self._reached(self._open, output)
                self._open = ""
            case EntryFailed():
                self._failed = True
                self._open = ""
        return self._frames.of(shown)

    def _replayed(self, note: StepNote) -> bytes:
        """An earlier step; what was inside a container comes before the container itself."""
        if note.path:
            self._inside.append(note)
            return b""
        text = b"" if self._open == note.entry_id else self._begin(note)
        inside, self._inside = self._inside, []
        text += b"".join(self._block(one) for one in inside)
        failed = next((one for one in inside if _failed_for_good(one)), note)
        error = _read(note.error)
        if note.status == "running":
            return text
        if _is_repeated(error):
            return text + self._of(note, wire.STEP_PROGRESS, phase="retried", error=error)
        self._open = ""
        self._failed = note.status == "failed"
        if self._failed:
            error = error or {"code": "FAILED", "message": "The step failed."}
            path = {"path": failed.path} if failed.path else {}
            return text + self._of(note, wire.STEP_ERROR, error=error, **path)
        return text + self._completed(note)

    def _begin(self, note: StepNote) -> bytes:
        self._open = note.entry_id
        index = self._indexes.setdefault(note.entry_id, len(self._indexes))
        text = self._of(note, wire.STEP_STARTED, stepIndex=index)
        read = _read(note.input)
        if read is None:
            return text
        data = read if isinstance(read, dict) else {"value": read}
        return text + self._of(note, wire.STEP_INPUT, inputData=data)

    def _block(self, note: StepNote) -> bytes:
        """A block inside a container; which one failed is told with the container's failure."""
        if note.status == "running" or _failed_for_good(note):
            return b""
        error = _read(note.error)
        if _is_repeated(error):
            told: dict[str, Any] = {"phase": "retried", "error": error}
        else:
            told = {"phase": "node_finished", "output": _live_output(note.output)}
        return self._of(
            note,
            wire.STEP_PROGRESS,
            path=note.path,
            loopIndex=note.loop_index,
            status=note.status,
            durationMs=note.duration_ms,
            **told,
        )

    def _completed(self, note: StepNote) -> bytes:
        output = _live_output(note.output)
        self._reached(note.entry_id, output)
        extra: dict[str, Any] = {"skipped": True} if note.status == "skipped" else {}
        if note.model is not None:
            extra["model"] = note.model
        return self._of(
            note,
            wire.STEP_COMPLETED,
            output=output,
            durationMs=note.duration_ms,
            tokens=note_tokens(note),
            costUsd=None if note.cost is None else format(note.cost, "f"),
            **extra,
        )

    def _reached(self, step_id: str, output: Any) -> None:
        """Remember the output of the last plan entry: it is the flow's result."""
        index = self._indexes[step_id]
        if index >= self._last[0]:
            self._last = index, output

    def _of(self, note: StepNote, event_type: str, **fields: Any) -> bytes:
        name = {} if note.path else {"name": note.name}
        ids = {"executionId": self._run.id, "stepId": note.entry_id}
        return wire.frame(event_type, {**ids, **name, **fields})

    def _ended(self, run: RunRecord) -> bytes:
        summary = run_json(run, self._address)
        if run.status == "completed":
            ids = {"executionId": run.id, "runId": run.id}
            whole = {**ids, "result": self._last[1], "summary": summary}
            return wire.frame(wire.FLOW_COMPLETED, whole)
        if self._failed:
            return b""
        error = summary["error"] or {
            "code": run.status.upper(),
            "message": f"The run is {run.status}.",
        }
        return wire.frame(
            wire.STEP_ERROR,
            {"executionId": run.id, "stepId": self._open, "name": None, "error": error},
        )


def masked(event: EngineEvent, capture: Capture) -> EngineEvent | None:
    """An event without what a capture mode does not keep; None when nothing is left."""
    if capture == "full":
        return event
    if isinstance(event, EntryFailed | NodeRetried):
        return replace(event, error=kept_error(event.error, capture))
    if isinstance(event, StepInput):
        return replace(event, value=redacted(event.value)) if capture == "redacted" else None
    if isinstance(event, OutputChunk):
        return None
    if isinstance(event, EntryCompleted | NodeFinished | NodeSkipped | IterationFinished):
        return replace(event, output=redacted(event.output) if capture == "redacted" else None)
    return event


def _failed_for_good(note: StepNote) -> bool:
    return note.status == "failed" and not _is_repeated(_read(note.error))


def _is_repeated(error: Any) -> bool:
    """Whether the block tried again after this error."""
    return isinstance(error, dict) and error.get(RETRIED) is True


def _live_output(text: str | None) -> Any:
    """A kept output as it was told live: without the prompt."""
    value = _read(text)
    if isinstance(value, dict):
        value.pop("__rendered_prompt__", None)
    return value


def _read(text: str | None) -> Any:
    return None if text is None else json.loads(text)
