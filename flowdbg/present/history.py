"""A session as it stood after an earlier turn."""

from __future__ import annotations

from flowdbg.core.entries import Outcome, Stopped, StopReason
from flowdbg.core.lineage import last_given
from flowdbg.core.session import Branch, Given, Session, Turn


def seen_after(session: Session, turn: Turn) -> Session:
    """Return the session as it stood after a turn: its branch, plan and edits of then."""
    reason = _REASONS.get(turn.outcome or Outcome.PAUSED, StopReason.STEP)
    return _seen(session, as_of(session, turn), turn.given, reason)


def seen_on(session: Session, number: int) -> Session:
    """Return the session as it stands on a branch on which nothing ran."""
    given = last_given(session, number)
    return _seen(session, session.branches[number], given, StopReason.STEP)


_REASONS = {
    Outcome.FAILED: StopReason.ERROR,
    Outcome.UNKNOWN: StopReason.UNKNOWN,
    Outcome.TOOL_CALLS: StopReason.TOOL_CALL,
}
"""Why the session stood where a turn left it, where it was not that the step was done."""


def _seen(session: Session, branch: Branch, given: Given, reason: StopReason) -> Session:
    branches = list(session.branches)
    branches[branch.number] = branch
    return session.replace(
        branches=tuple(branches),
        current=branch.number,
        plan=given.plan,
        output_edits=given.output_edits,
        block_edits=given.block_edits,
        stale=None,
        running=None,
        verb="",
        stop=Stopped(reason),
    )


def as_of(session: Session, turn: Turn) -> Branch:
    """Return the branch of a turn as it stood when the turn had ended."""
    branch = session.branches[turn.branch]
    plan = turn.given.plan
    cursor = turn.index + turn.completed
    executions = {
        step_id: kept
        for step_id, attempts in branch.executions.items()
        if (kept := tuple(one for one in attempts if one.turn <= turn.number))
    }
    outputs = {
        step_id: output
        for step_id, output in branch.outputs.items()
        if (index := plan.index_of(step_id)) is None or index < cursor
    }
    skipped = frozenset(name for name in branch.skipped if (plan.index_of(name) or 0) < cursor)
    ended_here = branch.done and cursor >= branch.cursor
    return branch.replace(
        cursor=cursor, executions=executions, outputs=outputs, skipped=skipped, done=ended_here
    )


def newest_step(session: Session) -> str:
    """Return the id of the step that began last on the current branch; empty before the first."""
    begun = [
        (attempts[-1].turn, attempts[-1].started_at, order, step_id)
        for order, (step_id, attempts) in enumerate(session.branch.executions.items())
    ]
    return max(begun)[3] if begun else ""


def turn_label(session: Session, turn: Turn) -> str:
    """Name a turn that is looked at: `turn 2 of 5`, and its branch among several."""
    where = f"turn {turn.number} of {len(session.turns)}"
    return f"{where}, {_short(session, turn.branch)}" if len(session.branches) > 1 else where


def flow_title(seen: Session) -> str:
    """Say above the flow that it is not the present: `1 Flow  #0 as it was`."""
    return f"1 Flow  #{seen.current} as it was"


def branch_label(session: Session, number: int) -> str:
    """Name a branch that is looked at before anything ran on it."""
    return f"{_short(session, number)}, nothing ran on it"


def _short(session: Session, number: int) -> str:
    """Name a branch in a word: `fork #2`."""
    return f"{session.branches[number].reason or 'branch'} #{number}"


def step_of(session: Session, turn: Turn) -> str:
    """Return the id of the step that a turn began with; empty when it is not known."""
    step = (turn.given.plan if turn.given.plan.steps else session.plan).at(turn.index)
    return step.id if step else ""
