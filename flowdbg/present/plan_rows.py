"""The plan as rows: what each step is, how it stands, and what a person put on it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from flowdbg.core.plan import Step
from flowdbg.core.requests import TurnRequest
from flowdbg.core.session import Branch, Execution, Given, Session, Status
from flowdbg.present.formats import duration
from flowdbg.present.looks import StepState
from flowdbg.present.safe_text import safe_line

STEP_STATES = {
    Status.RUNNING: StepState.RUNNING,
    Status.DONE: StepState.DONE,
    Status.SKIPPED: StepState.SKIPPED,
    Status.FAILED: StepState.FAILED,
    Status.WAITING: StepState.WAITING,
    Status.CANCELLED: StepState.CANCELLED,
    Status.UNKNOWN: StepState.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One step as it is listed."""

    step_id: str
    name: str
    kind: str
    state: StepState
    number: int = 0
    """Position in the plan from 1; 0 for what stands inside a container."""
    depth: int = 0
    breakpoint: bool | None = None
    """True for an active breakpoint, False for one that is switched off."""
    edits: int = 0
    """Edits of this step: one for its output, one for each field of its block."""
    draft: bool = False
    """Whether an unfinished edit is kept for it."""
    note: str = ""
    """Progress or time: `3/8`, `1.2s`."""
    is_container: bool = False
    is_open: bool = False


def plan_rows(
    session: Session,
    *,
    folded: Collection[str] = (),
    drafts: Collection[str] = (),
) -> tuple[PlanRow, ...]:
    """List the plan's steps, containers with what they hold below them.

    Args:
        session: The session.
        folded: Ids of containers whose children are hidden.
        drafts: Ids of steps with an unfinished edit.
    """
    branch = session.branch
    rows: list[PlanRow] = []
    for index, step in enumerate(session.plan.steps):
        execution = _latest(branch, step.id)
        is_open = bool(step.children) and step.id not in folded
        rows.append(
            PlanRow(
                step_id=step.id,
                name=safe_line(step.name or step.id),
                kind=safe_line(step.kind),
                state=_state(session, index, step, execution),
                number=index + 1,
                breakpoint=_breakpoint(session, step.id),
                edits=edit_count(session, step.id),
                draft=step.id in drafts,
                note=_note(execution, step),
                is_container=bool(step.children),
                is_open=is_open,
            )
        )
        if is_open:
            rows += _inside(session, execution, step, 1)
    return tuple(rows)


def edit_count(session: Session, step_id: str) -> int:
    """How many edits a step carries: its output, and each changed field of its block."""
    return (step_id in session.output_edits) + len(session.block_edits.get(step_id, ()))


def edits_in(asked: Given | Session | TurnRequest) -> int:
    """How many edits there are: outputs, and changed fields of blocks."""
    return len(asked.output_edits) + sum(map(len, asked.block_edits.values()))


def row_index(rows: tuple[PlanRow, ...], step_id: str) -> int | None:
    """The index of a step's row, or None."""
    return next((at for at, row in enumerate(rows) if row.step_id == step_id), None)


def summary(rows: tuple[PlanRow, ...]) -> str:
    """Count the steps in as few words as a narrow pane has room for: `3 done · 5 left`.

    Where a step failed, that is said instead of what is left.
    """
    states = [row.state for row in rows if not row.depth]
    done, failed = states.count(StepState.DONE), states.count(StepState.FAILED)
    ahead = (StepState.RUNNING, StepState.NEXT, StepState.PENDING)
    left = sum(state in ahead for state in states)
    counts = ((done, "done"), (failed, "failed") if failed else (left, "left"))
    return " · ".join(f"{count} {word}" for count, word in counts if count)


def _inside(
    session: Session, execution: Execution | None, step: Step, depth: int
) -> Iterator[PlanRow]:
    for child in step.children:
        runs = _runs(execution, child.id)
        yield PlanRow(
            step_id=child.id,
            name=safe_line(child.name or child.id),
            kind=safe_line(child.kind),
            state=_inner_state(runs),
            depth=depth,
            edits=edit_count(session, child.id),
            note=_inner_note(runs),
            is_container=bool(child.children),
            is_open=bool(child.children),
        )
        yield from _inside(session, execution, child, depth + 1)


def _runs(execution: Execution | None, step_id: str) -> list[Execution]:
    if execution is None:
        return []
    return [run for path, run in execution.children.items() if path and path[-1] == step_id]


def _inner_state(runs: list[Execution]) -> StepState:
    if not runs:
        return StepState.PENDING
    failed = next((run for run in runs if run.status is Status.FAILED), None)
    return STEP_STATES[(failed or runs[-1]).status]


def _inner_note(runs: list[Execution]) -> str:
    if not runs:
        return ""
    done = sum(run.status is Status.DONE for run in runs)
    return f"{done}×" if done == len(runs) else f"{done}/{len(runs)}"


def _latest(branch: Branch, step_id: str) -> Execution | None:
    attempts = branch.executions.get(step_id)
    return attempts[-1] if attempts else None


def _state(session: Session, index: int, step: Step, execution: Execution | None) -> StepState:
    branch = session.branch
    is_next = index == branch.cursor and not branch.done
    if step.id in branch.skipped:
        return StepState.SKIPPED
    if execution is not None and not (is_next and execution.status is Status.DONE):
        return STEP_STATES[execution.status]
    if is_next and not session.stale:
        return StepState.NEXT
    return StepState.DONE if index < branch.cursor else StepState.PENDING


def _breakpoint(session: Session, step_id: str) -> bool | None:
    point = session.breakpoints.get(step_id)
    return point.enabled if point else None


def _note(execution: Execution | None, step: Step) -> str:
    if execution is None:
        return ""
    if execution.status is Status.RUNNING:
        inner = [run for run in execution.children.values() if run.status is Status.DONE]
        return f"{len(inner)} done" if step.children and inner else "…"
    took = execution.duration_ms
    if took is None and execution.ended_at is not None:
        took = round((execution.ended_at - execution.started_at) * 1000)
    text = duration(took) if took is not None else ""
    return f"#{execution.attempt} {text}" if execution.attempt > 1 else text
