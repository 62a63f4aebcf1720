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
from flowdbg.core.json_text import JsonText, Segments, Span, members

Members = Mapping[str, Span]


def decode(name: str, data: str) -> Received:
    """Read one event from its `event:` name (may be empty) and its data.

    The name decides; without one `eventType`, then `type`, inside the data does. What cannot be
    read becomes an `UnknownEvent`; the raw text is always kept.
    """
    try:
        found = members(data)
    except ValueError as error:
        return Received(name, (data,), UnknownEvent(f"'{name}' is not a JSON object: {error}"))
    kind = name or _text(found, "eventType") or _text(found, "type")
    reader = _READERS.get(kind)
    if reader is None:
        return Received(name, (data,), UnknownEvent(f"unknown event '{kind}'"))
    try:
        return Received(name, _split(data, found), reader(data, found))
    except ValueError as error:
        return Received(name, (data,), UnknownEvent(f"'{kind}' cannot be read: {error}"))


_WHOLE = 2048
"""Characters; in a text shorter than this no value is worth storing apart."""
_LARGE = ("output", "outputData", "inputData", "result", "outputs")


def _split(data: str, found: Members) -> Segments:
    """The raw text with its largest value as a piece of its own; short texts stay whole."""
    if len(data) < _WHOLE:
        return (data,)
    spans = [found[name] for name in _LARGE if name in found]
    if not spans:
        return (data,)
    span = max(spans, key=lambda span: span.end - span.start)
    value = JsonText(data[span.start : span.end], span.value)
    return (data[: span.start], value, data[span.end :])


def _run_started(data: str, found: Members) -> Event:
    del data
    return RunStarted(
        execution_id=_text(found, "executionId") or _text(found, "runId"),
        step_count=_integer(found, "stepCount"),
        version=_integer(found, "version"),
        plan_hash=_text(found, "planHash"),
    )


def _step_started(data: str, found: Members) -> Event:
    del data
    return StepStarted(_step_id(found), _text(found, "name"), _path(found))


def _step_input(data: str, found: Members) -> Event:
    return StepInput(_step_id(found), _json(data, found, "inputData"), _path(found))


def _step_output(data: str, found: Members) -> Event:
    return StepOutput(_step_id(found), _json(data, found, "outputData"), _path(found))


def _step_completed(data: str, found: Members) -> Event:
    return StepCompleted(
        _step_id(found),
        _json(data, found, "output"),
        name=_text(found, "name"),
        duration_ms=_integer(found, "durationMs"),
        tokens=_tokens(found),
        cost=_cost(found),
        path=_path(found),
        skipped=_value(found, "skipped") is True or _text(found, "phase") == "node_skipped",
    )


def _step_failed(data: str, found: Members) -> Event:
    del data
    error = _value(found, "error")
    if isinstance(error, str):
        error = {"message": error}
    elif not isinstance(error, dict):
        error = {"message": _text(found, "message") or "the server did not say why"}
    elif not isinstance(error.get("message"), str):
        error = {**error, "message": str(error.get("message") or error.get("code") or "failed")}
    return StepFailed(_step_id(found, required=False), error, _text(found, "name"), _path(found))


def _step_progress(data: str, found: Members) -> Event:
    """Between steps, or inside a container: our server tells what began and ended there."""
    step_id, path = _step_id(found, required=False), _path(found)
    index, count = _integer(found, "index"), _integer(found, "count")
    match _text(found, "phase"):
        case "node_started" if path:
            return StepStarted(step_id, _text(found, "name"), path)
        case "node_finished" | "node_skipped" if path:
            return _step_completed(data, found)
        case "iteration_started" if index is not None:
            return StepStarted(step_id, f"{index + 1} of {count}", (*path, index))
        case "iteration_finished" if index is not None:
            return StepCompleted(step_id, _json(data, found, "output"), path=(*path, index))
    detail = {name: span.value for name, span in found.items()}
    return StepProgress(step_id, path, detail)


def _step_paused(data: str, found: Members) -> Event:
    del data
    return StepPaused(_step_id(found, required=False), _integer(found, "nextStepIndex"))


def _tool_calls(data: str, found: Members) -> Event:
    calls = _value(found, "toolCalls")
    if not isinstance(calls, list) or not all(isinstance(call, dict) for call in calls):
        raise ValueError("toolCalls is not a list of objects")
    state = _json(data, found, "toolCallMessages")
    return ToolCallsRequested(
        _step_id(found),
        tuple(calls),
        state,
        _integer(found, "iterationsUsed") or 0,
        _integer(found, "stepIndex"),
    )


def _run_completed(data: str, found: Members) -> Event:
    return RunCompleted(_json(data, found, "result") if "result" in found else None)


_READERS: dict[str, Callable[[str, Members], Event]] = {
    "run_started": _run_started,
    "flow_started": _run_started,
    "step_started": _step_started,
    "step_input": _step_input,
    "step_output": _step_output,
    "step_completed": _step_completed,
    "step_error": _step_failed,
    "step_failed": _step_failed,
    "run_failed": _step_failed,
    "flow_failed": _step_failed,
    "error": _step_failed,
    "step_progress": _step_progress,
    "loop_completed": _step_progress,
    "step_paused": _step_paused,
    "step_paused_for_tool_calls": _tool_calls,
    "tool_calls_required": _tool_calls,
    "run_completed": _run_completed,
    "flow_completed": _run_completed,
}


def _value(found: Members, name: str) -> Any:
    span = found.get(name)
    return span.value if span else None


def _text(found: Members, name: str) -> str:
    value = _value(found, name)
    return value if isinstance(value, str) else ""


def _step_id(found: Members, *, required: bool = True) -> str:
    step_id = _text(found, "stepId")
    if required and not step_id:
        raise ValueError("it names no stepId")
    return step_id


def _integer(found: Members, name: str) -> int | None:
    value = _value(found, name)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _json(data: str, found: Members, name: str) -> JsonText:
    span = found.get(name)
    return JsonText(data[span.start : span.end], span.value) if span else JsonText("null")


def _tokens(found: Members) -> Tokens | None:
    value = _value(found, "tokens")
    if not isinstance(value, dict):
        return None
    prompt, completion, total = (_count(value.get(name)) for name in _TOKENS)
    return Tokens(prompt, completion, total or prompt + completion)


_TOKENS = ("prompt", "completion", "total")


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _cost(found: Members) -> Decimal | None:
    """A decimal string, or the number that a careless server sends (protocol section 14)."""
    value = _value(found, "costUsd")
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return None
    try:
        cost = Decimal(str(value))
    except InvalidOperation:
        return None
    sane = cost.is_finite() and len(cost.as_tuple().digits) <= 40 and abs(cost.adjusted()) <= 40
    return cost if sane else None


def _path(found: Members) -> Path:
    """Where inside a container it happened (our server's extension); `()` when not told."""
    value = _value(found, "path")
    if not isinstance(value, list):
        return ()
    return tuple(part for part in value if isinstance(part, str | int))
