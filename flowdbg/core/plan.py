"""Plans: the ordered steps that one version of a flow resolves to, and how two plans differ."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a plan: a block, or a whole loop or parallel container."""

    id: str
    name: str
    kind: str = ""
    """`llm`, `code`, `loop`, …; empty when the server does not tell."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """The block's configuration (prompt, model, schemas, code); empty when not told."""
    effect: str = ""
    """`none`, `read` or `write`; empty when not told."""
    children: tuple[Step, ...] = ()
    fields: tuple[str, ...] = ()
    """What a block edit can change, set or not; empty when not told."""

    def to_json(self) -> dict[str, Any]:
        """This step as JSON, for the log."""
        fields = {"fields": list(self.fields)} if self.fields else {}
        return {
            "id": self.id,
            "name": self.name,
            "kind": self.kind,
            "config": self.config,
            "effect": self.effect,
            "children": [child.to_json() for child in self.children],
            **fields,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Step:
        """The step that `to_json` wrote."""
        children = tuple(cls.from_json(child) for child in value["children"])
        fields = tuple(value.get("fields", ()))
        head = (value["id"], value["name"], value["kind"], value["config"], value["effect"])
        return cls(*head, children, fields)


@dataclass(frozen=True, slots=True)
class Plan:
    """The ordered steps of one version of a flow."""

    steps: tuple[Step, ...] = ()
    version: int | None = None
    """The published version; None when the server does not tell, or for a draft."""
    hash: str = ""
    """What the server calls this exact plan; empty when it does not tell."""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    """JSON schema of the flow's inputs; empty when not told."""
    told: bool = False
    """True when the server gave this plan; False when it was put together from events."""
    count: int | None = None
    """How many steps there are, as far as known; None before anything was told."""

    @property
    def length(self) -> int | None:
        """How many steps the plan has; None when nobody told yet."""
        return len(self.steps) if self.told else self.count

    def index_of(self, step_id: str) -> int | None:
        """The position of a step; None when the plan does not have it."""
        return next((at for at, step in enumerate(self.steps) if step.id == step_id), None)

    def at(self, index: int) -> Step | None:
        """The step at a position; None when it is not known."""
        return self.steps[index] if 0 <= index < len(self.steps) else None

    def find(self, step_id: str) -> Step | None:
        """A step by its id, inside containers too; None when the plan does not have it."""
        return _find(self.steps, step_id)

    def has(self, step_id: str) -> bool:
        """Whether a step can be in this plan: always true while the server told no plan."""
        return not self.told or self.find(step_id) is not None

    def to_json(self) -> dict[str, Any]:
        """This plan as JSON, for the log."""
        return {
            "steps": [step.to_json() for step in self.steps],
            "version": self.version,
            "hash": self.hash,
            "inputs": self.inputs,
            "told": self.told,
            "count": self.count,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Plan:
        """The plan that `to_json` wrote."""
        steps = tuple(Step.from_json(step) for step in value["steps"])
        return cls(
            steps, value["version"], value["hash"], value["inputs"], value["told"], value["count"]
        )


class Change(StrEnum):
    """What became of a step between two plans."""

    SAME = "same"
    CHANGED = "changed"
    MOVED = "moved"
    NEW = "new"
    GONE = "gone"
    UNTOLD = "not told"
    """Nothing is known of the new plan, so nothing of the step's place in it."""


@dataclass(frozen=True, slots=True)
class StepChange:
    """One step in the comparison of an old plan with a new one."""

    id: str
    change: Change
    old: Step | None
    new: Step | None
    old_index: int | None
    new_index: int | None


def compare_plans(old: Plan, new: Plan) -> tuple[StepChange, ...]:
    """Compare two plans step by step: those of the new plan in order, then those that are gone.

    Steps are the same when their ids are. As few as possible count as moved: those outside the
    longest run of steps that kept their order. `changed` needs configurations on both sides.
    Of a new plan that nobody told, no step is said to be gone.
    """
    absent = Change.GONE if new.told or new.steps else Change.UNTOLD
    old_index = {step.id: at for at, step in enumerate(old.steps)}
    kept = [step.id for step in new.steps if step.id in old_index]
    in_order = _longest_increasing([old_index[step_id] for step_id in kept])
    steady = {step_id for at, step_id in enumerate(kept) if at in in_order}
    changes = []
    for at, step in enumerate(new.steps):
        before = old_index.get(step.id)
        former = old.steps[before] if before is not None else None
        if former is None:
            change = Change.NEW
        elif step.id not in steady:
            change = Change.MOVED
        elif former.config and step.config and former.to_json() != step.to_json():
            change = Change.CHANGED
        else:
            change = Change.SAME
        changes.append(StepChange(step.id, change, former, step, before, at))
    present = {step.id for step in new.steps}
    changes += [
        StepChange(step.id, absent, step, None, at, None)
        for at, step in enumerate(old.steps)
        if step.id not in present
    ]
    return tuple(changes)


def _find(steps: Sequence[Step], step_id: str) -> Step | None:
    for step in steps:
        found = step if step.id == step_id else _find(step.children, step_id)
        if found:
            return found
    return None


def _longest_increasing(values: Sequence[int]) -> set[int]:
    """The positions of one longest strictly increasing subsequence (patience sorting)."""
    tails: list[int] = []
    tops: list[int] = []
    before: list[int] = []
    for at, value in enumerate(values):
        pile = bisect_left(tails, value)
        before.append(tops[pile - 1] if pile else -1)
        if pile == len(tails):
            tails.append(value)
            tops.append(at)
        else:
            tails[pile] = value
            tops[pile] = at
    chosen = set()
    at = tops[-1] if tops else -1
    while at >= 0:
        chosen.add(at)
        at = before[at]
    return chosen
