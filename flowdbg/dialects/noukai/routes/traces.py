"""Runs and traces as JSON (protocol sections 8 and 9.2).

The vendor's fields, and some of ours that its clients ignore: what a step is called and where it
stands, so that a finished run can be opened in the debugger.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flowdbg.dialects.encoding import timestamp
from flowdbg.dialects.noukai import wire
from flowdbg.dialects.records import RunRecord, RunStatus, StepRecord, kept_error
from flowdbg.dialects.services import Address

_STATUSES: Mapping[RunStatus, str] = {
    "pending": "pending",
    "running": "running",
    "paused": "running",
    "completed": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
    "interrupted": "failed",
}
"""Our statuses in the vendor's words; its clients refuse others."""

FILTERS: Mapping[str, tuple[RunStatus, ...]] = {
    "running": ("pending", "running", "paused"),
    "completed": ("completed",),
    "failed": ("failed", "interrupted"),
    "cancelled": ("cancelled",),
}
"""What the list of runs can be asked for."""


def status_of(run: RunRecord) -> str:
    """A run's status in the vendor's words."""
    return _STATUSES[run.status]


def snapshots_available(run: RunRecord) -> bool:
    """Whether inputs and outputs were kept."""
    return run.capture in ("full", "redacted")


def run_json(run: RunRecord, address: Address) -> dict[str, Any]:
    """The summary of a run (section 8.2)."""
    summary: dict[str, Any] = {
        "id": run.id,
        "flowId": run.flow_id,
        "status": status_of(run),
        "triggerType": run.trigger,
        "startedAt": timestamp(run.started_at),
        "completedAt": None if run.ended_at is None else timestamp(run.ended_at),
        "durationMs": None
        if run.ended_at is None
        else max(0, round((run.ended_at - run.started_at) * 1000)),
        "stepCount": run.step_count,
        "flow": str(address),
        "version": run.version,
        "planHash": run.plan_hash,
        "sessionId": run.session_id,
        "traceCaptureMode": run.capture,
        "tokens": wire.tokens(run.prompt_tokens, run.completion_tokens),
        "costUsd": format(run.cost, "f"),
        "error": run.error and kept_error(run.error, run.capture),
    }
    if run.capture == "full":
        summary["initial"] = run.initial
    return summary


def trace_json(run: RunRecord, address: Address, steps: Sequence[StepRecord]) -> dict[str, Any]:
    """The whole trace (section 8.3): the latest attempt of each step."""
    return {
        "flowRun": run_json(run, address),
        "steps": [step_json(run, record) for record in latest(steps)],
    }


def step_json(run: RunRecord, record: StepRecord) -> dict[str, Any]:
    """One execution of a step (section 8.3)."""
    note = record.note
    output, wrapped = _context(note.output)
    return {
        "stepId": note.step_id,
        "name": note.name,
        "entryId": note.entry_id,
        "path": note.path,
        **_execution_json(record),
        "modelUsed": note.model,
        "tokens": wire.tokens(note.prompt_tokens, note.completion_tokens),
        "costUsd": None if note.cost is None else format(note.cost, "f"),
        "inputContext": _context(note.input)[0],
        "outputContext": output,
        "wrapped": wrapped,
        "errorContext": _context(note.error)[0] if snapshots_available(run) else None,
        "inputSizeBytes": note.input_bytes,
        "outputSizeBytes": note.output_bytes,
        "truncated": False,
    }


def execution_json(run: RunRecord, address: Address, steps: Sequence[StepRecord]) -> dict[str, Any]:
    """One run of a recorded session (section 9): its plan entries, in the order they began.

    What ran inside containers is left out, because a replay takes the last step's output for the
    flow's result.
    """
    entries = [record for record in latest(steps) if not record.note.path]
    entries.sort(key=lambda record: record.note.started_at)
    failed = [record.note.step_id for record in entries if record.note.status == "failed"]
    return {
        "executionId": run.id,
        "flowId": run.flow_id,
        "slug": address.flow,
        "triggerType": run.trigger,
        "status": status_of(run),
        "startedAt": timestamp(run.started_at),
        "completedAt": None if run.ended_at is None else timestamp(run.ended_at),
        "traceCaptureMode": run.capture,
        "snapshotsAvailable": snapshots_available(run),
        "steps": [_snapshot_json(run, record) for record in entries],
        "errorAtStep": failed[-1] if failed else None,
    }


def latest(steps: Iterable[StepRecord]) -> list[StepRecord]:
    """The last attempt of each step at each place, in the order in which they ended."""
    last: dict[tuple[Any, ...], StepRecord] = {}
    for record in steps:
        key = (record.note.entry_id, *record.note.path)
        last.pop(key, None)
        last[key] = record
    return list(last.values())


def _snapshot_json(run: RunRecord, record: StepRecord) -> dict[str, Any]:
    note = record.note
    return {
        "stepId": note.step_id,
        **_execution_json(record),
        "inputSnapshot": _context(note.input)[0],
        "outputSnapshot": _read(note.output),
        "errorSnapshot": _context(note.error)[0] if snapshots_available(run) else None,
        "truncated": False,
    }


def _execution_json(record: StepRecord) -> dict[str, Any]:
    note = record.note
    ended = None if note.status == "running" else note.started_at + note.duration_ms / 1000
    return {
        "attempt": record.attempt,
        "loopIndex": note.loop_index,
        "status": note.status,
        "startedAt": timestamp(note.started_at),
        "completedAt": None if ended is None else timestamp(ended),
        "durationMs": note.duration_ms,
    }


def _context(text: str | None) -> tuple[Any, bool]:
    """A kept value as an object, and whether it had to be wrapped into one (section 17.21)."""
    value = _read(text)
    if text is None or isinstance(value, dict):
        return value, False
    return {"value": value}, True


def _read(text: str | None) -> Any:
    return None if text is None else json.loads(text)
