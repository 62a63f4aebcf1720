"""What there is to see of one step: its output as it grows, its input, its block, its attempts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flowdbg.core.json_text import JsonText
from flowdbg.core.plan import Step
from flowdbg.core.session import Branch, Execution, Session, Status
from flowdbg.core.tool_calls import ToolCall
from flowdbg.present.edit_document import is_body
from flowdbg.present.keys import KeyOf
from flowdbg.present.safe_text import safe_line


@dataclass(frozen=True, slots=True)
class StreamPart:
    """What one execution has streamed: a step itself, or something inside it."""

    label: str
    """Where inside the step: `2 › Note`; empty for the step itself."""
    chunks: Sequence[JsonText]


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of a session, ready to be shown."""

    step_id: str
    title: str
    key: tuple[int, str, int, int]
    """Changes when another execution is looked at: branch, step, attempt, turn."""
    status: Status | None = None
    parts: tuple[StreamPart, ...] = ()
    output: JsonText | None = None
    """What later steps read: the edit where there is one, else what the step produced."""
    original: JsonText | None = None
    """What the step produced, where an edit stands in for it."""
    is_edited: bool = False
    error: Mapping[str, Any] | None = None
    input: JsonText | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    block_edits: Mapping[str, JsonText] = field(default_factory=dict)
    note: str = ""
    """What to say where there is nothing to show yet."""

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for tools to be answered."""
        return self.status is Status.WAITING

    @property
    def is_running(self) -> bool:
        """Whether it still produces output."""
        return self.status is Status.RUNNING


def step_view(session: Session, step_id: str, key: KeyOf | None = None) -> StepView | None:
    """Return the view of a step, or None when the plan does not have it.

    Args:
        session: The session.
        step_id: A step of the plan, or one inside a container.
        key: The keys of actions, where it is to be said what can be done with it now.
    """
    shown = session.branch
    for step in session.plan.steps:
        if step.id == step_id:
            return _whole(session, shown, step, key)
        inner = _inner(step, step_id)
        if inner is not None:
            return _inside(session, shown, step, inner)
    return None


def call_name(call: Mapping[str, Any]) -> str:
    """Return the name of the function that a tool call asks for."""
    return safe_line(ToolCall.of(call).name, 40)


def call_text(call: Mapping[str, Any]) -> str:
    """Write a tool call on one line: `lookup({"id": 7})`."""
    return f"{call_name(call)}({safe_line(ToolCall.of(call).arguments.text, 120)})"


def effective_config(view: StepView) -> dict[str, Any]:
    """Return a block's configuration with the edits laid over it, its prompt or code first."""
    config = {**view.config, **{name: text.value for name, text in view.block_edits.items()}}
    return dict(sorted(config.items(), key=lambda field: not is_body(*field)))


def _whole(session: Session, branch: Branch, step: Step, key: KeyOf | None) -> StepView:
    attempts = branch.executions.get(step.id, ())
    execution = attempts[-1] if attempts else None
    edit = session.output_edits.get(step.id)
    produced = branch.outputs.get(step.id)
    if produced is None and execution is not None:
        produced = execution.output
    return StepView(
        step_id=step.id,
        title=_title(step),
        key=(branch.number, step.id, len(attempts), execution.turn if execution else 0),
        status=execution.status if execution else None,
        parts=_parts(execution) if execution else (),
        output=edit if edit is not None else produced,
        original=produced if edit is not None else None,
        is_edited=edit is not None,
        error=execution.error if execution else None,
        input=execution.input if execution else None,
        config=step.config,
        block_edits=session.block_edits.get(step.id, {}),
        note=_note(session, branch, step, execution, key),
    )


def _inside(session: Session, branch: Branch, outer: Step, step: Step) -> StepView:
    attempts = branch.executions.get(outer.id, ())
    runs: list[Execution] = []
    if attempts:
        runs = [run for path, run in attempts[-1].children.items() if path and path[-1] == step.id]
    outputs = [run.output.value for run in runs if run.output is not None]
    inputs = [run.input.value for run in runs if run.input is not None]
    return StepView(
        step_id=step.id,
        title=f"{_title(step)} · in {safe_line(outer.name or outer.id, 30)}",
        key=(branch.number, step.id, len(attempts), attempts[-1].turn if attempts else 0),
        status=runs[-1].status if runs else None,
        parts=tuple(StreamPart(place_inside(run), run.chunks) for run in runs),
        output=JsonText.of(outputs) if outputs else None,
        error=next((run.error for run in runs if run.error), None),
        input=JsonText.of(inputs) if inputs else None,
        config=step.config,
        block_edits=session.block_edits.get(step.id, {}),
        note="" if runs else "It has not run yet; it runs inside its container.",
    )


def _parts(execution: Execution) -> tuple[StreamPart, ...]:
    parts = [StreamPart("", execution.chunks)] if len(execution.chunks) else []
    parts += [
        StreamPart(place_inside(run), run.chunks)
        for run in execution.children.values()
        if len(run.chunks)
    ]
    return tuple(parts)


def place_inside(run: Execution) -> str:
    """Say where in its step something ran: `2 › Note`; empty for the step itself."""
    names = [str(step + 1) if isinstance(step, int) else str(step) for step in run.path]
    if run.name and names:
        names[-1] = run.name
    return safe_line(" › ".join(names), 60)


def _inner(step: Step, step_id: str) -> Step | None:
    for child in step.children:
        found = child if child.id == step_id else _inner(child, step_id)
        if found is not None:
            return found
    return None


def _title(step: Step) -> str:
    model = step.config.get("model")
    parts = [step.name or step.id, step.kind, model if isinstance(model, str) else ""]
    return " · ".join(safe_line(part, 40) for part in parts if part)


def _note(
    session: Session, branch: Branch, step: Step, execution: Execution | None, key: KeyOf | None
) -> str:
    pending = branch.pending
    if pending is not None and pending.step_id == step.id:
        calls = "\n".join(call_text(call) for call in pending.calls)
        left = len(branch.unanswered)
        return f"It waits for tools; {left} not answered:\n\n{calls}"
    if execution is not None and execution.status is Status.UNKNOWN and not execution.chunks:
        return "No end came: it may have run, or not."
    if execution is not None:
        return "" if execution.output or execution.error or execution.chunks else "No output yet."
    here = session.plan.index_of(step.id)
    if here == session.cursor and session.stale is not None:
        return "The plan changed before it ran."
    is_next = here == session.cursor and not session.branch.done
    said = "This step runs next." if is_next else "It has not run yet."
    if key is None:
        return said
    gives = f"{key('edit.output')} gives it an output"
    if is_next:
        return f"{said}\n{key('run.step')} runs it,\n{gives} to go on with."
    return f"{said}\n{gives},\n{key('edit.block')} changes its block."
