"""Where a branch comes from: its ancestors in one run, and what its turns were asked with.

A fork goes on with the outputs of its parent, so what made them lies in the parent's turns; a
restart begins a run of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from flowdbg.core.entries import ForkReason
from flowdbg.core.plan import Plan
from flowdbg.core.session import Given, Session, Turn


def lineage(session: Session, number: int) -> tuple[int, ...]:
    """A branch and the branches that it grew from, newest first, back to where its run began."""
    found = [number]
    while True:
        branch = session.branches[found[-1]]
        if branch.parent is None or branch.reason is ForkReason.RESTART:
            return tuple(found)
        found.append(branch.parent)


def turns_of(session: Session, number: int) -> tuple[Turn, ...]:
    """The turns that were taken on a branch itself, the running one too, oldest first."""
    running = (session.running,) if session.running else ()
    return tuple(turn for turn in (*session.turns, *running) if turn.branch == number)


def last_given(session: Session, number: int) -> Given:
    """What a branch was last asked with; for the current branch, what it would be asked with."""
    if number == session.current:
        return session.given
    return next(_turns_back(session, number), _none(session)).given


def first_given(session: Session, number: int) -> Given:
    """What the run of a branch was begun with: its inputs went out then."""
    first = _none(session)
    for turn in _turns_back(session, number):
        first = turn
    return first.given


def other_plan(session: Session, number: int) -> Plan | None:
    """The plan that a branch's outputs come from, when the session is on another one now."""
    told = next(_turns_back(session, number), None)
    if told is None:
        return None
    here, there = session.plan, told.given.plan
    if here.hash and there.hash:
        return there if here.hash != there.hash else None
    known = here.version is not None and there.version is not None
    return there if known and here.version != there.version else None


def _turns_back(session: Session, number: int) -> Iterator[Turn]:
    """The turns of a branch and of those it grew from, newest first."""
    for one in lineage(session, number):
        yield from reversed(turns_of(session, one))


def _none(session: Session) -> Turn:
    """A turn that was not taken: it would be asked with what is given now."""
    return Turn(0, session.current, session.cursor, False, "", (), 0.0, session.given)
