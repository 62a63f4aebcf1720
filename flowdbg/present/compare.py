"""Two runs laid over each other: which steps say something else, and what they ran on.

A run is a branch of a session; both may be of one session, or of two. Outputs are compared as
later steps read them: the edit where one was in force, else what the newest attempt said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from flowdbg.core.plan import Step
from flowdbg.core.session import Session
from flowdbg.present.formats import plural
from flowdbg.present.json_diff import MISSING, changes, compare
from flowdbg.present.looks import ADDED, DIFFERENT, EQUAL, REMOVED, STEP_LOOKS, Look, StepState
from flowdbg.present.safe_text import safe_line
from flowdbg.present.step_view import place_inside
from flowdbg.present.takes import ASPECTS, Aspect, Side, Take, take_of

Verdict = Literal["same", "different", "only before", "only after", "not run"]

HEAVY = 300_000
"""Characters of outputs from which comparing runs takes a moment."""

RUN = ""
"""The id of what stands for the run itself: its inputs and its version."""

LOOKS: dict[Verdict, Look] = {
    "same": EQUAL,
    "different": DIFFERENT,
    "only before": REMOVED,
    "only after": ADDED,
    "not run": STEP_LOOKS[StepState.PENDING],
}


@dataclass(frozen=True, slots=True)
class StepCompared:
    """One step of two runs; the run's own inputs have the id `RUN`."""

    step_id: str
    name: str
    number: int
    """Its position in the plan from 1; 0 for the run itself."""
    before: Take | None = None
    after: Take | None = None
    counts: dict[Aspect, int] = field(default_factory=dict)
    """How many leaves differ, by what is compared."""
    inside: str = ""
    """Where it ran inside the step: `2 › Note`; empty for the step itself."""
    inner: tuple[StepCompared, ...] = ()
    """What ran inside it and is not the same."""

    @property
    def verdict(self) -> Verdict:
        """What became of it, in a word."""
        if self.inner or any(self.counts.values()):
            return "different"
        if self.before is None and self.after is None and self.number:
            return "not run"
        if self.number and self.before is None:
            return "only after"
        return "only before" if self.number and self.after is None else "same"

    @property
    def differs(self) -> bool:
        """Whether the two sides are not the same."""
        return self.verdict not in ("same", "not run")

    @property
    def look(self) -> Look:
        """How the verdict looks."""
        return LOOKS[self.verdict]

    @property
    def said(self) -> str:
        """What differs, short: `output 3, block 1, 2 inside`; empty for nothing."""
        parts = [f"{aspect} {count}" for aspect, count in self.counts.items() if count]
        return ", ".join(parts + [f"{len(self.inner)} inside"] * bool(self.inner))


@dataclass(frozen=True, slots=True)
class RunsCompared:
    """Two runs, step by step."""

    before: Side
    after: Side
    steps: tuple[StepCompared, ...]

    @property
    def differing(self) -> tuple[StepCompared, ...]:
        """The steps, and perhaps the run itself, that are not the same."""
        return tuple(one for one in self.steps if one.differs)

    @property
    def said(self) -> str:
        """The whole result in words: `2 of 5 steps differ`."""
        steps = [one for one in self.steps if one.number]
        count = sum(1 for one in self.differing if one.number)
        inputs = any(not one.number for one in self.differing)
        if not count:
            return "other inputs, the same outputs" if inputs else "no difference"
        said = f"{count} of {plural(len(steps), 'step')} {'differs' if count == 1 else 'differ'}"
        return f"{said}, and the inputs" if inputs else said


def compare_runs(before: Side, after: Side) -> RunsCompared:
    """Compare two runs: their inputs, and each step of either plan in its order."""
    steps = [compare_inputs(before, after)]
    for number, step in enumerate(_steps(before, after), start=1):
        one, other = take_of(before, step.id), take_of(after, step.id)
        steps.append(compare_takes(step, number, one, other))
    return RunsCompared(before, after, tuple(steps))


def is_heavy(before: Side, after: Side) -> bool:
    """Whether comparing two runs may take long enough to be noticed."""
    texts = [*before.branch.outputs.values(), *after.branch.outputs.values()]
    inside = [
        one.output
        for side in (before, after)
        for attempts in side.branch.executions.values()
        for one in attempts[-1].children.values()
        if one.output is not None
    ]
    return sum(len(text.text) for text in [*texts, *inside]) > HEAVY


def compare_inputs(before: Side, after: Side) -> StepCompared:
    """Compare what two runs were begun with."""
    found = changes(compare(before.inputs, after.inputs))
    return StepCompared(RUN, "the run", 0, counts={"input": len(found)})


def compare_takes(step: Step, number: int, before: Take | None, after: Take | None) -> StepCompared:
    """Compare two takes of a step."""
    name = safe_line(step.name or step.id, 60)
    if before is None or after is None:
        return StepCompared(step.id, name, number, before, after)
    counts = {aspect: _count(before, after, aspect) for aspect in ASPECTS}
    compared = StepCompared(step.id, name, number, before, after, counts)
    return replace(compared, inner=tuple(_inside(compared, before, after)))


def _inside(outer: StepCompared, before: Take, after: Take) -> Iterator[StepCompared]:
    """What ran inside both takes of a step and differs; a block differs for all its runs alike."""
    if before.execution is after.execution:
        return
    one, other = before.inside(), after.inside()
    for path in dict.fromkeys([*other, *one]):
        old, new = one.get(path), other.get(path)
        counts: dict[Aspect, int] = {}
        if old is not None and new is not None:
            counts = {aspect: _count(old, new, aspect) for aspect in ("output", "input")}
        run = (new or one[path]).execution
        assert run is not None
        where = place_inside(run)
        compared = StepCompared(
            f"{outer.step_id} › {where}",
            f"{outer.name} › {where}",
            outer.number,
            old,
            new,
            counts,
            where,
        )
        if compared.differs:
            yield compared


def sides_of(compared: RunsCompared, step: StepCompared, aspect: Aspect) -> tuple[Any, Any] | None:
    """Both values of one aspect of a step; None where neither side has one."""
    if not step.number:
        return compared.before.inputs, compared.after.inputs
    before = step.before.value(aspect) if step.before else MISSING
    after = step.after.value(aspect) if step.after else MISSING
    return None if before is after is MISSING else (before, after)


def title(compared: RunsCompared, step: StepCompared, aspect: Aspect) -> str:
    """Say exactly what is compared with what: `output: #0 attempt 1 → #2 attempt 1`."""
    if not step.number:
        return f"inputs: {compared.before.name} → {compared.after.name}"
    one = step.before.name if step.before else f"{compared.before.name} (did not run)"
    other = step.after.name if step.after else f"{compared.after.name} (did not run)"
    return f"{aspect}: {one} → {other}"


def first_pair(session: Session) -> tuple[int, int] | None:
    """The two branches to compare first: the one that was left and the current one."""
    branch = session.branch
    if branch.parent is not None:
        return branch.parent, branch.number
    if len(session.branches) > 1:
        return branch.number, session.branches[-1].number
    return None


def _steps(before: Side, after: Side) -> list[Step]:
    """The steps of the later plan, and those that only the former has where they stood."""
    steps = list(after.plan.steps)
    known = {step.id for step in steps}
    for at, step in enumerate(before.plan.steps):
        if step.id not in known:
            steps.insert(min(at, len(steps)), step)
    return steps


def _count(before: Take, after: Take, aspect: Aspect) -> int:
    edited = aspect == "output" and (before.is_edit or after.is_edit)
    if before.execution is after.execution and before.execution is not None and not edited:
        return 0  # both runs share the attempt
    text = before.text(aspect)
    if text is not None and text == after.text(aspect):
        return 0
    return len(changes(compare(before.value(aspect), after.value(aspect))))
