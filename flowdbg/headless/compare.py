"""Two runs compared for scripts and for reading: as one JSON object, or as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import Any

from flowdbg.core.session import Session
from flowdbg.errors import UsageError
from flowdbg.present.compare import RunsCompared, StepCompared, sides_of, title
from flowdbg.present.diff_lines import DiffRow
from flowdbg.present.diff_rows import DiffRows
from flowdbg.present.json_diff import DiffNode, changes, compare
from flowdbg.present.json_paths import show
from flowdbg.present.looks import ADDED, CHANGED, MOVED, REMOVED
from flowdbg.present.safe_text import safe_line
from flowdbg.present.takes import ASPECTS, Aspect, Side

WIDTH = 100
"""Cells to which texts are wrapped."""


class CompareCode(IntEnum):
    """How a comparison ended, as diff(1) says it."""

    SAME = 0
    DIFFERENT = 1
    TROUBLE = 2


def split_side(text: str) -> tuple[str, int | None]:
    """Split `SESSION#BRANCH` into the session's id and the branch; None for the current one.

    Raises:
        UsageError: What follows `#` is not a number.
    """
    session, sign, branch = text.partition("#")
    if not sign:
        return session, None
    if not branch.isdecimal():
        raise UsageError(
            f"'{branch}' is not the number of a branch.", "Write SESSION#0 for the first one."
        )
    return session, int(branch)


def side_of(session: Session, branch: int | None, *, named: bool) -> Side:
    """Return one side of a comparison.

    Args:
        session: The session.
        branch: The number of its branch; None for the current one.
        named: Whether to call it by the end of its id, because two sessions are compared.

    Raises:
        UsageError: There is no such branch.
    """
    number = session.current if branch is None else branch
    if number >= len(session.branches):
        raise UsageError(
            f"The session {session.id} has no branch #{number}.",
            f"It has: {', '.join(f'#{one.number}' for one in session.branches)}.",
        )
    return Side(session, number, session.id[-6:] if named else "")


def chosen(compared: RunsCompared, step: str) -> tuple[StepCompared, ...]:
    """Return the steps to tell about: all, or the one that is named.

    Raises:
        UsageError: Neither run has such a step.
    """
    if not step:
        return compared.steps
    found = tuple(one for one in compared.steps if one.step_id == step)
    if not found:
        known = ", ".join(one.step_id for one in compared.steps if one.number)
        raise UsageError(f"Neither run has a step '{step}'.", f"They have: {known}.")
    return found


def code_of(steps: tuple[StepCompared, ...]) -> CompareCode:
    """The exit code: whether anything differs."""
    differs = any(one.verdict not in ("same", "not run") for one in steps)
    return CompareCode.DIFFERENT if differs else CompareCode.SAME


def as_json(compared: RunsCompared, steps: tuple[StepCompared, ...]) -> dict[str, Any]:
    """Return the whole comparison as one JSON object."""
    return {
        "before": _side(compared.before),
        "after": _side(compared.after),
        "different": code_of(steps) is CompareCode.DIFFERENT,
        "inputs": [change for one in steps for change in _inputs(compared, one)],
        "steps": [_step(compared, one) for one in steps if one.number],
    }


def as_text(compared: RunsCompared, steps: tuple[StepCompared, ...]) -> Iterator[str]:
    """Yield the comparison as lines: each step with its verdict, below it what differs."""
    yield f"--- {_name(compared.before)}"
    yield f"+++ {_name(compared.after)}"
    for step in steps:
        yield from _lines(compared, step)


def _lines(compared: RunsCompared, step: StepCompared) -> Iterator[str]:
    verdict = step.said or step.verdict
    yield f"{step.look.glyph} {step.inside or step.name:<24} {verdict}".rstrip()
    for aspect in ASPECTS:
        if node := _difference(compared, step, aspect):
            yield f"    {title(compared, step, aspect)}"
            yield from (f"      {_row(row)}" for row in DiffRows(node, WIDTH).rows)
    for one in step.inner:
        yield from (f"  {line}" for line in _lines(compared, one))


def _side(side: Side) -> dict[str, Any]:
    return {"session": side.session.id, "branch": side.number}


def _name(side: Side) -> str:
    return f"{safe_line(side.session.id, 80)} #{side.number}"


def _inputs(compared: RunsCompared, step: StepCompared) -> list[Mapping[str, Any]]:
    return [] if step.number else _changes(compared, step, "input")


def _step(compared: RunsCompared, step: StepCompared) -> dict[str, Any]:
    told: dict[str, Any] = {
        "step": step.step_id,
        "name": step.name,
        "verdict": step.verdict,
        "before": step.before.name if step.before else None,
        "after": step.after.name if step.after else None,
    }
    if step.inside:
        told["inside"] = step.inside
    if step.inner:
        told["inner"] = [_step(compared, one) for one in step.inner]
    return told | {aspect: _changes(compared, step, aspect) for aspect in ASPECTS}


def _difference(compared: RunsCompared, step: StepCompared, aspect: Aspect) -> DiffNode | None:
    """Where one aspect of a step differs; None where it does not."""
    sides = sides_of(compared, step, aspect) if step.counts.get(aspect) else None
    return compare(*sides) if sides is not None else None


def _changes(compared: RunsCompared, step: StepCompared, aspect: Aspect) -> list[Mapping[str, Any]]:
    node = _difference(compared, step, aspect)
    return [
        {"kind": one.kind.value, "path": show(one.path), "old": one.old, "new": one.new}
        for one in (changes(node) if node is not None else ())
    ]


_MARKS = {look.word: look.glyph for look in (ADDED, REMOVED, CHANGED, MOVED)}


def _row(row: DiffRow) -> str:
    mark = _MARKS.get(row.kind.value, " ")
    if row.is_line:
        return f"{'  ' * row.depth}{mark if not row.continued else ' '} {row.old or row.new}"
    return f"{'  ' * row.depth}{mark} {row.text}"
