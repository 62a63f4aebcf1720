"""What one event of a server does to a session.

Every rule looks at what is there before it changes anything: a duplicated, reordered, late,
contradictory or unknown event becomes an anomaly and leaves the rest as it was.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from flowdbg.core.entries import Outcome
from flowdbg.core.events import (
    Event,
    RunCompleted,
    RunStarted,
    StepCompleted,
    StepFailed,
    StepInput,
    StepOutput,
    StepPaused,
    StepProgress,
    StepStarted,
    Tokens,
    ToolCallsRequested,
    UnknownEvent,
)
from flowdbg.core.executions import (
    at_work,
    begin,
    begin_inside,
    closed,
    execution_of,
    note_anomaly,
    put,
    put_branch,
    put_turn,
    running,
)
from flowdbg.core.promises import grown, moved, told_more
from flowdbg.core.session import Execution, Session, Status, Totals, Turn


def apply_event(session: Session, at: float, number: int, event: Event) -> Session:
    """The session after an event of turn `number`, received at `at` seconds since the epoch."""
    turn = session.running
    if turn is None or turn.number != number:
        return note_anomaly(session, at, number, "an event came outside of its turn")
    if turn.terminal is not None:
        if isinstance(event, RunCompleted) and turn.terminal is Outcome.COMPLETED:
            return _second_end(session, turn, event)
        return note_anomaly(session, at, number, "an event came after the end of its turn")
    return _ON_EVENT[type(event)](session, turn, at, event)


def _run_started(session: Session, turn: Turn, at: float, event: RunStarted) -> Session:
    branch = session.branches[turn.branch]
    if branch.execution_id and event.execution_id not in ("", branch.execution_id):
        what = f"the run's id changed from {branch.execution_id} to {event.execution_id}"
        session = note_anomaly(session, at, turn.number, what)
    elif event.execution_id:
        session = put_branch(session, branch.replace(execution_id=event.execution_id))
    surprise = moved(session.plan, event)
    if not session.plan.told:
        session = session.replace(plan=told_more(session.plan, event))
    return put_turn(
        session,
        turn,
        version=event.version,
        plan_hash=event.plan_hash,
        surprise=turn.surprise or surprise,
    )


def _step_started(session: Session, turn: Turn, at: float, event: StepStarted) -> Session:
    if event.path:
        return begin_inside(session, turn, at, event.step_id, event.path, event.name)
    if execution_of(session.branches[turn.branch], turn, event.step_id):
        return note_anomaly(session, at, turn.number, f"'{event.step_id}' began twice")
    index = turn.index + turn.completed
    promised = session.plan.at(index)
    if promised and promised.id != event.step_id:
        what = f"'{event.step_id}' began where the plan has '{promised.id}'"
        session = note_anomaly(session, at, turn.number, what)
        session = put_turn(session, turn, surprise=turn.surprise or what)
    if not turn.surprise:  # else it is a step of another plan
        session = session.replace(plan=grown(session.plan, index, event.step_id, event.name))
    return begin(session, turn, at, event.step_id, event.name)


def _step_input(session: Session, turn: Turn, at: float, event: StepInput) -> Session:
    session, one = running(session, turn, at, event.step_id, event.path)
    return put(session, turn, dataclasses.replace(one, input=event.value)) if one else session


def _step_output(session: Session, turn: Turn, at: float, event: StepOutput) -> Session:
    session, one = running(session, turn, at, event.step_id, event.path)
    if one is None:
        return session
    return put(session, turn, dataclasses.replace(one, chunks=one.chunks.append(event.delta)))


def _step_completed(session: Session, turn: Turn, at: float, event: StepCompleted) -> Session:
    branch = session.branches[turn.branch]
    earlier = execution_of(branch, turn, event.step_id, event.path)
    if earlier and earlier.status is not Status.RUNNING:
        return note_anomaly(session, at, turn.number, f"'{event.step_id}' ended twice")
    if not event.path and (what := _unpromised(session, turn, event.step_id)):
        begun = earlier or event.step_id in branch.outputs or at_work(branch, turn)
        session = note_anomaly(session, at, turn.number, what)
        return session if begun else put_turn(session, turn, surprise=turn.surprise or what)
    session, one = running(session, turn, at, event.step_id, event.path)
    if one is None:
        return session
    status = Status.SKIPPED if event.skipped else Status.DONE
    done = dataclasses.replace(
        closed(one, status, at, Status.UNKNOWN),
        name=one.name or event.name,
        output=event.output,
        duration_ms=event.duration_ms,
        tokens=event.tokens,
        cost=event.cost,
    )
    session = put(session, turn, done)
    if event.path:
        return session
    session = session.replace(totals=_totals(session, event))
    if turn.surprise:
        return session
    branch = session.branches[turn.branch]
    index = turn.index + turn.completed
    session = session.replace(plan=grown(session.plan, index, event.step_id, event.name))
    outputs = {**branch.outputs, event.step_id: event.output}
    branch = branch.replace(outputs=outputs, cursor=index + 1, pending=None, answers={})
    session = put_branch(session, branch)
    return put_turn(session, turn, completed=turn.completed + 1)


def _unpromised(session: Session, turn: Turn, step_id: str) -> str:
    """What is wrong with a step that ended, when it is not the one whose turn it is."""
    promised = session.plan.at(turn.index + turn.completed)
    if promised:
        wrong = promised.id != step_id
        return f"'{step_id}' ended where the plan has '{promised.id}'" if wrong else ""
    again = step_id in session.branches[turn.branch].outputs
    return f"'{step_id}' ended in an earlier turn" if again else ""


def _step_failed(session: Session, turn: Turn, at: float, event: StepFailed) -> Session:
    """The step fails as a whole; `path` names what inside it did.

    Servers that fail the run name no step (protocol section 5.5); it is the one at work.
    """
    branch = session.branches[turn.branch]
    if not event.step_id:
        promised = session.plan.at(turn.index + turn.completed)
        step_id = at_work(branch, turn) or (promised.id if promised else "")
        event = dataclasses.replace(event, step_id=step_id)
    session, one = _to_fail(session, turn, at, event.step_id)
    if one is not None:
        error = dict(event.error)
        inner = one.children.get(event.path)
        if inner and inner.status is Status.RUNNING:
            inner = dataclasses.replace(inner, status=Status.FAILED, ended_at=at, error=error)
            one = dataclasses.replace(one, children={**one.children, event.path: inner})
        failed = closed(one, Status.FAILED, at, Status.UNKNOWN)
        name = failed.name or event.name
        session = put(session, turn, dataclasses.replace(failed, name=name, error=error))
        branch = session.branches[turn.branch].replace(pending=None, answers={})
        session = put_branch(session, branch)
    message = str(event.error.get("message", ""))
    return put_turn(session, turn, terminal=Outcome.FAILED, failure=message)


def _to_fail(
    session: Session, turn: Turn, at: float, step_id: str
) -> tuple[Session, Execution | None]:
    """The execution that fails; None, and an anomaly, when it is over."""
    earlier = execution_of(session.branches[turn.branch], turn, step_id)
    if earlier and earlier.status is not Status.RUNNING:
        return note_anomaly(session, at, turn.number, f"'{step_id}' ended twice"), None
    return running(session, turn, at, step_id, ())


def _step_progress(session: Session, turn: Turn, at: float, event: StepProgress) -> Session:
    return session


def _step_paused(session: Session, turn: Turn, at: float, event: StepPaused) -> Session:
    counted = turn.index + turn.completed
    index = counted
    if turn.surprise:
        return put_turn(session, turn, terminal=Outcome.PAUSED)
    if event.next_index is not None and event.next_index != counted:
        what = f"the server's cursor is {event.next_index}, ours {counted}"
        session = note_anomaly(session, at, turn.number, what)
        length = session.plan.length
        if turn.completed == 0 and turn.index < event.next_index <= (length or event.next_index):
            index = event.next_index
    branch = session.branches[turn.branch]
    session = put_branch(session, branch.replace(cursor=index))
    return put_turn(session, turn, terminal=Outcome.PAUSED)


def _tool_calls(session: Session, turn: Turn, at: float, event: ToolCallsRequested) -> Session:
    if turn.surprise:
        return put_turn(session, turn, terminal=Outcome.TOOL_CALLS)
    branch = session.branches[turn.branch]
    promised = session.plan.at(turn.index + turn.completed)
    if event.step_id in branch.outputs:
        what = f"'{event.step_id}' asks for tools behind its end"
        return note_anomaly(session, at, turn.number, what)
    if promised and promised.id == event.step_id and not execution_of(branch, turn, promised.id):
        session = begin(session, turn, at, promised.id, promised.name)  # no start is due
    session, one = running(session, turn, at, event.step_id, ())
    if one is None:
        return session
    session = put(session, turn, closed(one, Status.WAITING, at, Status.WAITING))
    branch = session.branches[turn.branch].replace(pending=event, answers={})
    session = put_branch(session, branch)
    return put_turn(session, turn, terminal=Outcome.TOOL_CALLS)


def _run_completed(session: Session, turn: Turn, at: float, event: RunCompleted) -> Session:
    if turn.surprise:
        return put_turn(session, turn, terminal=Outcome.COMPLETED)
    branch = session.branches[turn.branch]
    counted = turn.index + turn.completed
    length = session.plan.length
    if length is not None and counted != length:
        what = f"the flow ended after {counted} of {length} steps"
        session = note_anomaly(session, at, turn.number, what)
    branch = branch.replace(cursor=counted, done=True, result=event.result)
    session = put_branch(session, branch)
    return put_turn(session, turn, terminal=Outcome.COMPLETED)


def _second_end(session: Session, turn: Turn, event: RunCompleted) -> Session:
    """Both names of the terminal event may come (protocol section 5.5); the first one wins."""
    branch = session.branches[turn.branch]
    if branch.result is None and event.result is not None:
        session = put_branch(session, branch.replace(result=event.result))
    return session


def _unknown(session: Session, turn: Turn, at: float, event: UnknownEvent) -> Session:
    return note_anomaly(session, at, turn.number, event.problem)


def _totals(session: Session, event: StepCompleted) -> Totals:
    totals = session.totals
    cost = totals.cost
    if event.cost is not None:
        cost = event.cost if cost is None else cost + event.cost
    return dataclasses.replace(totals, tokens=totals.tokens + (event.tokens or Tokens()), cost=cost)


_ON_EVENT: dict[type[Any], Callable[[Session, Turn, float, Any], Session]] = {
    RunStarted: _run_started,
    StepStarted: _step_started,
    StepInput: _step_input,
    StepOutput: _step_output,
    StepCompleted: _step_completed,
    StepFailed: _step_failed,
    StepProgress: _step_progress,
    StepPaused: _step_paused,
    ToolCallsRequested: _tool_calls,
    RunCompleted: _run_completed,
    UnknownEvent: _unknown,
}
