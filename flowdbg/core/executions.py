"""The executions of a session: finding the one an event belongs to, and putting it in its place.

An execution is an attempt at a step; what runs inside one hangs on it by its path. All are found
through the turn that is under way, because an earlier turn's executions are over.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from flowdbg.core.events import Path
from flowdbg.core.session import Anomaly, Branch, Execution, Session, Status, Turn


def note_anomaly(session: Session, at: float, turn: int, what: str) -> Session:
    """The session with one more anomaly, tied to the newest event."""
    anomaly = Anomaly(at, turn, len(session.events) - 1, what)
    return session.replace(anomalies=session.anomalies.append(anomaly))


def execution_of(branch: Branch, turn: Turn, step_id: str, path: Path = ()) -> Execution | None:
    """The turn's execution of a step, or of something inside it."""
    attempts = branch.executions.get(step_id)
    if not attempts or attempts[-1].turn != turn.number:
        return None
    return attempts[-1].children.get(path) if path else attempts[-1]


def running(
    session: Session, turn: Turn, at: float, step_id: str, path: Path
) -> tuple[Session, Execution | None]:
    """The execution that an event tells more of; begun here when nothing announced it.

    None when it is over, or the step around it is: then the event is an anomaly.
    """
    branch = session.branches[turn.branch]
    whole = execution_of(branch, turn, step_id)
    if whole is None:
        session = note_anomaly(session, at, turn.number, f"'{step_id}' had not begun")
        session = begin(session, turn, at, step_id, "")
        whole = session.branches[turn.branch].executions[step_id][-1]
    found = whole.children.get(path, inside(whole, path, "", at)) if path else whole
    if Status.RUNNING is whole.status is found.status:
        return session, found
    what = f"'{step_id}' had already ended{_place(path)}"
    return note_anomaly(session, at, turn.number, what), None


def begin(session: Session, turn: Turn, at: float, step_id: str, name: str) -> Session:
    """The session with a further attempt at a step."""
    branch = session.branches[turn.branch]
    attempts = branch.executions.get(step_id, ())
    begun = Execution(step_id, len(attempts) + 1, name=name, turn=turn.number, started_at=at)
    executions = {**branch.executions, step_id: (*attempts, begun)}
    return put_branch(session, branch.replace(executions=executions))


def begin_inside(
    session: Session, turn: Turn, at: float, step_id: str, path: Path, name: str
) -> Session:
    """The session with something begun inside a step that runs; an anomaly when it cannot be."""
    whole = execution_of(session.branches[turn.branch], turn, step_id)
    if whole is None:
        return note_anomaly(session, at, turn.number, f"'{step_id}' had not begun")
    if path in whole.children:
        return note_anomaly(session, at, turn.number, f"'{step_id}' began twice{_place(path)}")
    if whole.status is not Status.RUNNING:
        return note_anomaly(session, at, turn.number, f"'{step_id}' had already ended")
    return put(session, turn, inside(whole, path, name, at))


def inside(whole: Execution, path: Path, name: str, at: float) -> Execution:
    """A new execution of something inside a step."""
    return Execution(whole.step_id, whole.attempt, path, name, turn=whole.turn, started_at=at)


def closed(execution: Execution, status: Status, at: float, left_open: Status) -> Execution:
    """An execution at its end; what still runs inside it gets the status `left_open`."""
    children = {
        path: dataclasses.replace(child, status=left_open, ended_at=at)
        if child.status is Status.RUNNING
        else child
        for path, child in execution.children.items()
    }
    return dataclasses.replace(execution, status=status, ended_at=at, children=children)


def put(session: Session, turn: Turn, execution: Execution) -> Session:
    """The session with an execution in its place: the newest attempt, or inside that."""
    branch = session.branches[turn.branch]
    attempts = branch.executions[execution.step_id]
    newest = execution
    if execution.path:
        children = {**attempts[-1].children, execution.path: execution}
        newest = dataclasses.replace(attempts[-1], children=children)
    executions = {**branch.executions, execution.step_id: (*attempts[:-1], newest)}
    return put_branch(session, branch.replace(executions=executions))


def put_branch(session: Session, branch: Branch) -> Session:
    """The session with a branch in its place, which is its number."""
    at = branch.number
    return session.replace(branches=(*session.branches[:at], branch, *session.branches[at + 1 :]))


def put_turn(session: Session, turn: Turn, **changes: Any) -> Session:
    """The session with some fields of the running turn changed."""
    return session.replace(running=dataclasses.replace(session.running or turn, **changes))


def at_work(branch: Branch, turn: Turn) -> str:
    """The step that runs in a turn; empty when none does."""
    for step_id, attempts in branch.executions.items():
        if attempts[-1].turn == turn.number and attempts[-1].status is Status.RUNNING:
            return step_id
    return ""


def _place(path: Path) -> str:
    return f" at {'/'.join(map(str, path))}" if path else ""
