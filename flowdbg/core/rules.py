"""Which verbs a session allows, and why not: asked by the debugger and shown by the front-ends."""

from __future__ import annotations

from flowdbg.core.entries import ForkReason, Outcome, StopReason
from flowdbg.core.lineage import other_plan
from flowdbg.core.session import Session, Status, Turn

_AT_END = "the flow is at its end; restart it (R) or fork from a step (F)"
FORWARD = ("step", "continue", "run to end", "run to")
"""Verbs that run the step at the cursor."""


def refusal(session: Session, verb: str) -> str:
    """Why a verb cannot be given now, with what to do instead; empty when it can."""
    if verb == "cancel":
        return "" if session.running or session.verb else "nothing is running"
    if session.verb or session.running:
        return f"'{session.verb or 'step'}' is running; cancel it first (ctrl+c)"
    if verb in ("restart", "pin"):
        return ""
    if session.stale:
        return "the plan is stale; restart on the new plan (R) or pin a version (P)"
    if verb == "retry":
        return "" if retry_index(session) is not None else "nothing has run yet; step first (n)"
    if verb in FORWARD:
        return _forward_refusal(session)
    if verb == "skip":
        return _skip_refusal(session)
    return ""


def fork_refusal(session: Session, index: int, parent: int | None = None) -> str:
    """Why no branch can begin before a step; empty when one can.

    Args:
        session: The session.
        index: The step before which it would begin.
        parent: The branch that it would leave; None for the current one.
    """
    refused = refusal(session, "fork")
    if refused:
        return refused
    branch = session.branches[session.current if parent is None else parent]
    if not 0 <= index <= branch.cursor:
        place = f"on branch #{branch.number}"
        return f"step {index + 1} was not reached {place}; fork before one that was"
    plan = other_plan(session, branch.number)
    if plan is not None:
        which = f"version {plan.version}" if plan.version is not None else "another plan"
        return (
            f"branch #{branch.number} ran on {which}, and its outputs belong to that; "
            "restart (R), or pin that version"
        )
    return ""


def _skip_refusal(session: Session) -> str:
    step = session.plan.at(session.cursor)
    if session.at_end:
        return _AT_END
    if step is None:
        return "the server tells no plan, so it is not known which step that would be"
    if step.id not in session.output_edits:
        return f"'{step.id}' has no output of yours to go on with; give it one first (i)"
    return ""


def _forward_refusal(session: Session) -> str:
    if session.at_end:
        return _AT_END
    bare = sorted(session.branch.skipped - session.output_edits.keys())
    if bare:
        return f"'{bare[0]}' was skipped and has no output now; give it one (i) or run it (F)"
    if session.branch.unanswered:
        return "tool calls wait for answers; give them (a), or run the step again (r)"
    turn = last_turn(session)
    if session.stop.reason is StopReason.UNKNOWN and turn and not _known_end(turn):
        return "it is not known whether the step ran; look, then run it again (r) or restart (R)"
    return ""


def last_turn(session: Session) -> Turn | None:
    """The newest finished turn of the current branch."""
    return next((turn for turn in reversed(session.turns) if turn.branch == session.current), None)


def retry_index(session: Session) -> int | None:
    """The index of the step that a retry runs again; None when nothing has run.

    What was left open at the cursor (failed, cancelled, unknown, refused) is run again in place;
    otherwise it is the last step that completed.
    """
    turn = last_turn(session)
    if _skipped_last(session, turn):
        return session.cursor - 1
    if turn is None and session.branch.reason is ForkReason.RETRY:
        return session.cursor  # it never left
    step = session.plan.at(session.cursor)
    execution = session.execution(step.id) if step else None
    if execution and execution.status not in (Status.DONE, Status.SKIPPED):
        return session.cursor
    ended_well = turn is None or turn.outcome in (Outcome.PAUSED, Outcome.COMPLETED)
    if not ended_well and turn and not _known_end(turn) and not session.at_end:
        return session.cursor
    return session.cursor - 1 if session.cursor else None


def _skipped_last(session: Session, turn: Turn | None) -> bool:
    """Whether the step before the cursor was skipped and nothing ran since."""
    before = session.plan.at(session.cursor - 1) if session.cursor else None
    if before is None or before.id not in session.branch.skipped:
        return False
    return turn is None or turn.index + turn.completed < session.cursor


def blind_edits(session: Session) -> int:
    """How many steps to run one by one before the rest can go in one call.

    Inside one call the server lets the real output of a step win over its edit (protocol section
    17, point 8), so steps up to the last edited one that has yet to run are taken singly.
    """
    edited = [
        at
        for step_id in session.output_edits
        if (at := session.plan.index_of(step_id)) is not None and at >= session.cursor
    ]
    last = len(session.plan.steps) - 1
    relevant = [at for at in edited if at < last]
    return max(relevant) + 1 - session.cursor if relevant else 0


def _known_end(turn: Turn) -> bool:
    return turn.completed > 0 and not turn.run_remaining
