"""The steps that runs made: the statements, each a function of a connection."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, delete, func, insert, select

from flowdbg.dialects.records import StepNote, StepRecord
from flowdbg.server.storage.schema import run_steps

_FIELDS = tuple(field.name for field in fields(StepNote))
# Made once: putting a statement together takes as long as carrying it out.
_ADD = insert(run_steps)
_LAST = (
    select(
        run_steps.c.step_id,
        run_steps.c.path,
        func.max(run_steps.c.attempt).label("attempt"),
        func.max(case((run_steps.c.status == "running", run_steps.c.ordinal))).label("waiting"),
    )
    .where(run_steps.c.run_id == bindparam("run"))
    .group_by(run_steps.c.step_id, run_steps.c.path)
)
_ONE = (run_steps.c.run_id == bindparam("run")) & (run_steps.c.ordinal == bindparam("at"))
_GET = select(run_steps).where(_ONE)
_REMOVE = delete(run_steps).where(_ONE)
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

    One that was waiting for tool results goes on in its attempt: its record moves to the end.
    `last` is the ordinal of the run's last record; None when it has none.
    """
    attempts: dict[tuple[str, str], int] = {}
    waiting: dict[tuple[str, str], int] = {}
    if last is not None:
        for row in connection.execute(_LAST, {"run": run_id}).all():
            attempts[row.step_id, row.path] = row.attempt
            if row.waiting is not None:
                waiting[row.step_id, row.path] = row.waiting
    values: list[dict[str, Any]] = []
    for ordinal, step in enumerate(steps, 0 if last is None else last + 1):
        path = to_text(step.path)
        place = step.step_id, path
        attempt = attempts.get(place, 0) + 1
        whole = step
        if place in waiting:
            attempt -= 1
            whole = _gone_on(_taken(connection, run_id, waiting.pop(place)), step)
        attempts[place] = attempt
        values.append(_step_values(run_id, ordinal, attempt, path, whole))
    connection.execute(_ADD, values)


def steps_of(connection: Connection, run_id: str) -> list[StepRecord]:
    """Every step record of a run, in the order in which they ended."""
    return [_step(row) for row in connection.execute(_OF_RUN, {"run": run_id}).all()]


def with_unwritten(records: Sequence[StepRecord], notes: Sequence[StepNote]) -> list[StepRecord]:
    """A run's records as they will be when the notes are added."""
    found = list(records)
    last = {(record.note.step_id, record.note.path): record for record in records}
    for ordinal, note in enumerate(notes, records[-1].ordinal + 1 if records else 0):
        place = note.step_id, note.path
        before = last.get(place)
        record = StepRecord(ordinal, before.attempt + 1 if before else 1, note)
        if before is not None and before.note.status == "running":
            found.remove(before)
            record = StepRecord(ordinal, before.attempt, _gone_on(before.note, note))
        last[place] = record
        found.append(record)
    return found


def _taken(connection: Connection, run_id: str, ordinal: int) -> StepNote:
    """A record, which is removed."""
    at = {"run": run_id, "at": ordinal}
    record = _step(connection.execute(_GET, at).one())
    connection.execute(_REMOVE, at)
    return record.note


def _gone_on(before: StepNote, after: StepNote) -> StepNote:
    """One execution that a pause for tool results divided into two calls."""
    known = before.cost is not None and after.cost is not None
    return replace(
        after,
        started_at=before.started_at,
        duration_ms=before.duration_ms + after.duration_ms,
        model=after.model or before.model,
        prompt_tokens=before.prompt_tokens + after.prompt_tokens,
        completion_tokens=before.completion_tokens + after.completion_tokens,
        cost=before.cost + after.cost if known else None,  # type: ignore[operator]  # both known
    )


def note_to_json(note: StepNote) -> dict[str, Any]:
    """A record as a JSON object."""
    return {**asdict(note), "cost": None if note.cost is None else format(note.cost, "f")}


def note_from_json(value: Mapping[str, Any]) -> StepNote:
    """The record of `note_to_json`; what else the object has is left out."""
    cost = value["cost"]
    read = {"path": tuple(value["path"]), "cost": None if cost is None else Decimal(cost)}
    return StepNote(**{name: value[name] for name in _FIELDS} | read)


def _step_values(
    run_id: str, ordinal: int, attempt: int, path: str, step: StepNote
) -> dict[str, Any]:
    return {
        **note_to_json(step),
        "run_id": run_id,
        "ordinal": ordinal,
        "attempt": attempt,
        "path": path,
        "ended_at": step.started_at + step.duration_ms / 1000,
    }


def _step(row: Row[Any]) -> StepRecord:
    note = note_from_json({**row._mapping, "path": json.loads(row.path)})
    return StepRecord(row.ordinal, row.attempt, note)
