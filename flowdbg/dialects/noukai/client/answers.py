"""Answers of `/execute`, `/jobs` and the list of runs, read tolerantly (sections 6.3, 7, 8.1, 8.2).

A value is kept as the text it came in. What a server leaves out or spells otherwise is read as far
as it goes; only what a client cannot do without makes a `ProtocolViolation`.
"""

from __future__ import annotations

from flowdbg.core.json_text import JsonText
from flowdbg.core.tool_calls import calls_of_conversation, read_calls
from flowdbg.dialects.noukai.fields import (
    CHECK_URL,
    Members,
    integer_at,
    json_at,
    message_of,
    object_of,
    required_at,
    text_at,
    value_at,
)
from flowdbg.dialects.noukai.wire import TOOL_CALLS_REQUIRED
from flowdbg.dialects.traces import RunSummary
from flowdbg.dialects.whole_runs import Accepted, Finished, JobState, Paused
from flowdbg.errors import ProtocolViolation


def read_executed(text: str) -> Finished | Paused:
    """The answer of `/execute`.

    Raises:
        ProtocolViolation: It is no such answer.
    """
    found = object_of(text, "answer")
    if text_at(found, "status") == TOOL_CALLS_REQUIRED:
        return _paused(text, found)
    if not text_at(found, "status"):
        raise ProtocolViolation("The server's answer has no status.", CHECK_URL)
    error = value_at(found, "error")
    return Finished(
        text_at(found, "status"),
        json_at(text, found, "result") or JsonText("null"),
        text_at(found, "executionId"),
        text_at(found, "flowId"),
        integer_at(found, "blockCount"),
        error if isinstance(error, dict) else None,
    )


def read_accepted(text: str) -> Accepted:
    """The answer to a submitted job.

    Raises:
        ProtocolViolation: It names no job.
    """
    found = object_of(text, "answer")
    execution_id = required_at(found, "executionId")
    return Accepted(
        execution_id,
        text_at(found, "status") or "started",
        text_at(found, "flowId"),
        integer_at(found, "blockCount"),
    )


def read_job(text: str) -> JobState:
    """How a job stands; an error may be a text or an object with a message.

    Raises:
        ProtocolViolation: It is no job's status.
    """
    found = object_of(text, "answer")
    return JobState(
        text_at(found, "executionId"),
        required_at(found, "status"),
        json_at(text, found, "result") or JsonText("null"),
        message_of(value_at(found, "error")),
    )


def read_run(text: str) -> RunSummary:
    """A run's summary.

    Raises:
        ProtocolViolation: It names no run.
    """
    found = object_of(text, "run")
    initial = value_at(found, "initial")
    return RunSummary(
        id=text_at(found, "id") or required_at(found, "executionId"),
        flow_id=text_at(found, "flowId"),
        status=text_at(found, "status"),
        trigger=text_at(found, "triggerType"),
        started_at=text_at(found, "startedAt"),
        completed_at=text_at(found, "completedAt"),
        duration_ms=integer_at(found, "durationMs"),
        step_count=integer_at(found, "stepCount"),
        version=integer_at(found, "version"),
        plan_hash=text_at(found, "planHash"),
        address=text_at(found, "flow"),
        capture=text_at(found, "traceCaptureMode"),
        initial=initial if isinstance(initial, dict) else None,
        error=message_of(value_at(found, "error")),
    )


def read_runs(text: str) -> list[RunSummary]:
    """The list of runs, newest first.

    Raises:
        ProtocolViolation: It is no such list.
    """
    found = object_of(text, "answer")
    runs = value_at(found, "runs")
    if not isinstance(runs, list):
        raise ProtocolViolation("The server's answer has no list of runs.", CHECK_URL)
    return [read_run(JsonText.of(run).text) for run in runs]


def _paused(text: str, found: Members) -> Paused:
    messages = json_at(text, found, "toolCallMessages") or JsonText("[]")
    listed = value_at(found, "toolCalls")
    calls = read_calls(listed) if listed else calls_of_conversation(messages.value)
    if not calls or messages.kind != "array":
        raise ProtocolViolation("The run waits for tool calls and names none.", CHECK_URL)
    return Paused(
        execution_id=required_at(found, "executionId"),
        step_id=required_at(found, "pausedAtStep"),
        calls=calls,
        messages=messages,
        outputs=json_at(text, found, "accumulatedOutputs") or JsonText("{}"),
        iterations_used=integer_at(found, "iterationsUsed") or 0,
        flow_id=text_at(found, "flowId"),
        block_count=integer_at(found, "blockCount"),
    )
