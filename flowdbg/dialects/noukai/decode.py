"""Reading the step stream's events (protocol sections 5.1, 5.2 and 5.5): pure, never raises."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from flowdbg.core.events import (
    Event,
    Path,
    Received,
    RunCompleted,
    RunStarted,
    StepCompleted,
    StepFailed,
    StepInput,
    StepOutput,
    StepPaused,
    StepProgress,
    StepStarted,
    Tokens,
    ToolCallsRequested,
    UnknownEvent,
)
from flowdbg.core.json_text import JsonText, Segments, members
from flowdbg.core.tool_calls import calls_of_conversation
from flowdbg.dialects.noukai import wire
from flowdbg.dialects.noukai.fields import (
    Members,
    integer_at,
    json_at,
    path_at,
    span_at,
    text_at,
    value_at,
)
from flowdbg.errors import ProtocolViolation

_UNNAMED = ("", "message")
"""The names of an event without an `event:` line: none, and the one that event streams give it."""
_NULL = JsonText("null")


def decode(name: str, data: str) -> Received:
    """Read one event from its `event:` name and its data.

    The name decides; without one `eventType`, then `type`, inside the data does. What cannot be
    read becomes an `UnknownEvent`; the raw text is always kept.
    """
    try:
        found = members(data)
    except ValueError as error:
        return Received(name, (data,), UnknownEvent(f"'{name}' is not a JSON object: {error}"))
    if name in _UNNAMED:
        name = text_at(found, "eventType") or text_at(found, "type") or name
    reader = _READERS.get(name)
    if reader is None:
        return Received(name, (data,), UnknownEvent(f"unknown event '{name}'"))
    try:
        return Received(name, _split(data, found), reader(data, found))
    except ValueError as error:
        return Received(name, (data,), UnknownEvent(f"'{name}' cannot be read: {error}"))


_WHOLE = 2048
"""Characters; in a text shorter than this no value is worth storing apart."""
_LARGE = ("output", "outputData", "inputData", "result", "outputs")


def _split(data: str, found: Members) -> Segments:
    """The raw text with its largest value as a piece of its own; short texts stay whole."""
    if len(data) < _WHOLE:
        return (data,)
    spans = [span for name in _LARGE if (span := span_at(found, name))]
    if not spans:
        return (data,)
    span = max(spans, key=lambda span: span.end - span.start)
    value = JsonText(data[span.start : span.end], span.value)
    return (data[: span.start], value, data[span.end :])


def _run_started(data: str, found: Members) -> Event:
    del data
    return RunStarted(
        execution_id=text_at(found, "executionId") or text_at(found, "runId"),
        step_count=integer_at(found, "stepCount"),
        version=integer_at(found, "version"),
        plan_hash=text_at(found, "planHash"),
    )


def _step_started(data: str, found: Members) -> Event:
    del data
    return StepStarted(_step_id(found), text_at(found, "name"))


def _step_input(data: str, found: Members) -> Event:
    return StepInput(_step_id(found), json_at(data, found, "inputData") or _NULL, path_at(found))


def _step_output(data: str, found: Members) -> Event:
    return StepOutput(_step_id(found), json_at(data, found, "outputData") or _NULL, path_at(found))


def _step_completed(data: str, found: Members, path: Path = ()) -> Event:
    return StepCompleted(
        _step_id(found),
        json_at(data, found, "output") or _NULL,
        name=text_at(found, "name"),
        duration_ms=integer_at(found, "durationMs"),
        tokens=_tokens(found),
        cost=_cost(found),
        path=path,
        skipped=value_at(found, "skipped") is True or text_at(found, "phase") == "node_skipped",
    )


def _step_failed(data: str, found: Members) -> Event:
    del data
    error = value_at(found, "error")
    if isinstance(error, str):
        error = {"message": error}
    elif not isinstance(error, dict):
        error = {"message": text_at(found, "message") or "the server did not say why"}
    elif not isinstance(error.get("message"), str):
        error = {**error, "message": str(error.get("message") or error.get("code") or "failed")}
    return StepFailed(
        _step_id(found, required=False), error, text_at(found, "name"), path_at(found)
    )


def _step_progress(data: str, found: Members) -> Event:
    """Between steps, or inside a container: our server tells what began and ended there."""
    step_id, path = _step_id(found, required=False), path_at(found)
    index, count = integer_at(found, "index"), integer_at(found, "count")
    match text_at(found, "phase"):
        case "node_started" if path:
            return StepStarted(step_id, text_at(found, "name"), path)
        case "node_finished" | "node_skipped" if path:
            return _step_completed(data, found, path)
        case "iteration_started" if index is not None:
            return StepStarted(step_id, f"{index + 1} of {count}", (*path, index))
        case "iteration_finished" if index is not None:
            return StepCompleted(
                step_id, json_at(data, found, "output") or _NULL, path=(*path, index)
            )
    detail = {name: span.value for name, span in found.items()}
    return StepProgress(step_id, path, detail)


def _step_paused(data: str, found: Members) -> Event:
    del data
    return StepPaused(_step_id(found, required=False), integer_at(found, "nextStepIndex"))


def _tool_calls(data: str, found: Members) -> Event:
    state = json_at(data, found, "toolCallMessages") or _NULL
    calls = value_at(found, "toolCalls")
    if calls is None:
        calls = _calls_in(state)
    if not isinstance(calls, list) or not all(isinstance(call, dict) for call in calls):
        raise ValueError("toolCalls is not a list of objects")
    return ToolCallsRequested(
        _step_id(found),
        tuple(calls),
        state,
        integer_at(found, "iterationsUsed") or 0,
        integer_at(found, "stepIndex"),
    )


def _calls_in(conversation: JsonText) -> list[Mapping[str, Any]]:
    """The calls that a conversation ends with, for servers that list them nowhere else."""
    try:
        return [call.to_json() for call in calls_of_conversation(conversation.value)]
    except ProtocolViolation as error:
        raise ValueError(error.what) from error


def _run_completed(data: str, found: Members) -> Event:
    told = span_at(found, "result")
    return RunCompleted(JsonText(data[told.start : told.end], told.value) if told else None)


_READERS: dict[str, Callable[[str, Members], Event]] = {
    wire.RUN_STARTED: _run_started,
    wire.FLOW_STARTED: _run_started,
    wire.STEP_STARTED: _step_started,
    wire.STEP_INPUT: _step_input,
    wire.STEP_OUTPUT: _step_output,
    wire.STEP_COMPLETED: _step_completed,
    wire.STEP_ERROR: _step_failed,
    "step_failed": _step_failed,
    "run_failed": _step_failed,
    "flow_failed": _step_failed,
    "error": _step_failed,
    wire.STEP_PROGRESS: _step_progress,
    wire.LOOP_COMPLETED: _step_progress,
    wire.STEP_PAUSED: _step_paused,
    wire.STEP_PAUSED_FOR_TOOL_CALLS: _tool_calls,
    wire.TOOL_CALLS_REQUIRED: _tool_calls,
    wire.RUN_COMPLETED: _run_completed,
    wire.FLOW_COMPLETED: _run_completed,
}


def _step_id(found: Members, *, required: bool = True) -> str:
    step_id = text_at(found, "stepId")
    if required and not step_id:
        raise ValueError("it names no stepId")
    return step_id


def _tokens(found: Members) -> Tokens | None:
    value = value_at(found, "tokens")
    if not isinstance(value, dict):
        return None
    prompt, completion, total = (_count(value.get(name)) for name in _TOKENS)
    return Tokens(prompt, completion, total or prompt + completion)


_TOKENS = ("prompt", "completion", "total")


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _cost(found: Members) -> Decimal | None:
    """A decimal string, or the number that a careless server sends (protocol section 14)."""
    value = value_at(found, "costUsd")
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return None
    try:
        cost = Decimal(str(value))
    except InvalidOperation:
        return None
    sane = cost.is_finite() and len(cost.as_tuple().digits) <= 40 and abs(cost.adjusted()) <= 40
    return cost if sane else None
