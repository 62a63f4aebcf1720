"""A session as it stood after an earlier turn."""

from __future__ import annotations

from flowdbg.core.session import Branch, Session, Turn


def as_of(session: Session, turn: Turn) -> Branch:
    """Return the branch of a turn as it stood when the turn had ended."""
    branch = session.branches[turn.branch]
    cursor = turn.index + turn.completed
    executions = {
        step_id: kept
        for step_id, attempts in branch.executions.items()
        if (kept := tuple(one for one in attempts if one.turn <= turn.number))
    }
    outputs = {
        step_id: output
        for step_id, output in branch.outputs.items()
        if (index := session.plan.index_of(step_id)) is None or index < cursor
    }
    ended_here = branch.done and cursor >= branch.cursor
    return branch.replace(cursor=cursor, executions=executions, outputs=outputs, done=ended_here)


def newest_step(session: Session) -> str:
    """Return the id of the step that began last on the current branch; empty before the first."""
    begun = [
        (attempts[-1].turn, attempts[-1].started_at, order, step_id)
        for order, (step_id, attempts) in enumerate(session.branch.executions.items())
    ]
    return max(begun)[3] if begun else ""


def turn_label(session: Session, turn: Turn) -> str:
    """Name a turn that is looked at: `viewing turn 2 of 5`, and its branch among several."""
    branch = f", branch #{turn.branch}" if len(session.branches) > 1 else ""
    return f"viewing turn {turn.number} of {len(session.turns)}{branch}"


def step_of(session: Session, turn: Turn) -> str:
    """Return the id of the step that a turn began with; empty when it is not known."""
    step = session.plan.at(turn.index)
    return step.id if step else ""
