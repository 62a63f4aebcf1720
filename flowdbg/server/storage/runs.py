"""Runs and the steps they made: the statements, each a function of a connection.

A run's `status` is `running` while a call of it is being served, `paused` between the calls of
someone who steps, and at last `completed`, `failed`, `cancelled` (its client went away) or
`interrupted` (its server did).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from flowdbg.server.storage.schema import run_steps, runs

Status = Literal["pending", "running", "paused", "completed", "failed", "cancelled", "interrupted"]
Trigger = Literal["step", "execute", "job"]
OPEN: tuple[Status, ...] = ("pending", "running", "paused")


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run, as stored."""

    id: str
    flow_id: str
    version: int | None
    """None for the draft."""
    plan_hash: str
    trigger_type: Trigger
    status: Status
    session_id: str | None
    capture: str
    initial: Mapping[str, Any]
    """What the run was started with: `message`, `parameters`, `attachments`."""
    step_count: int
    started_at: float
    ended_at: float | None
    prompt_tokens: int
    completion_tokens: int
    cost: Decimal
    error: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class NewRun:
    """What a run's record begins with."""

    id: str
    flow_id: str
    version: int | None
    plan_hash: str
    trigger_type: Trigger
    capture: str
    initial: Mapping[str, Any]
    step_count: int
    session_id: str | None = None
    status: Status = "running"


@dataclass(frozen=True, slots=True)
class NewStep:
    """What one execution of a step, or of a block inside one, left behind.

    `input`, `output` and `error` are JSON texts, or None when the run captures none.
    """

    step_id: str
    path: tuple[str | int, ...]
    """Identifiers and iteration indexes below the plan entry; empty for the entry itself."""
    status: Literal["running", "completed", "failed", "skipped"]
    started_at: float
    duration_ms: int
    loop_index: int | None = None
    model: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: Decimal | None = None
    input: str | None = None
    output: str | None = None
    error: str | None = None
    input_bytes: int = 0
    output_bytes: int = 0


@dataclass(frozen=True, slots=True)
class StepRow:
    """One execution of a step, as stored."""

    ordinal: int
    attempt: int
    step: NewStep


def to_text(value: Any) -> str:
    """JSON in ASCII: any database keeps it, whatever a model wrote."""
    return json.dumps(value, separators=(",", ":"))


def start_run(connection: Connection, run: NewRun, owner: str) -> None:
    """Write a run's record."""
    connection.execute(
        insert(runs).values(
            id=run.id,
            flow_id=run.flow_id,
            version=run.version,
            plan_hash=run.plan_hash,
            trigger_type=run.trigger_type,
            status=run.status,
            owner=owner,
            session_id=run.session_id,
            capture=run.capture,
            initial=to_text(run.initial),
            step_count=run.step_count,
            started_at=time.time(),
            prompt_tokens=0,
            completion_tokens=0,
            cost="0",
        )
    )


def continue_run(
    connection: Connection,
    run_id: str,
    owner: str,
    *,
    version: int | None,
    plan_hash: str,
    initial: Mapping[str, Any] | None = None,
) -> None:
    """Mark a run as being served again, by this process; `initial` replaces what it began with."""
    values: dict[str, Any] = {
        "status": "running",
        "owner": owner,
        "ended_at": None,
        "error": None,
        "version": version,
        "plan_hash": plan_hash,
    }
    if initial is not None:
        values["initial"] = to_text(initial)
    connection.execute(update(runs).where(runs.c.id == run_id).values(values))


def close_call(
    connection: Connection,
    run_id: str,
    status: Status,
    steps: Sequence[NewStep],
    error: Mapping[str, Any] | None = None,
) -> None:
    """Write what a call did, and the run's status after it."""
    add_steps(connection, run_id, steps)
    row = connection.execute(
        select(runs.c.prompt_tokens, runs.c.completion_tokens, runs.c.cost).where(
            runs.c.id == run_id
        )
    ).first()
    if row is None:  # the run was removed while it was served
        return
    entries = [step for step in steps if not step.path]
    cost = sum((step.cost for step in entries if step.cost is not None), Decimal(row.cost))
    connection.execute(
        update(runs)
        .where(runs.c.id == run_id)
        .values(
            status=status,
            ended_at=None if status in OPEN else time.time(),
            prompt_tokens=row.prompt_tokens + sum(step.prompt_tokens for step in entries),
            completion_tokens=row.completion_tokens
            + sum(step.completion_tokens for step in entries),
            cost=format(cost, "f"),
            error=None if error is None else to_text(error),
        )
    )


def add_steps(connection: Connection, run_id: str, steps: Sequence[NewStep]) -> None:
    """Append step records; a step that ran before gets the next attempt number."""
    if not steps:
        return
    last = connection.execute(
        select(func.max(run_steps.c.ordinal)).where(run_steps.c.run_id == run_id)
    ).scalar()
    ordinal = -1 if last is None else int(last)
    attempts: dict[tuple[str, str], int] = {}
    if last is not None:
        rows = connection.execute(
            select(run_steps.c.step_id, run_steps.c.path, func.max(run_steps.c.attempt))
            .where(run_steps.c.run_id == run_id)
            .group_by(run_steps.c.step_id, run_steps.c.path)
        )
        attempts = {(row[0], row[1]): int(row[2]) for row in rows.all()}
    values: list[dict[str, Any]] = []
    for step in steps:
        ordinal += 1
        path = to_text(step.path)
        attempt = attempts.get((step.step_id, path), 0) + 1
        attempts[step.step_id, path] = attempt
        values.append(_step_values(run_id, ordinal, attempt, path, step))
    connection.execute(insert(run_steps), values)


def find_run(connection: Connection, run_id: str) -> RunRow | None:
    """One run, if the database has it."""
    row = connection.execute(select(runs).where(runs.c.id == run_id)).first()
    return None if row is None else _run(row)


def steps_of(connection: Connection, run_id: str) -> list[StepRow]:
    """Every step record of a run, in the order in which they ended."""
    rows = connection.execute(
        select(run_steps).where(run_steps.c.run_id == run_id).order_by(run_steps.c.ordinal)
    )
    return [_step(row) for row in rows.all()]


def mark_interrupted(connection: Connection, lives: Callable[[Connection, str], bool]) -> int:
    """Mark the runs that a dead server was serving; how many there were.

    Queued jobs are left alone: their queue goes on with them.
    """
    serving = select(runs.c.owner).where(runs.c.status == "running", runs.c.trigger_type != "job")
    count = 0
    for owner in connection.execute(serving.distinct()).scalars().all():
        if lives(connection, owner):
            continue
        result = connection.execute(
            update(runs)
            .where(
                runs.c.status == "running",
                runs.c.trigger_type != "job",
                runs.c.owner == owner,
            )
            .values(
                status="interrupted",
                ended_at=time.time(),
                error=to_text(
                    {"code": "INTERRUPTED", "message": "The server stopped during this run."}
                ),
            )
        )
        count += result.rowcount
    return count


def delete_older(connection: Connection, before: float) -> int:
    """Remove the runs that began before a time and are over; how many there were."""
    old = (
        connection.execute(
            select(runs.c.id).where(
                runs.c.started_at < before, runs.c.status.not_in(("pending", "running"))
            )
        )
        .scalars()
        .all()
    )
    for start in range(0, len(old), 500):
        part = old[start : start + 500]
        connection.execute(delete(run_steps).where(run_steps.c.run_id.in_(part)))
        connection.execute(delete(runs).where(runs.c.id.in_(part)))
    return len(old)


def _step_values(
    run_id: str, ordinal: int, attempt: int, path: str, step: NewStep
) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "ordinal": ordinal,
        "step_id": step.step_id,
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


def _run(row: Row[Any]) -> RunRow:
    return RunRow(
        id=row.id,
        flow_id=row.flow_id,
        version=row.version,
        plan_hash=row.plan_hash,
        trigger_type=row.trigger_type,
        status=row.status,
        session_id=row.session_id,
        capture=row.capture,
        initial=json.loads(row.initial),
        step_count=row.step_count,
        started_at=row.started_at,
        ended_at=row.ended_at,
        prompt_tokens=row.prompt_tokens,
        completion_tokens=row.completion_tokens,
        cost=Decimal(row.cost),
        error=None if row.error is None else json.loads(row.error),
    )


def _step(row: Row[Any]) -> StepRow:
    step = NewStep(
        step_id=row.step_id,
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
    return StepRow(row.ordinal, row.attempt, step)
