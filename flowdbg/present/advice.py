"""What happened and what can be done next, where a session stands in trouble.

Toasts go away; this stays until something is done about it.
"""

from __future__ import annotations

from flowdbg.core.entries import Outcome, StopReason
from flowdbg.core.rules import last_turn
from flowdbg.core.session import Session, State
from flowdbg.present.formats import plural
from flowdbg.present.keys import KeyOf
from flowdbg.present.safe_text import safe_line

_LONGEST = 300
"""Characters of what a server says."""


def advice(session: Session, key: KeyOf) -> str:
    """Return a sentence or two about the trouble, with the keys that help; empty without any."""
    again, anew = key("run.retry"), key("run.restart")
    if session.state is State.RUNNING:
        return ""
    if session.stale is not None:
        pinned = session.stale.old.version
        stay = f"{key('run.pin')} stays on version {pinned}, " if pinned is not None else ""
        both = f"{stay}{key('view.plan-change')} shows both"
        return f"The plan changed: nothing runs on it now. {anew} starts on the new, {both}."
    if session.branch.unanswered:
        left = plural(len(session.branch.unanswered), "tool call")
        answers = f"{key('tools.answer')} answers, {key('run.step')} goes on then"
        return f"The step waits for {left}: {answers}; {again} runs it from its start."
    said = safe_line(session.stop.detail, _LONGEST).rstrip(".")
    return _for_stop(session, said, key)


def _for_stop(session: Session, said: str, key: KeyOf) -> str:
    turn = last_turn(session)
    again, anew, step = key("run.retry"), key("run.restart"), key("run.step")
    match session.stop.reason:
        case StopReason.UNKNOWN:
            what = safe_line(turn.what, _LONGEST).rstrip(".") if turn and turn.what else said
            why = f"{what}. " if what else ""
            then = f"{again} runs it again, {anew} starts anew, or {_by_hand(session, key)}"
            return f"{why}The step may have run: look, then {then}."
        case StopReason.SERVER if turn is not None and turn.outcome is Outcome.NOT_SENT:
            return f"{said}. {step} tries again."
        case StopReason.SERVER if said:
            return f"{said}. What ran is kept: {step} tries again."
        case StopReason.ERROR:
            by_hand = _by_hand(session, key)
            return f"{by_hand}, {key('edit.block')} changes its block; {again} runs it again."
        case StopReason.INPUT_NEEDED:
            return f"{said}. {key('run.inputs')} gives the inputs."
        case StopReason.EDIT_REFUSED:
            corrects = f"{key('edit.block')} corrects the edit"
            return f"{said}. {corrects}, {key('edit.clear')} takes it back."
        case StopReason.START | StopReason.END if said:  # of a run that was opened
            return f"{said}."
        case StopReason.USER if turn is not None and turn.outcome is Outcome.CANCELLED:
            return f"Cancelled; whether the server stopped is not known. {again} runs it again."
        case _:
            return ""


def _by_hand(session: Session, key: KeyOf) -> str:
    """How to go on with an output of one's own in the place of the step's."""
    step = session.plan.at(session.cursor)
    if step is not None and step.id in session.output_edits:
        return f"{key('run.skip')} goes on with your output"
    return f"{key('edit.output')} gives it an output to go on with"
