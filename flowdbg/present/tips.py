"""Tips that lead a newcomer through a flow: sentences with the conditions they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flowdbg.core.session import Session, Status


@dataclass(frozen=True, slots=True)
class Tip:
    """One sentence, shown while all of its conditions hold."""

    text: str
    """What to do or to look at next; `{run.step}` stands for that action's key."""
    state: str = ""
    """The session's state (`paused`, `running`, `done`, …); empty for any."""
    done: tuple[str, ...] = ()
    """Ids of steps that have completed on the current branch."""
    missing: tuple[str, ...] = ()
    """Ids of steps that have not."""
    edited: bool | None = None
    """Whether an output is edited; None for either."""
    selected: tuple[str, ...] = ()
    """Ids of steps one of which is selected; empty for any."""


def current_tip(tips: Sequence[Tip], session: Session, selected: str = "") -> Tip | None:
    """Return the first tip whose conditions hold, or None."""
    return next((tip for tip in tips if _holds(tip, session, selected)), None)


def _holds(tip: Tip, session: Session, selected: str) -> bool:
    if tip.state and session.state != tip.state:
        return False
    if tip.edited is not None and tip.edited != bool(session.output_edits):
        return False
    if tip.selected and selected not in tip.selected:
        return False
    completed = {
        step_id
        for step_id, attempts in session.branch.executions.items()
        if attempts and attempts[-1].status is Status.DONE
    }
    return completed.issuperset(tip.done) and completed.isdisjoint(tip.missing)
