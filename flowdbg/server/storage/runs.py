"""Runs: the statements, each a function of a connection.

What they write and read is described in `flowdbg.dialects.records`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from flowdbg.dialects.records import (
    OPEN,
    Capture,
    RunRecord,
    RunStatus,
    StepNote,
    Trigger,
)
from flowdbg.dialects.services import RunStart
from flowdbg.server.storage.schema import run_steps, runs, storable
from flowdbg.server.storage.steps import add_steps, to_text

# Made once: putting a statement together takes as long as carrying it out.
_START = insert(runs)
_CHANGE = update(runs).where(runs.c.id == bindparam("run"))
_BY_ID = select(runs).where(runs.c.id == bindparam("run"))
_SO_FAR = select(
    runs.c.prompt_tokens,
    runs.c.completion_tokens,
    runs.c.cost,
    select(func.max(run_steps.c.ordinal))
    .where(run_steps.c.run_id == bindparam("run"))
    .scalar_subquery()
    .label("last"),
).where(runs.c.id == bindparam("run"))


@dataclass(frozen=True, slots=True)
class NewRun:
    """What a run's record begins with."""

    id: str
    flow_id: str
    version: int | None
    plan_hash: str
    trigger: Trigger
    capture: Capture
    initial: Mapping[str, Any]
    step_count: int
    session_id: str | None = None
    status: RunStatus = "running"


def start_run(
    connection: Connection, run: NewRun, owner: str, pending: Mapping[str, Any] | None = None
) -> None:
    """Write a run's record; `pending` is what a queued run is asked for."""
    connection.execute(
        _START,
        {
            "id": run.id,
            "flow_id": run.flow_id,
            "version": run.version,
            "plan_hash": run.plan_hash,
            "trigger_type": run.trigger,
            "status": run.status,
            "owner": owner,
            "session_id": run.session_id,
            "capture": run.capture,
            "initial": to_text(run.initial),
            "pending": None if pending is None else to_text(pending),
            "step_count": run.step_count,
            "started_at": time.time(),
            "prompt_tokens": 0,
            "completion_tokens": 0,
            "cost": "0",
        },
    )


def continue_run(connection: Connection, start: RunStart, owner: str) -> bool:
    """Mark a run as being served again, by this process.

    Returns:
        Whether the run is marked. With `start.after` it is only when nobody serves it and it waits
        for what it waited for then, so of several who answer one pause one goes on.
    """
    values: dict[str, Any] = {
        "status": "running",
        "owner": owner,
        "ended_at": None,
        "error": None,
        "version": start.resolved.version,
        "plan_hash": start.resolved.plan_hash,
    }
    if start.trigger != "job":
        values["pending"] = None
    if not start.keep_initial:
        values["initial"] = to_text(start.initial)
    change = _CHANGE
    if start.after is not None:
        pending = None if start.after.pending is None else to_text(start.after.pending)
        waits = runs.c.pending.is_not_distinct_from(pending)
        change = change.where(runs.c.status != "running", waits)
    return connection.execute(change, {"run": start.run_id, **values}).rowcount > 0


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """How a call of a run ended."""

    status: RunStatus
    error: Mapping[str, Any] | None = None
    pending: Mapping[str, Any] | None = None
    result: str | None = None
    """The flow's output as JSON text, when it is to be fetched later."""


def close_call(
    connection: Connection, run_id: str, outcome: CallOutcome, steps: Sequence[StepNote]
) -> None:
    """Write what a call did, and the run's status after it."""
    ended = {
        "status": outcome.status,
        "ended_at": None if outcome.status in OPEN else time.time(),
        "error": None if outcome.error is None else to_text(outcome.error),
        "pending": None if outcome.pending is None else to_text(outcome.pending),
        "result": outcome.result,
    }
    consumed = _add(connection, run_id, steps)
    connection.execute(_CHANGE, {"run": run_id, **consumed, **ended})


def write_steps(connection: Connection, run_id: str, steps: Sequence[StepNote]) -> None:
    """Append step records, and add what they consumed to the run's."""
    consumed = _add(connection, run_id, steps)
    if consumed:
        connection.execute(_CHANGE, {"run": run_id, **consumed})


def _add(connection: Connection, run_id: str, steps: Sequence[StepNote]) -> dict[str, Any]:
    """Append step records; what the run has consumed with them, as values of its record."""
    row = connection.execute(_SO_FAR, {"run": run_id}).first() if steps else None
    if row is None:  # nothing to add, or the run was removed while it was served
        return {}
    add_steps(connection, run_id, steps, row.last)
    entries = [step for step in steps if not step.path]
    cost = sum((step.cost for step in entries if step.cost is not None), Decimal(row.cost))
    return {
        "prompt_tokens": row.prompt_tokens + sum(step.prompt_tokens for step in entries),
        "completion_tokens": row.completion_tokens
        + sum(step.completion_tokens for step in entries),
        "cost": format(cost, "f"),
    }


def find_run(connection: Connection, run_id: str) -> RunRecord | None:
    """One run, if the database has it."""
    if not storable(run_id):
        return None
    row = connection.execute(_BY_ID, {"run": run_id}).first()
    return None if row is None else _run(row)


def runs_of_flow(
    connection: Connection, flow_id: str, statuses: Sequence[RunStatus], limit: int
) -> list[RunRecord]:
    """The newest runs of a flow; no statuses means all."""
    query = select(runs).where(runs.c.flow_id == flow_id)
    if statuses:
        query = query.where(runs.c.status.in_(statuses))
    rows = connection.execute(query.order_by(runs.c.started_at.desc(), runs.c.id).limit(limit))
    return [_run(row) for row in rows.all()]


def runs_of_session(connection: Connection, session_id: str) -> list[RunRecord]:
    """The runs that carry a session's tag, in the order in which they were called."""
    rows = connection.execute(
        select(runs).where(runs.c.session_id == session_id).order_by(runs.c.started_at, runs.c.id)
    )
    return [_run(row) for row in rows.all()]


# Those that the queue cares for; stepped after its end, a queued run is like any other.
_QUEUED = (runs.c.trigger_type == "job") & runs.c.pending.is_not(None)


def mark_interrupted(connection: Connection, lives: Callable[[Connection, str], bool]) -> int:
    """Mark the runs that a dead server was serving; how many there were.

    Queued jobs are left alone: their queue goes on with them.
    """
    served = (runs.c.status == "running") & ~_QUEUED
    count = 0
    for owner in connection.execute(select(runs.c.owner).where(served).distinct()).scalars().all():
        if lives(connection, owner):
            continue
        result = connection.execute(
            update(runs)
            .where(served, runs.c.owner == owner)
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


def save_pending(connection: Connection, run_id: str, pending: str) -> None:
    """Replace what a run needs in order to go on (JSON text)."""
    connection.execute(update(runs).where(runs.c.id == run_id).values(pending=pending))


def doubtful_jobs(
    connection: Connection, lives: Callable[[Connection, str], bool]
) -> list[tuple[str, bool]]:
    """The queued runs that may need care, and whether their server is dead.

    A run that has not begun is doubtful even when the server that queued it lives: another one may
    have taken it from the queue and died at once.
    """
    query = select(runs.c.id, runs.c.owner, runs.c.status).where(
        runs.c.status.in_(("pending", "running")), _QUEUED
    )
    rows = connection.execute(query.order_by(runs.c.started_at)).all()
    dead = {owner for owner in {row.owner for row in rows} if not lives(connection, owner)}
    return [
        (row.id, row.owner in dead) for row in rows if row.owner in dead or row.status == "pending"
    ]


def take_over(connection: Connection, run_id: str, owner: str) -> None:
    """Write which server cares for a queued run."""
    connection.execute(update(runs).where(runs.c.id == run_id).values(owner=owner))


def delete_older(connection: Connection, before: float, most: int = 500) -> int:
    """Remove runs that began before a time and nobody works on; how many were removed.

    At most so many: others wait for the end of a transaction.
    """
    idle = runs.c.status.not_in(("pending", "running"))
    query = select(runs.c.id).where(runs.c.started_at < before, idle).limit(most)
    old = connection.execute(query).scalars().all()
    connection.execute(delete(run_steps).where(run_steps.c.run_id.in_(old)))
    connection.execute(delete(runs).where(runs.c.id.in_(old)))
    return len(old)


def _run(row: Row[Any]) -> RunRecord:
    return RunRecord(
        id=row.id,
        flow_id=row.flow_id,
        version=row.version,
        plan_hash=row.plan_hash,
        trigger=row.trigger_type,
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
        pending=None if row.pending is None else json.loads(row.pending),
        result=row.result,
    )
