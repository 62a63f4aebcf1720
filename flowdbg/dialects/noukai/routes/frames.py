"""The engine's events as frames of the step stream (protocol sections 5.2 and 17).

What happens inside a container is told with the container's `stepId` and a `path` below it, so
that a client which knows only plan entries is not misled: exactly one `step_completed` for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowdbg.dialects.encoding import json_bytes
from flowdbg.dialects.noukai import wire
from flowdbg.dialects.noukai.routes.tools import messages_json
from flowdbg.dialects.records import RunRecord
from flowdbg.dialects.services import Resolved
from flowdbg.engine.events import (
    EngineEvent,
    EntryCompleted,
    EntryFailed,
    EntryPaused,
    IterationFinished,
    IterationStarted,
    NodeFinished,
    NodeRetried,
    NodeSkipped,
    NodeStarted,
    OutputChunk,
    StepInput,
)

_WIRE_CODES = {"MODEL_KEY_REJECTED": wire.BYOK_KEY_REJECTED}


class EntryFrames:
    """Writes the frames of one plan entry; `index` counts the entries of the stream."""

    def __init__(self, step_id: str, name: str, run_id: str, index: int) -> None:
        self.step_id = step_id
        """The plan entry's id."""
        self._name = name
        self._run_id = run_id
        self._index = index
        self._skipped = False
        self._chunk_head, self._chunk_tail = wire.output_frames(step_id)

    def started(self) -> bytes:
        """The entry begins."""
        return self._frame(wire.STEP_STARTED, name=self._name, stepIndex=self._index)

    def of(self, event: EngineEvent) -> bytes:
        """The frame of one event; empty for an event that has none."""
        match event:
            case OutputChunk((), delta):
                return self._chunk_head + json_bytes(delta) + self._chunk_tail
            case OutputChunk(path, delta):
                return self._frame(wire.STEP_OUTPUT, path=path, outputData=delta)
            case StepInput(path, value):
                data = value if isinstance(value, dict) else {"value": value}
                return self._frame(wire.STEP_INPUT, inputData=data, **_path(path))
            case EntryCompleted():
                return self._completed(event)
            case EntryFailed(path, error):
                return self.failed(error, path)
            case NodeSkipped(()):
                self._skipped = True
                return self._progress("skipped")
            case _:
                return self._inside(event)

    def failed(self, error: Mapping[str, Any], path: tuple[str | int, ...] = ()) -> bytes:
        """The entry failed."""
        return self._frame(wire.STEP_ERROR, name=self._name, error=wire_error(error), **_path(path))

    def _completed(self, event: EntryCompleted) -> bytes:
        extra: dict[str, Any] = {"skipped": True} if self._skipped else {}
        if event.model is not None:
            extra["model"] = event.model
        return self._frame(
            wire.STEP_COMPLETED,
            name=self._name,
            output=event.output,
            durationMs=event.duration_ms,
            tokens=wire.tokens(event.usage.prompt, event.usage.completion),
            costUsd=event.usage.cost_text,
            **extra,
        )

    def _inside(self, event: EngineEvent) -> bytes:
        """What happens below the entry."""
        match event:
            case IterationStarted(path, index, count):
                return self._progress("iteration_started", path=path, index=index, count=count)
            case IterationFinished(path, index, count, output):
                frame = self._progress(
                    "iteration_finished", path=path, index=index, count=count, output=output
                )
                if index == count - 1:
                    frame += self._frame(wire.LOOP_COMPLETED, path=path, iterations=count)
                return frame
            case NodeStarted(path, name, kind):
                return self._progress("node_started", path=path, name=name, kind=kind)
            case NodeFinished(path, output, usage, duration_ms):
                return self._progress(
                    "node_finished",
                    path=path,
                    output=output,
                    durationMs=duration_ms,
                    tokens=wire.tokens(usage.prompt, usage.completion),
                    costUsd=usage.cost_text,
                )
            case NodeSkipped(path, output):
                return self._progress("node_skipped", path=path, output=output)
            case NodeRetried(path, attempt, error):
                return self._progress("retried", path=path, attempt=attempt, error=dict(error))
            case _:
                return b""

    def _progress(self, phase: str, **fields: Any) -> bytes:
        return self._frame(wire.STEP_PROGRESS, phase=phase, **fields)

    def _frame(self, event_type: str, /, **fields: Any) -> bytes:
        return wire.frame(
            event_type, {"executionId": self._run_id, "stepId": self.step_id, **fields}
        )


def run_started(event_type: str, run_id: str, step_count: int, flow: Resolved | RunRecord) -> bytes:
    """The stream of a call, or of a trace, begins; `version` and `planHash` are ours."""
    return wire.frame(
        event_type,
        {
            "executionId": run_id,
            "runId": run_id,
            "flowId": flow.flow_id,
            "stepCount": step_count,
            "version": flow.version,
            "planHash": flow.plan_hash,
        },
    )


def step_progress(resolved: Resolved, run_id: str, index: int) -> bytes:
    """Between two entries of a call that does not pause; `index` is the one that ended."""
    return wire.frame(
        wire.STEP_PROGRESS,
        {
            "executionId": run_id,
            "stepId": resolved.plan[index].step_id,
            "nextStepIndex": index + 1,
            "stepCount": len(resolved.plan),
        },
    )


def step_paused(resolved: Resolved, run_id: str, index: int, call_index: int) -> bytes:
    """The call ends before the end of the flow; `index` is the entry that ended."""
    return wire.frame(
        wire.STEP_PAUSED,
        {
            "executionId": run_id,
            "runId": run_id,
            "stepId": resolved.plan[index].step_id,
            "stepIndex": call_index,
            "nextStepIndex": index + 1,
            "isFinal": False,
        },
    )


def finished(run_id: str, outputs: Mapping[str, Any], summary: Mapping[str, Any]) -> bytes:
    """Both terminal events; the result is the last entry's output."""
    result = list(outputs.values())[-1]
    whole = {"executionId": run_id, "runId": run_id, "result": result}
    completed = {**whole, "isFinal": True, "outputs": outputs}
    return wire.frame(wire.RUN_COMPLETED, completed) + wire.frame(
        wire.FLOW_COMPLETED, {**whole, "summary": summary}
    )


def paused_for_tools(
    entry_id: str, run_id: str, index: int, paused: EntryPaused, outputs: Mapping[str, Any]
) -> bytes:
    """The call ends because a model asks for tools; `index` counts in the whole flow."""
    return wire.frame(
        wire.STEP_PAUSED_FOR_TOOL_CALLS,
        {
            "executionId": run_id,
            "runId": run_id,
            "stepId": entry_id,
            "stepIndex": index,
            "iterationsUsed": paused.iterations_used,
            "toolCallMessages": messages_json(paused.messages),
            "toolCalls": list(paused.tool_calls),
            "accumulatedOutputs": outputs,
        },
    )


def wire_error(error: Mapping[str, Any]) -> dict[str, Any]:
    """An engine's error with the protocol's code where it has one of its own."""
    code = _WIRE_CODES.get(str(error.get("code")), error.get("code"))
    return {**error, "code": code}


def _path(path: tuple[str | int, ...]) -> dict[str, Any]:
    return {"path": path} if path else {}
