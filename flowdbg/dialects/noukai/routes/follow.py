"""`…/trace/stream`: a run's steps so far as events, then what happens live (section 8.5).

The events are those of the step stream, with `stepIndex` counted in the whole flow. What the run's
capture mode does not keep is not told either.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from flowdbg.dialects.noukai import wire
from flowdbg.dialects.noukai.routes.frames import EntryFrames, run_started
from flowdbg.dialects.noukai.routes.traces import run_json
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
    NodePath,
    NodeRetried,
    NodeSkipped,
    OutputChunk,
    StepInput,
    Usage,
)


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
        self._tries: Counter[NodePath] = Counter()
        """How often each block of the entry that is told has failed and was tried again."""
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
        run = self._run
        sink.put(run_started(wire.FLOW_STARTED, run.id, run.step_count, run))
        async with aclosing(self._events) as events:
            async for event in events:
                match event:
                    case Replayed(note):
                        await sink.send(self._replayed(note))
                    case Entered(index, entry):
                        self._indexes[entry.step_id] = index
                        await sink.send(self._begin(entry.step_id, entry.name))
                    case Ended(run):
                        sink.put(self._ended(run))
                    case _:
                        shown = masked(event, self._run.capture)
                        if shown and (frame := self._told(shown)):
                            await sink.send(frame)

    def _begin(self, step_id: str, name: str) -> bytes:
        """A plan entry begins, or goes on: then that is not told."""
        index = self._indexes.setdefault(step_id, len(self._indexes))
        self._frames = EntryFrames(step_id, name, self._run.id, index)
        self._failed = False
        self._goes_on = self._open == step_id
        self._open = step_id
        if self._goes_on:
            return b""
        self._tries.clear()
        return self._frames.started()

    def _told(self, event: EngineEvent) -> bytes:
        """What happens to the entry, now or as it was recorded."""
        if self._frames is None:
            return b""
        match event:
            case StepInput(()) if self._goes_on:
                return b""
            case EntryCompleted(output):
                index = self._indexes[self._open]
                if index >= self._last[0]:  # the furthest entry's output is the flow's result
                    self._last = index, output
                self._open = ""
            case EntryFailed():
                self._failed = True
                self._open = ""
        return self._frames.of(event)

    def _replayed(self, note: StepNote) -> bytes:
        """An earlier step; what was inside a container comes before the container itself."""
        if note.path:
            self._inside.append(note)
            return b""
        text = self._begin(note.entry_id, note.name)
        if note.input is not None:
            text += self._told(StepInput((), json.loads(note.input)))
        inside, self._inside = self._inside, []
        failed = (one.path for one in inside if one.status == "failed" and not _retried(one))
        culprit = next(failed, ())
        events = [event for one in (*inside, note) for event in self._events_of(one, culprit)]
        return text + b"".join(self._told(event) for event in events)

    def _events_of(self, note: StepNote, culprit: NodePath) -> Iterator[EngineEvent]:
        """What the engine told when a record was made; `culprit` is what failed in the entry."""
        path, output = note.path, _live_output(note.output)
        usage = Usage(note.prompt_tokens, note.completion_tokens, note.cost)
        if _retried(note):
            self._tries[path] += 1
            yield NodeRetried(path, self._tries[path], _read(note.error))
        elif note.status == "failed":
            if not path:  # a block inside is told with the entry's own failure
                error = _read(note.error) or {"code": "FAILED", "message": "The step failed."}
                yield EntryFailed(culprit, error, usage, note.duration_ms)
        elif note.status != "running":
            if note.status == "skipped":
                yield NodeSkipped(path, output)
            elif path:
                yield NodeFinished(path, output, usage, note.duration_ms)
            if not path:
                yield EntryCompleted(output, usage, note.duration_ms, note.model)

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


def _retried(note: StepNote) -> bool:
    """Whether the block tried again after this failure."""
    error = _read(note.error)
    return isinstance(error, dict) and error.get(RETRIED) is True


def _live_output(text: str | None) -> Any:
    """A kept output as it was told live: without the prompt."""
    value = _read(text)
    if isinstance(value, dict):
        value.pop(wire.RENDERED_PROMPT, None)
    return value


def _read(text: str | None) -> Any:
    return None if text is None else json.loads(text)
