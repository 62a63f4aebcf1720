"""Reading traces: what a server kept of a run's steps (sections 8.3 to 8.6).

`path`, `entryId`, `name` and `wrapped` are told by the embedded server only.
"""

from __future__ import annotations

import json
import re

from flowdbg.core.events import StepCompleted
from flowdbg.core.json_text import JsonText, members
from flowdbg.dialects.noukai.client.answers import read_run
from flowdbg.dialects.noukai.decode import decode
from flowdbg.dialects.noukai.fields import (
    CHECK_URL,
    Members,
    integer_at,
    json_at,
    object_of,
    path_at,
    span_at,
    text_at,
    value_at,
)
from flowdbg.dialects.noukai.wire import RENDERED_PROMPT, STEP_COMPLETED
from flowdbg.dialects.traces import StepTrace, Trace
from flowdbg.errors import ProtocolViolation

_BLANK = re.compile(r"[ \t\n\r]*")
_decoder = json.JSONDecoder()


def read_trace(text: str) -> Trace:
    """A whole trace.

    Raises:
        ProtocolViolation: It is none.
    """
    found = object_of(text, "trace")
    run, steps = span_at(found, "flowRun"), found.get("steps")
    if run is None or steps is None or not isinstance(steps.value, list):
        raise ProtocolViolation("The server's trace has no run or no steps.", CHECK_URL)
    items = _items(text[steps.start : steps.end])
    return Trace(
        read_run(text[run.start : run.end]), tuple(read_step_trace(item) for item in items)
    )


def read_attempts(text: str) -> list[StepTrace]:
    """The traces of one step: a single one, or `{stepId, attempts}`.

    Raises:
        ProtocolViolation: It is neither.
    """
    found = object_of(text, "trace")
    attempts = found.get("attempts")
    if attempts is None:
        return [read_step_trace(text)]
    if not isinstance(attempts.value, list):
        raise ProtocolViolation("The server's attempts are not a list.", CHECK_URL)
    return [read_step_trace(item) for item in _items(text[attempts.start : attempts.end])]


def read_step_trace(text: str) -> StepTrace:
    """The trace of one execution of a step.

    Raises:
        ProtocolViolation: It names no step.
    """
    found = object_of(text, "trace")
    # durations, tokens and costs are spelled as in the event that ends a step
    ended = decode(STEP_COMPLETED, text).event
    if not isinstance(ended, StepCompleted):
        raise ProtocolViolation("A trace of the server names no step.", CHECK_URL)
    output, prompt = _output(text, found)
    error = value_at(found, "errorContext")
    return StepTrace(
        step_id=ended.step_id,
        attempt=integer_at(found, "attempt") or 1,
        loop_index=integer_at(found, "loopIndex"),
        status=text_at(found, "status"),
        name=ended.name,
        entry_id=text_at(found, "entryId"),
        path=path_at(found),
        started_at=text_at(found, "startedAt"),
        completed_at=text_at(found, "completedAt"),
        duration_ms=ended.duration_ms,
        model=text_at(found, "modelUsed"),
        tokens=ended.tokens,
        cost=ended.cost,
        input=json_at(text, found, "inputContext"),
        output=output,
        error=error if isinstance(error, dict) else None,
        prompt=prompt,
        input_bytes=integer_at(found, "inputSizeBytes"),
        output_bytes=integer_at(found, "outputSizeBytes"),
        truncated=value_at(found, "truncated") is True,
    )


def _output(text: str, found: Members) -> tuple[JsonText | None, str]:
    """The output without what traces add to it, and the prompt that they may add."""
    kept = json_at(text, found, "outputContext")
    if kept is None or kept.kind != "object":
        return kept, ""
    inside = members(kept.text)
    prompt = text_at(inside, RENDERED_PROMPT)
    if value_at(found, "wrapped") is True and "value" in inside:
        span = inside["value"]
        return JsonText(kept.text[span.start : span.end], span.value), prompt
    if RENDERED_PROMPT not in inside:
        return kept, ""
    rest = (
        f"{json.dumps(name)}:{kept.text[span.start : span.end]}"
        for name, span in inside.items()
        if name != RENDERED_PROMPT
    )
    return JsonText("{" + ",".join(rest) + "}"), prompt


def _items(text: str) -> list[str]:
    """The texts of a JSON list's items; the text is known to be a list."""
    items: list[str] = []
    at = _skip(text, text.index("[") + 1)
    while text[at] != "]":
        _, end = _decoder.raw_decode(text, at)
        items.append(text[at:end])
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return items


def _skip(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at
