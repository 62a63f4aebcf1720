"""Answers of `/execute`, `/jobs` and the list of runs, read tolerantly (sections 6.3, 7, 8.1, 8.2).

A value is kept as the text it came in. What a server leaves out or spells otherwise is read as far
as it goes; only what a client cannot do without makes a `ProtocolViolation`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flowdbg.core.json_text import JsonText
from flowdbg.core.tool_calls import ToolCall, calls_of_conversation, read_calls
from flowdbg.dialects.noukai.client.fields import (
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
from flowdbg.errors import ProtocolViolation

_PAUSED = "tool_calls_required"


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that came to its end, well or not."""

    status: str
    """`completed` or `failed`, or another word of the server's."""
    result: JsonText
    """The flow's output; of a failed run a message as a rule."""
    execution_id: str = ""
    flow_id: str = ""
    block_count: int | None = None
    error: Mapping[str, Any] | None = None
    """What went wrong: `code`, `message`, `stepId`; told by the embedded server only."""

    @property
    def completed(self) -> bool:
        """Whether the run ended well."""
        return self.status == "completed"


@dataclass(frozen=True, slots=True)
class Paused:
    """A run that waits for tool results."""

    execution_id: str
    step_id: str
    calls: tuple[ToolCall, ...]
    messages: JsonText
    """The conversation so far: echoed with the results behind it."""
    outputs: JsonText
    """Echoed as it is."""
    iterations_used: int = 0
    flow_id: str = ""
    block_count: int | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A job that was queued."""

    execution_id: str
    status: str
    flow_id: str = ""
    block_count: int | None = None


@dataclass(frozen=True, slots=True)
class JobState:
    """How a job stands."""

    execution_id: str
    status: str
    """`pending`, `running`, `completed`, `failed`, or another word of the server's."""
    result: JsonText
    error: str = ""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run, without what its steps did."""

    id: str
    flow_id: str = ""
    status: str = ""
    trigger: str = ""
    started_at: str = ""
    """ISO 8601."""
    completed_at: str = ""
    duration_ms: int | None = None
    step_count: int | None = None
    version: int | None = None
    """This and the following are told by the embedded server only."""
    plan_hash: str = ""
    address: str = ""
    """`org/project/flow`."""
    capture: str = ""
    """`full`, `redacted`, `metadata_only` or `off`."""
    initial: Mapping[str, Any] | None = None
    """What the run was started with; None when it is not told."""
    error: str = ""


def read_executed(text: str) -> Finished | Paused:
    """The answer of `/execute`.

    Raises:
        ProtocolViolation: It is no such answer.
    """
    found = object_of(text, "answer")
    if text_at(found, "status") == _PAUSED:
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
