"""What is kept of a run and its steps; the server stores it, the dialects' traces tell it.

A run's `status` is `pending` while it is queued, `running` while a call of it is served, `paused`
between the calls of someone who steps, and at last `completed`, `failed`, `cancelled` (its client
went away) or `interrupted` (its server did).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

Trigger = Literal["step", "execute", "job"]
RunStatus = Literal[
    "pending", "running", "paused", "completed", "failed", "cancelled", "interrupted"
]
CallEnd = Literal["paused", "completed", "failed", "cancelled", "interrupted"]
StepStatus = Literal["running", "completed", "failed", "skipped"]
Capture = Literal["full", "redacted", "metadata_only", "off"]
"""How much of inputs and outputs is kept (noukai section 8.6)."""

CAPTURES: tuple[Capture, ...] = ("full", "redacted", "metadata_only", "off")
OPEN: tuple[RunStatus, ...] = ("pending", "running", "paused")
"""The statuses of a run that is not over."""

RETRIED = "retried"
"""Marks the error of an attempt after which the block tried again; `true` there."""
_OWN_ERRORS = frozenset(
    {"CANCELLED", "INTERRUPTED", "INTERNAL_ERROR", "OUTCOME_UNKNOWN", "TIMEOUT"}
)


@dataclass(frozen=True, slots=True)
class StepNote:
    """What one execution of a step, or of a block inside one, left behind.

    `input`, `output` and `error` are JSON texts, or None when the run captures none.
    """

    step_id: str
    name: str
    entry_id: str
    """The plan entry that it is, or is inside of."""
    path: tuple[str | int, ...]
    """Identifiers and iteration indexes below the plan entry; empty for the entry itself."""
    status: StepStatus
    started_at: float
    """Seconds since the epoch."""
    duration_ms: int
    loop_index: int | None = None
    """The index of the innermost iteration around it."""
    model: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: Decimal | None = None
    """US dollars; None when a provider did not tell."""
    input: str | None = None
    output: str | None = None
    error: str | None = None
    input_bytes: int = 0
    output_bytes: int = 0


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One execution of a step, as stored."""

    ordinal: int
    """Position in the run, in the order in which steps ended."""
    attempt: int
    """Counts the executions of this step in this run, from 1."""
    note: StepNote


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run, as stored."""

    id: str
    flow_id: str
    version: int | None
    """None for the draft."""
    plan_hash: str
    trigger: Trigger
    status: RunStatus
    session_id: str | None
    capture: Capture
    initial: Mapping[str, Any]
    """What the run was started with: `message`, `parameters`, …"""
    step_count: int
    started_at: float
    ended_at: float | None
    prompt_tokens: int
    completion_tokens: int
    cost: Decimal
    error: Mapping[str, Any] | None
    pending: Mapping[str, Any] | None
    """What a pause for tool calls needs in order to go on."""
    result: str | None
    """The flow's output as JSON text, of a run whose answer is fetched later."""


def kept_error(error: Mapping[str, Any], capture: Capture) -> dict[str, Any]:
    """An error as a capture mode keeps it: code and place, and only with `full` its words.

    A flow's errors quote what it works on; those of the server itself say nothing of it.
    """
    if capture == "full" or error.get("code") in _OWN_ERRORS:
        return dict(error)
    kept = {name: error[name] for name in ("code", "stepId", RETRIED) if name in error}
    return {**kept, "message": f"Its message is not kept in capture mode {capture}."}


def redacted(value: Any) -> Any:
    """A JSON value with its shape, numbers and switches, and without its words."""
    if isinstance(value, str):
        return f"[{len(value)} characters]"
    if isinstance(value, list):
        return [redacted(item) for item in value]
    if isinstance(value, dict):
        return {key: redacted(item) for key, item in value.items()}
    return value
