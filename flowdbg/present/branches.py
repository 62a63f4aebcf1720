"""The branches of a session as a tree: why each began, how it stands, what it took."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from flowdbg.core.entries import ForkReason, Outcome
from flowdbg.core.lineage import last_given, turns_of
from flowdbg.core.session import Branch, Execution, Session, Turn
from flowdbg.present import formats
from flowdbg.present.looks import RUN_LOOKS, STEP_LOOKS, Look, RunState, StepState
from flowdbg.present.plan_rows import edits_in
from flowdbg.present.safe_text import safe_line
from flowdbg.present.status_line import look


@dataclass(frozen=True, slots=True)
class BranchRow:
    """One branch, or one turn of an unfolded branch."""

    branch: int
    tree: str
    """Lines that lead to it from the branch that it left: `└ `."""
    what: str
    """Its number and why it began: `#2 fork before 3 Count`."""
    look: Look
    """How it stands; for a turn, how it ended."""
    place: str = ""
    """How far it got: `3/5`."""
    turns: int = 0
    """Turns that were taken on the branch itself."""
    edits: int = 0
    """Edits that it was asked with."""
    elapsed: float = 0.0
    """Seconds in those turns."""
    tokens: int = 0
    parent: int | None = None
    is_current: bool = False
    is_open: bool = False
    turn: int | None = None
    """The number of the turn; None for a branch."""


def branch_rows(session: Session, unfolded: Collection[int] = ()) -> tuple[BranchRow, ...]:
    """List the branches, each below the one it left; a restart stands for itself.

    Args:
        session: The session.
        unfolded: Numbers of branches whose turns are listed below them.
    """
    rows: list[BranchRow] = []
    roots = [one.number for one in session.branches if _is_root(one)]
    for number in roots:
        rows += _rows(session, number, "", "", unfolded)
    return tuple(rows)


def branch_title(session: Session, number: int) -> str:
    """Name a branch and why it began: `#2 fork before 3 Count, from #0`."""
    branch = session.branches[number]
    came = "" if branch.parent is None else f", from #{branch.parent}"
    return f"{_what(session, branch)}{came}"


def branch_look(session: Session, number: int) -> Look:
    """Return how a branch stands, or stood when it was left."""
    branch = session.branches[number]
    if number == session.current:
        return look(session)
    length = last_given(session, number).plan.length
    if branch.done or (length is not None and branch.cursor >= length):
        return RUN_LOOKS[RunState.DONE]
    if branch.unanswered:
        return RUN_LOOKS[RunState.WAITING]
    turns = turns_of(session, number)
    ended = turns[-1].outcome if turns else None
    return RUN_LOOKS[_ENDED.get(ended, RunState.PAUSED) if ended else RunState.PAUSED]


def own_executions(session: Session, number: int) -> Iterator[tuple[str, Execution]]:
    """The attempts that were made on a branch itself, with the ids of their steps."""
    turns = {turn.number for turn in turns_of(session, number)}
    for step_id, attempts in session.branches[number].executions.items():
        for attempt in attempts:
            if attempt.turn in turns:
                yield step_id, attempt


_ENDED = {
    Outcome.FAILED: RunState.FAILED,
    Outcome.UNKNOWN: RunState.UNKNOWN,
    Outcome.CANCELLED: RunState.CANCELLED,
    Outcome.NOT_SENT: RunState.OFFLINE,
    Outcome.STALE: RunState.STALE,
    Outcome.TOOL_CALLS: RunState.WAITING,
}

_TURNS = {
    Outcome.PAUSED: StepState.DONE,
    Outcome.COMPLETED: StepState.DONE,
    Outcome.FAILED: StepState.FAILED,
    Outcome.TOOL_CALLS: StepState.WAITING,
    Outcome.CANCELLED: StepState.CANCELLED,
    Outcome.REFUSED: StepState.FAILED,
    Outcome.NOT_SENT: StepState.FAILED,
    Outcome.STALE: StepState.CANCELLED,
    Outcome.UNKNOWN: StepState.UNKNOWN,
}


def _is_root(branch: Branch) -> bool:
    return branch.parent is None or branch.reason is ForkReason.RESTART


def _rows(
    session: Session, number: int, lead: str, below: str, unfolded: Collection[int]
) -> Iterator[BranchRow]:
    """A branch, its turns where they are shown, and the branches that left it."""
    children = [
        one.number for one in session.branches if one.parent == number and not _is_root(one)
    ]
    is_open = number in unfolded
    yield _row(session, number, lead, is_open=is_open)
    if is_open:
        line = "│ " if children else "  "
        for turn in turns_of(session, number):
            yield _turn_row(session, turn, f"{below}{line}")
    for child in children:
        last = child == children[-1]
        tree, next_below = ("└ ", "  ") if last else ("├ ", "│ ")
        yield from _rows(session, child, below + tree, below + next_below, unfolded)


def _row(session: Session, number: int, tree: str, *, is_open: bool) -> BranchRow:
    branch = session.branches[number]
    given = last_given(session, number)
    turns = turns_of(session, number)
    tokens = sum(one.tokens.total for _, one in own_executions(session, number) if one.tokens)
    return BranchRow(
        branch=number,
        tree=tree,
        what=_what(session, branch),
        look=branch_look(session, number),
        place=f"{branch.cursor}/{given.plan.length or '?'}",
        turns=len(turns),
        edits=edits_in(given),
        elapsed=sum(turn.elapsed for turn in turns),
        tokens=tokens,
        parent=branch.parent,
        is_current=number == session.current,
        is_open=is_open,
    )


def _turn_row(session: Session, turn: Turn, tree: str) -> BranchRow:
    step = turn.given.plan.at(turn.index)
    name = safe_line(step.name or step.id, 32) if step else ""
    rest = " and all that follow" if turn.run_remaining else ""
    state = _TURNS.get(turn.outcome, StepState.RUNNING) if turn.outcome else StepState.RUNNING
    return BranchRow(
        branch=turn.branch,
        tree=tree,
        what=f"turn {turn.number}: {turn.index + 1} {name}{rest}",
        look=STEP_LOOKS[state],
        edits=edits_in(turn.given),
        elapsed=turn.elapsed,
        turn=turn.number,
    )


def _what(session: Session, branch: Branch) -> str:
    if branch.reason is None:
        return f"#{branch.number} start"
    if branch.reason is ForkReason.RESTART:
        return f"#{branch.number} restart"
    plan = last_given(session, branch.number).plan
    step = plan.at(branch.forked_at)
    name = safe_line(step.name or step.id, 32) if step else ""
    if step is None and plan.length is not None and branch.forked_at >= plan.length:
        return f"#{branch.number} {branch.reason} at the end"
    link = "of" if branch.reason is ForkReason.RETRY else "before"
    return f"#{branch.number} {branch.reason} {link} {branch.forked_at + 1} {name}".rstrip()


def took(row: BranchRow) -> str:
    """How long the turns of a row took; empty for none."""
    return formats.duration(row.elapsed * 1000) if row.elapsed else ""
