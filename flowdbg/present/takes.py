"""What a step said, each time that it did: with what it read and how it was configured then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flowdbg.core.events import Path
from flowdbg.core.json_text import JsonText
from flowdbg.core.lineage import first_given, last_given
from flowdbg.core.plan import Plan, Step
from flowdbg.core.session import Branch, Execution, Given, Session
from flowdbg.present.branches import own_executions
from flowdbg.present.json_diff import MISSING, same

Aspect = Literal["output", "input", "block"]
"""What of a step is compared."""

ASPECTS: tuple[Aspect, ...] = ("output", "input", "block")
CAUSES: tuple[Aspect, ...] = ("block", "input")
"""Why an output may be another one."""


@dataclass(frozen=True, slots=True)
class Side:
    """One run that can be compared: a branch of a session as it stands."""

    session: Session
    number: int
    """The branch."""
    label: str = ""
    """How the session is called, where two sessions are compared."""

    @property
    def name(self) -> str:
        """How the run is called: `#1`, or `a1b2c3 #1` among several sessions."""
        return f"{self.label} #{self.number}".strip()

    @property
    def branch(self) -> Branch:
        """The branch itself."""
        return self.session.branches[self.number]

    @property
    def given(self) -> Given:
        """What the run was last asked with."""
        return last_given(self.session, self.number)

    @property
    def plan(self) -> Plan:
        """The plan that it ran on."""
        return self.given.plan

    @property
    def inputs(self) -> dict[str, Any]:
        """What the run was begun with, and on which version."""
        given = first_given(self.session, self.number)
        return {
            "message": given.message,
            "parameters": given.parameters.value,
            "version": self.plan.version,
        }


@dataclass(frozen=True, slots=True)
class Take:
    """One thing that a step said: an attempt, or an edit that stands in for one."""

    name: str
    """Where it comes from: `#0 attempt 1`, `#2 edited`."""
    step_id: str
    output: JsonText | None = None
    execution: Execution | None = None
    """The attempt; what an edit stands in for, None where it never ran."""
    block: Mapping[str, Any] = field(default_factory=dict)
    """How the step was configured, with the edits of then."""
    is_edit: bool = False

    def value(self, aspect: Aspect) -> Any:
        """What it says, read or ran on, as parsed JSON; `MISSING` where there is nothing."""
        if aspect == "block":
            return dict(self.block)
        if aspect == "input":
            given = self.execution.input if self.execution else None
            return MISSING if given is None else given.value_or_text
        if self.output is not None:
            return self.output.value_or_text
        if self.execution is None:
            return MISSING
        if self.execution.error:
            return {"error": dict(self.execution.error)}
        return self.execution.text or MISSING

    def text(self, aspect: Aspect) -> str | None:
        """The text that `value` comes from, where there is one: equal texts are equal values."""
        if aspect == "output":
            return self.output.text if self.output is not None else None
        if aspect == "input" and self.execution is not None and self.execution.input is not None:
            return self.execution.input.text
        return None

    def inside(self) -> dict[Path, Take]:
        """What ran inside it, by its path there; of containers in it what they hold."""
        children = self.execution.children if self.execution else {}
        containers = {path[:-1] for path in children}
        return {
            path: Take(self.name, self.step_id, one.output, one, _block_inside(self.block, path))
            for path, one in children.items()
            if path not in containers
        }


def takes(side: Side, step_id: str) -> tuple[Take, ...]:
    """Every take of a step in a session: the attempts of each branch, then its edit."""
    session = side.session
    found: list[Take] = []
    for branch in session.branches:
        here = Side(session, branch.number, side.label)
        attempts = [one for name, one in own_executions(session, branch.number) if name == step_id]
        found += [_attempt(here, one) for one in attempts]
        if step_id in here.given.output_edits:
            newest = take_of(here, step_id)
            assert newest is not None
            found.append(newest)
    return tuple(found)


def take_of(side: Side, step_id: str) -> Take | None:
    """What later steps of a run read of a step: its edit, or what its newest attempt said."""
    attempts = side.branch.executions.get(step_id, ())
    newest = _attempt(side, attempts[-1]) if attempts else None
    edit = side.given.output_edits.get(step_id)
    if edit is None:
        return newest
    execution, block = (newest.execution, newest.block) if newest else (None, _block(side, step_id))
    return Take(f"{side.name} edited", step_id, edit, execution, block, is_edit=True)


def configured(step: Step, edits: Mapping[str, Mapping[str, JsonText]]) -> dict[str, Any]:
    """Return how a step was configured: edits laid over it, what it contains by its id."""
    config = dict(step.config)
    config.update({name: text.value_or_text for name, text in edits.get(step.id, {}).items()})
    for child in step.children:
        config[child.id] = configured(child, edits)
    return config


def _attempt(side: Side, execution: Execution) -> Take:
    """An attempt by the branch on which it was made, which may be one that this one grew from."""
    turn = next((one for one in side.session.turns if one.number == execution.turn), None)
    if turn is None:
        turn = side.session.running
    number = turn.branch if turn is not None else side.number
    given = turn.given if turn is not None else side.given
    step = given.plan.find(execution.step_id)
    made = Side(side.session, number, side.label)
    return Take(
        f"{made.name} attempt {execution.attempt}",
        execution.step_id,
        execution.output,
        execution,
        configured(step, given.block_edits) if step else {},
    )


def _block(side: Side, step_id: str) -> Mapping[str, Any]:
    step = side.plan.find(step_id)
    return configured(step, side.given.block_edits) if step else {}


def _block_inside(block: Any, path: Path) -> Mapping[str, Any]:
    """The configuration of something inside a container, from the one that `configured` gives."""
    for name in path:
        if isinstance(name, str):
            block = block.get(name) if isinstance(block, Mapping) else None
    return block if isinstance(block, Mapping) else {}


def pairs(session: Session, step_id: str, seen: Session) -> tuple[tuple[Aspect, Take, Take], ...]:
    """Everything of a step that there are two of, what a person most likely asks for first.

    The edits in force come first, then what the step said last against each other time, newest
    first: its output, and its block and input where they were others.

    Args:
        session: The session.
        step_id: A step of the plan, or one inside a container.
        seen: The session as it is looked at.
    """
    found: list[tuple[Aspect, Take, Take]] = []
    side = Side(seen, seen.current)
    newest = take_of(side, step_id)
    step = seen.plan.find(step_id)
    if newest is not None and newest.is_edit and newest.execution and newest.execution.output:
        original = Take("original", step_id, newest.execution.output)
        found.append(("output", original, Take("edited", step_id, newest.output)))
    if step is not None and seen.block_edits.get(step_id):
        original = Take("original", step_id, block=configured(step, {}))
        edited = Take("edited", step_id, block=configured(step, seen.block_edits))
        found.append(("block", original, edited))
    attempts = side.branch.executions.get(step_id, ())
    if not attempts:
        return tuple(found)
    last = _attempt(side, attempts[-1])
    for other in reversed(takes(Side(session, session.current), step_id)):
        if other.is_edit or other.name == last.name:
            continue
        found.append(("output", other, last))
        found += [
            (aspect, other, last)
            for aspect in CAUSES
            if not same(other.value(aspect), last.value(aspect))
        ]
    return tuple(found)
