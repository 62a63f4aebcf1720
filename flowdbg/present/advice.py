"""What happened and what can be done next, where a session stands in trouble.

Toasts go away; this stays until something is done about it.
"""

from __future__ import annotations

from flowdbg.core.entries import Outcome, StopReason
from flowdbg.core.rules import last_turn
from flowdbg.core.session import Session, State
from flowdbg.present.formats import plural
from flowdbg.present.safe_text import safe_line

_LONGEST = 300
"""Characters of what a server says."""


def advice(session: Session) -> str:
    """Return a sentence or two about the trouble, with the keys that help; empty without any."""
    if session.state is State.RUNNING:
        return ""
    if session.stale is not None:
        pinned = session.stale.old.version
        stay = f"P stays on version {pinned}, " if pinned is not None else ""
        return f"The plan changed: nothing runs on it now. R starts on the new, {stay}N shows both."
    if session.branch.unanswered:
        left = plural(len(session.branch.unanswered), "tool call")
        return f"The step waits for {left}: a answers, n goes on then; r runs it from its start."
    said = safe_line(session.stop.detail, _LONGEST).rstrip(".")
    return _for_stop(session, said)


def _for_stop(session: Session, said: str) -> str:
    turn = last_turn(session)
    match session.stop.reason:
        case StopReason.UNKNOWN:
            what = safe_line(turn.what, _LONGEST).rstrip(".") if turn and turn.what else said
            why = f"{what}. " if what else ""
            return f"{why}The step may have run: look, then r runs it again, or R starts anew."
        case StopReason.SERVER if turn is not None and turn.outcome is Outcome.NOT_SENT:
            return f"{said}. n tries again."
        case StopReason.SERVER if said:
            return f"{said}. What ran is kept: n tries again."
        case StopReason.ERROR:
            return "i gives the step an output, o changes its block; r runs it again."
        case StopReason.INPUT_NEEDED:
            return f"{said}. m gives the inputs."
        case StopReason.EDIT_REFUSED:
            return f"{said}. o corrects the edit, x takes it back."
        case StopReason.START | StopReason.END if said:  # of a run that was opened
            return f"{said}."
        case StopReason.USER if turn is not None and turn.outcome is Outcome.CANCELLED:
            return "Cancelled; whether the server stopped in time is not known. r runs it again."
        case _:
            return ""
