"""Which verbs a session allows, and why not: asked by the debugger and shown by the front-ends."""

from __future__ import annotations

from collections.abc import Callable

from flowdbg.core.entries import ForkReason, Outcome, StopReason
from flowdbg.core.lineage import other_plan
from flowdbg.core.session import Session, Status, Turn

FORWARD = ("step", "continue", "run to end", "run to")
"""Verbs that run the step at the cursor."""


KeyFor = Callable[[str], str]
"""From a verb to how one gives it, as it stands behind its name: ` (R)`; empty for nothing."""


def _no_key(verb: str) -> str:
    del verb
    return ""


def refusal(session: Session, verb: str, key: KeyFor = _no_key) -> str:
    """Why a verb cannot be given now, with what to do instead; empty when it can."""
    if verb == "cancel":
        return "" if session.running or session.verb else "nothing is running"
    if session.verb or session.running:
        return f"'{session.verb or 'step'}' is running; cancel it first{key('cancel')}"
    if verb in ("restart", "pin"):
        return ""
    if session.stale:
        restart = f"restart on the new plan{key('restart')}"
        return f"the plan is stale; {restart} or pin a version{key('pin')}"
    if verb == "retry":
        never = f"nothing has run yet; step first{key('step')}"
        return "" if retry_index(session) is not None else never
    if verb in FORWARD:
        return _forward_refusal(session, key)
    if verb == "skip":
        return _skip_refusal(session, key)
    return ""


def fork_refusal(
    session: Session, index: int, parent: int | None = None, key: KeyFor = _no_key
) -> str:
    """Why no branch can begin before a step; empty when one can.

    Args:
        session: The session.
        index: The step before which it would begin.
        parent: The branch that it would leave; None for the current one.
        key: How verbs are given.
    """
    refused = refusal(session, "fork", key)
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
            f"restart{key('restart')}, or pin that version"
        )
    return ""


def _at_end(key: KeyFor) -> str:
    fork = f"fork{key('fork')} from a step"
    return f"the flow is at its end; restart it{key('restart')} or {fork}"


def _skip_refusal(session: Session, key: KeyFor) -> str:
    step = session.plan.at(session.cursor)
    if session.at_end:
        return _at_end(key)
    if step is None:
        return "the server tells no plan, so it is not known which step that would be"
    if step.id not in session.output_edits:
        return f"'{step.id}' has no output of yours to go on with; give it one first{key('edit')}"
    return ""


def _forward_refusal(session: Session, key: KeyFor) -> str:
    if session.at_end:
        return _at_end(key)
    bare = sorted(session.branch.skipped - session.output_edits.keys())
    if bare:
        ways = f"give it one{key('edit')} or run it{key('fork')}"
        return f"'{bare[0]}' was skipped and has no output now; {ways}"
    if session.branch.unanswered:
        again = f"or run the step again{key('retry')}"
        return f"tool calls wait for answers; give them{key('answer')}, {again}"
    turn = last_turn(session)
    if session.stop.reason is StopReason.UNKNOWN and turn and not _known_end(turn):
        again = f"run it again{key('retry')} or restart{key('restart')}"
        return f"it is not known whether the step ran; look, then {again}"
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
    last = len(session.plan.steps) - 1
    places = map(session.plan.index_of, session.output_edits)
    ahead = [at for at in places if at is not None and session.cursor <= at < last]
    return max(ahead) + 1 - session.cursor if ahead else 0


def _known_end(turn: Turn) -> bool:
    return turn.completed > 0 and not turn.run_remaining
