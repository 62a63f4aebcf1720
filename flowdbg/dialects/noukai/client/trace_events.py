"""Records of a trace as events of the step stream (section 5.2), to be read like those."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flowdbg.core.events import Received
from flowdbg.core.json_text import JsonText
from flowdbg.dialects.noukai import wire
from flowdbg.dialects.noukai.decode import decode
from flowdbg.dialects.traces import StepTrace


def entry_events(record: StepTrace, name: str, inside: Sequence[StepTrace]) -> list[Received]:
    """The events of one plan entry and of what ran inside it."""
    named = {"stepId": record.step_id, "name": name}
    events = [event_as_sent(wire.STEP_STARTED, **named)]
    if record.input is not None:
        events.append(event_as_sent(wire.STEP_INPUT, **named, inputData=record.input))
    for child in inside:
        place = {"stepId": record.step_id, "name": child.name, "path": list(child.path)}
        if child.status == "failed":  # how it ended is told by the entry's own failure
            told = {"phase": "node_started", **place}
        else:
            phase = "node_skipped" if child.status == "skipped" else "node_finished"
            told = {"phase": phase, **place, **_done(child)}
        events.append(event_as_sent(wire.STEP_PROGRESS, **told))
    if record.status == "failed":
        path = next((list(child.path) for child in inside if child.status == "failed"), [])
        failure = {**named, "error": error_of(record), "path": path}
        return [*events, event_as_sent(wire.STEP_ERROR, **failure)]
    skipped = {"skipped": True} if record.status == "skipped" else {}
    return [*events, event_as_sent(wire.STEP_COMPLETED, **named, **_done(record), **skipped)]


def _done(record: StepTrace) -> dict[str, Any]:
    """What the end of a step tells, in the words of the step stream (section 5.2)."""
    fields: dict[str, Any] = {"output": record.output, "durationMs": record.duration_ms}
    if record.output is None:
        size = "" if record.output_bytes is None else f": {record.output_bytes} bytes"
        fields["output"] = f"(not captured{size})"
    if record.tokens is not None:
        tokens = record.tokens
        fields["tokens"] = {
            "prompt": tokens.prompt,
            "completion": tokens.completion,
            "total": tokens.total,
        }
    if record.cost is not None:
        fields["costUsd"] = format(record.cost, "f")
    if record.model:
        fields["model"] = record.model
    if record.prompt:
        fields["renderedPrompt"] = record.prompt
    return {**fields, "attempt": record.attempt}


def error_of(record: StepTrace) -> Mapping[str, Any]:
    """What went wrong in a step that failed."""
    return record.error or {"message": "The step failed; what went wrong was not captured."}


def event_as_sent(name: str, /, **fields: Any) -> Received:
    """An event as if it had come from the step stream; values that are texts stay as they are."""
    texts = {
        key: value if isinstance(value, JsonText) else JsonText.of(value)
        for key, value in fields.items()
    }
    parts = (f"{json.dumps(key)}:{value.text}" for key, value in texts.items())
    return decode(name, "{" + ",".join(parts) + "}")
