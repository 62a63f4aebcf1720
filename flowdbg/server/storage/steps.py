"""The steps that runs made: the statements, each a function of a connection."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select

from flowdbg.dialects.records import StepNote, StepRecord
from flowdbg.server.storage.schema import run_steps

# Made once: putting a statement together takes as long as carrying it out.
_ADD = insert(run_steps)
_ATTEMPTS = (
    select(run_steps.c.step_id, run_steps.c.path, func.max(run_steps.c.attempt))
    .where(run_steps.c.run_id == bindparam("run"))
    .group_by(run_steps.c.step_id, run_steps.c.path)
)
_OF_RUN = (
    select(run_steps).where(run_steps.c.run_id == bindparam("run")).order_by(run_steps.c.ordinal)
)


def to_text(value: Any) -> str:
    """JSON in ASCII: any database keeps it, whatever a model wrote."""
    return json.dumps(value, separators=(",", ":"))


def add_steps(
    connection: Connection, run_id: str, steps: Sequence[StepNote], last: int | None
) -> None:
    """Append step records; a step that ran before gets the next attempt number.

    `last` is the ordinal of the run's last record; None when it has none.
    """
    ordinal = -1 if last is None else last
    attempts: dict[tuple[str, str], int] = {}
    if last is not None:
        rows = connection.execute(_ATTEMPTS, {"run": run_id})
        attempts = {(row[0], row[1]): int(row[2]) for row in rows.all()}
    values: list[dict[str, Any]] = []
    for step in steps:
        ordinal += 1
        path = to_text(step.path)
        attempt = attempts.get((step.step_id, path), 0) + 1
        attempts[step.step_id, path] = attempt
        values.append(_step_values(run_id, ordinal, attempt, path, step))
    connection.execute(_ADD, values)


def steps_of(connection: Connection, run_id: str) -> list[StepRecord]:
    """Every step record of a run, in the order in which they ended."""
    return [_step(row) for row in connection.execute(_OF_RUN, {"run": run_id}).all()]


def note_to_json(note: StepNote) -> dict[str, Any]:
    """A record as a JSON object."""
    return {**asdict(note), "cost": None if note.cost is None else format(note.cost, "f")}


def note_from_json(value: Mapping[str, Any]) -> StepNote:
    """The record of `note_to_json`."""
    cost = value["cost"]
    read = {"path": tuple(value["path"]), "cost": None if cost is None else Decimal(cost)}
    return StepNote(**{**value, **read})


def _step_values(
    run_id: str, ordinal: int, attempt: int, path: str, step: StepNote
) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "ordinal": ordinal,
        "step_id": step.step_id,
        "name": step.name,
        "entry_id": step.entry_id,
        "path": path,
        "attempt": attempt,
        "loop_index": step.loop_index,
        "status": step.status,
        "started_at": step.started_at,
        "ended_at": step.started_at + step.duration_ms / 1000,
        "duration_ms": step.duration_ms,
        "model": step.model,
        "prompt_tokens": step.prompt_tokens,
        "completion_tokens": step.completion_tokens,
        "cost": None if step.cost is None else format(step.cost, "f"),
        "input": step.input,
        "output": step.output,
        "error": step.error,
        "input_bytes": step.input_bytes,
        "output_bytes": step.output_bytes,
    }


def _step(row: Row[Any]) -> StepRecord:
    note = StepNote(
        step_id=row.step_id,
        name=row.name,
        entry_id=row.entry_id,
        path=tuple(json.loads(row.path)),
        status=row.status,
        started_at=row.started_at,
        duration_ms=row.duration_ms,
        loop_index=row.loop_index,
        model=row.model,
        prompt_tokens=row.prompt_tokens,
        completion_tokens=row.completion_tokens,
        cost=None if row.cost is None else Decimal(row.cost),
        input=row.input,
        output=row.output,
        error=row.error,
        input_bytes=row.input_bytes,
        output_bytes=row.output_bytes,
    )
    return StepRecord(row.ordinal, row.attempt, note)
