"""The fold: a session and an entry of its log give the next session.

It is pure and never raises, whatever a server sends: what does not fit is kept in the event log,
noted as an anomaly, and changes nothing else. A replay is the same fold over the stored entries.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

from flowdbg.core.entries import (
    BlockEdited,
    BreakpointSet,
    CommandGiven,
    Entry,
    EventReceived,
    ExecutionLost,
    Forked,
    ForkReason,
    InputsGiven,
    Outcome,
    OutputEditCleared,
    OutputEdited,
    PlanLoaded,
    PlanWentStale,
    SessionOpened,
    StepSkipped,
    Stopped,
    ToolAnswered,
    TurnEnded,
    TurnStarted,
    VersionPinned,
)
from flowdbg.core.event_fold import apply_event
from flowdbg.core.events import Path, StepOutput
from flowdbg.core.executions import closed, execution_of, note_anomaly, put, put_branch
from flowdbg.core.session import (
    Branch,
    Breakpoint,
    Execution,
    LoggedEvent,
    Session,
    StalePlan,
    Status,
    Turn,
)


def apply(session: Session, entry: Entry) -> Session:
    """The session after one more entry."""
    return _APPLY[type(entry.body)](session, entry, entry.body)


def apply_all(session: Session, entries: Iterable[Entry]) -> Session:
    """The session after several entries; the same as one `apply` after the other.

    Chunks of one execution are folded together, so that a long stream costs little an event:
    where one of them has found its place, those right behind it go there, too.
    """
    for chunks_of, group in groupby(entries, key=_chunks_of):
        run = list(group)
        for done, entry in enumerate(run, 1):
            noted = len(session.anomalies)
            session = apply(session, entry)
            if chunks_of and done < len(run) and len(session.anomalies) == noted:
                session = _more_chunks(session, *chunks_of, run[done:])
                break
    return session


def _chunks_of(entry: Entry) -> tuple[str, Path, int] | None:
    """Which execution a streamed part of an output belongs to; None for any other entry."""
    body = entry.body
    if isinstance(body, EventReceived) and isinstance(body.received.event, StepOutput):
        event = body.received.event
        return event.step_id, event.path, body.turn
    return None


def _more_chunks(
    session: Session, step_id: str, path: Path, number: int, entries: Sequence[Entry]
) -> Session:
    """The session after more chunks of an execution that runs."""
    turn = session.running
    assert turn is not None
    one = execution_of(session.branches[turn.branch], turn, step_id, path)
    assert one is not None  # it took the chunk before these
    parts = [entry.body.received for entry in entries if isinstance(entry.body, EventReceived)]
    deltas = [part.event.delta for part in parts if isinstance(part.event, StepOutput)]
    logged = [
        LoggedEvent(entry.at, entry.branch, number, part)
        for entry, part in zip(entries, parts, strict=True)
    ]
    session = session.replace(events=session.events.extend(logged))
    return put(session, turn, dataclasses.replace(one, chunks=one.chunks.extend(deltas)))


def _session_opened(session: Session, entry: Entry, body: SessionOpened) -> Session:
    return session.replace(
        id=body.session_id,
        dialect=body.dialect,
        url=body.url,
        address=body.address,
        pinned=body.pinned,
        message=body.message,
        parameters=body.parameters,
        tools=body.tools,
        tool_choice=body.tool_choice,
        attachments=body.attachments,
        trace=body.trace,
        file=body.file,
    )


def _inputs_given(session: Session, entry: Entry, body: InputsGiven) -> Session:
    return session.replace(message=body.message, parameters=body.parameters)


def _plan_loaded(session: Session, entry: Entry, body: PlanLoaded) -> Session:
    return session.replace(plan=body.plan, stale=None)


def _plan_went_stale(session: Session, entry: Entry, body: PlanWentStale) -> Session:
    return session.replace(stale=StalePlan(session.plan, body.plan, body.detail))


def _version_pinned(session: Session, entry: Entry, body: VersionPinned) -> Session:
    return session.replace(pinned=body.version)


def _command_given(session: Session, entry: Entry, body: CommandGiven) -> Session:
    return session.replace(verb=body.verb)


def _stopped(session: Session, entry: Entry, body: Stopped) -> Session:
    return session.replace(verb="", stop=body)


def _turn_started(session: Session, entry: Entry, body: TurnStarted) -> Session:
    if session.running:
        ended = TurnEnded(session.running.number, Outcome.UNKNOWN)
        session = _turn_ended(session, entry, ended)
    turn = Turn(
        number=body.turn,
        branch=session.current,
        index=body.index,
        run_remaining=body.run_remaining,
        route=body.route,
        body=body.body,
        started_at=entry.at,
        given=session.given,
    )
    return session.replace(running=turn)


def _turn_ended(session: Session, entry: Entry, body: TurnEnded) -> Session:
    turn = session.running
    if turn is None or turn.number != body.turn:
        return note_anomaly(session, entry.at, body.turn, "a turn ended that was not running")
    branch = session.branches[turn.branch]
    left = _LEFT_OPEN.get(body.outcome, Status.UNKNOWN)
    executions = {
        step_id: _close(attempts, left, entry.at) for step_id, attempts in branch.executions.items()
    }
    ended = dataclasses.replace(
        turn,
        outcome=body.outcome,
        elapsed=body.elapsed,
        what=body.what,
        next_step=body.next_step,
        code=body.code,
        tail=body.tail,
    )
    totals = dataclasses.replace(session.totals, elapsed=session.totals.elapsed + body.elapsed)
    session = put_branch(session, branch.replace(executions=executions))
    return session.replace(running=None, turns=session.turns.append(ended), totals=totals)


_LEFT_OPEN = {
    Outcome.CANCELLED: Status.CANCELLED,
    Outcome.STALE: Status.CANCELLED,
    Outcome.TOOL_CALLS: Status.WAITING,
}
"""What becomes of an execution that was still running when its turn ended."""


def _close(attempts: tuple[Execution, ...], status: Status, at: float) -> tuple[Execution, ...]:
    last = attempts[-1]
    if last.status is not Status.RUNNING:
        return attempts
    return (*attempts[:-1], closed(last, status, at, status))


def _event_received(session: Session, entry: Entry, body: EventReceived) -> Session:
    logged = LoggedEvent(entry.at, entry.branch, body.turn, body.received)
    session = session.replace(events=session.events.append(logged))
    return apply_event(session, entry.at, body.turn, body.received.event)


def _output_edited(session: Session, entry: Entry, body: OutputEdited) -> Session:
    return session.replace(output_edits={**session.output_edits, body.step_id: body.value})


def _output_edit_cleared(session: Session, entry: Entry, body: OutputEditCleared) -> Session:
    return session.replace(output_edits=_without(session.output_edits, body.step_id))


def _block_edited(session: Session, entry: Entry, body: BlockEdited) -> Session:
    edits = _without(session.block_edits, body.step_id)
    if body.fields:
        edits = {**session.block_edits, body.step_id: dict(body.fields)}
    return session.replace(block_edits=edits)


def _breakpoint_set(session: Session, entry: Entry, body: BreakpointSet) -> Session:
    points = _without(session.breakpoints, body.step_id)
    if body.enabled is not None:
        points[body.step_id] = Breakpoint(body.step_id, body.enabled)
    return session.replace(breakpoints=points)


def _tool_answered(session: Session, entry: Entry, body: ToolAnswered) -> Session:
    branch = session.branch
    branch = branch.replace(answers={**branch.answers, body.call_id: body})
    return put_branch(session, branch)


def _forked(session: Session, entry: Entry, body: Forked) -> Session:
    parent = session.branches[min(max(body.parent, 0), len(session.branches) - 1)]
    order = {step.id: at for at, step in enumerate(session.plan.steps)}
    position = {step_id: order.get(step_id, at) for at, step_id in enumerate(parent.outputs)}
    keep_executions = body.index + 1 if body.reason is ForkReason.RETRY else body.index
    branch = Branch(
        number=len(session.branches),
        parent=parent.number,
        forked_at=body.index,
        reason=body.reason,
        cursor=body.index,
        execution_id="" if body.fresh else parent.execution_id,
        outputs={
            step_id: output
            for step_id, output in parent.outputs.items()
            if position[step_id] < body.index
        },
        executions={
            step_id: attempts
            for at, (step_id, attempts) in enumerate(parent.executions.items())
            if order.get(step_id, at) < keep_executions
        },
        skipped=frozenset(name for name in parent.skipped if order.get(name, -1) < body.index),
    )
    return session.replace(branches=(*session.branches, branch), current=branch.number)


def _step_skipped(session: Session, entry: Entry, body: StepSkipped) -> Session:
    branch = session.branch
    skipped = branch.replace(
        cursor=branch.cursor + 1,
        skipped=branch.skipped | {body.step_id},
        pending=None,
        answers={},
    )
    return put_branch(session, skipped)


def _execution_lost(session: Session, entry: Entry, body: ExecutionLost) -> Session:
    branch = session.branch.replace(execution_id="")
    return put_branch(session, branch)


def _without(mapping: Any, key: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name != key}


_APPLY: dict[type[Any], Callable[[Session, Entry, Any], Session]] = {
    SessionOpened: _session_opened,
    InputsGiven: _inputs_given,
    PlanLoaded: _plan_loaded,
    PlanWentStale: _plan_went_stale,
    VersionPinned: _version_pinned,
    CommandGiven: _command_given,
    Stopped: _stopped,
    TurnStarted: _turn_started,
    TurnEnded: _turn_ended,
    EventReceived: _event_received,
    OutputEdited: _output_edited,
    OutputEditCleared: _output_edit_cleared,
    BlockEdited: _block_edited,
    BreakpointSet: _breakpoint_set,
    ToolAnswered: _tool_answered,
    Forked: _forked,
    StepSkipped: _step_skipped,
    ExecutionLost: _execution_lost,
}
