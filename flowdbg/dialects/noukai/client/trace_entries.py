"""A finished run's trace as the log of a session, so that the debugger can go on from any step.

What the server kept becomes one turn of events that read like those of the step stream. A later
step needs the outputs before it, so the session stands where they are still complete: at the end,
or before the first step whose output was not kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from flowdbg.core.entries import (
    Body,
    CommandGiven,
    EventReceived,
    ExecutionLost,
    Forked,
    ForkReason,
    Outcome,
    PlanLoaded,
    SessionOpened,
    Stopped,
    StopReason,
    TurnEnded,
    TurnStarted,
)
from flowdbg.core.events import Received
from flowdbg.core.json_text import JsonText
from flowdbg.core.plan import Plan, Step
from flowdbg.dialects.noukai import wire
from flowdbg.dialects.noukai.client.trace_events import entry_events, error_of, event_as_sent
from flowdbg.dialects.traces import StepTrace, Trace

_TURN = 1
_ENDED = ("completed", "skipped")
_REASONS = {Outcome.COMPLETED: StopReason.END, Outcome.FAILED: StopReason.ERROR}


@dataclass(frozen=True, slots=True)
class Opened:
    """Where a session made from a trace belongs to."""

    session_id: str
    url: str
    """The server's base URL."""
    address: str
    """`org/project/flow`."""
    pinned: int | None = None
    """The version that further steps go to; the run's own one keeps its outputs fitting."""


class Inputs(NamedTuple):
    """What a run was started with."""

    message: str | None
    parameters: dict[str, Any]
    known: bool
    """Whether the trace tells them."""
    attachments: str = ""
    """JSON text; empty for none."""
    conversation: bool = False
    """Whether the run began with a conversation, which steps cannot be given."""


def entries_from_trace(trace: Trace, plan: Plan | None, opened: Opened) -> list[Body]:
    """The log of a session in which this run took place; it is paused, and nothing was sent.

    `plan` is that of the run's version; None where the server tells none. Further steps begin a
    run of their own with the outputs kept here, so that the finished one stays as it is. What is
    missing is said in the detail of the last entry.
    """
    story = _story(trace, plan)
    inputs = inputs_of(trace, story.plan)
    session = SessionOpened(
        opened.session_id,
        "noukai",
        opened.url,
        opened.address,
        opened.pinned,
        inputs.message,
        JsonText.of(inputs.parameters),
        attachments=inputs.attachments,
    )
    route = f"/seq/{opened.address}/runs/{trace.run.id}/trace"
    bodies: list[Body] = [
        session,
        PlanLoaded(story.plan),
        CommandGiven("open run"),
        TurnStarted(_TURN, 0, run_remaining=True, route=route, body=()),
        *(EventReceived(_TURN, event) for event in _events(trace, story)),
        TurnEnded(_TURN, story.outcome, (trace.run.duration_ms or 0) / 1000),
    ]
    if story.complete < len(story.entries):
        bodies.append(Forked(1, 0, story.complete, ForkReason.FORK, fresh=True))
    else:
        bodies.append(ExecutionLost(trace.run.id))
    return [*bodies, _stop(trace, story, inputs)]


def inputs_of(trace: Trace, plan: Plan) -> Inputs:
    """The run's inputs: as told, else what the plan's first step read (section 12, point 3)."""
    initial = trace.run.initial
    if initial is not None:
        given, message, images = map(initial.get, ("parameters", "message", "attachments"))
        return Inputs(
            message if isinstance(message, str) else None,
            dict(given) if isinstance(given, dict) else {},
            True,
            JsonText.of(images).text if isinstance(images, list) and images else "",
            bool(initial.get("messages")),
        )
    first = plan.at(0)
    records = (step for step in trace.steps if first and step.step_id == first.id and not step.path)
    read = next((step.input.value for step in records if step.input), None)
    if not isinstance(read, dict):
        return Inputs(None, {}, False)
    parameters = {name: value for name, value in read.items() if name != "attachments"}
    message = parameters.pop("message", None)
    if isinstance(message, str):
        return Inputs(message, parameters, True)
    return Inputs(None, {**parameters, "message": message} if message else parameters, True)


@dataclass(frozen=True, slots=True)
class _Story:
    """What a trace tells, fitted to a plan."""

    plan: Plan
    entries: Sequence[StepTrace]
    """One for each plan entry that ran, in the plan's order."""
    inside: Mapping[str, Sequence[StepTrace]]
    """What ran inside a plan entry."""
    complete: int
    """How many entries have an output that can be sent on."""
    outcome: Outcome
    remark: str = ""
    """Why the plan is not the one that was given; empty when it is."""


def _story(trace: Trace, plan: Plan | None) -> _Story:
    recorded, inside = _sorted(trace, plan)
    remark = ""
    if plan is None or not _fits(plan, trace, recorded):
        if plan is not None and plan.told:
            remark = "The plan is another one now; this one is put together from the trace."
        in_order = sorted(recorded.values(), key=lambda one: one.started_at)
        steps = tuple(Step(one.step_id, one.name or one.step_id) for one in in_order)
        run = trace.run
        plan = Plan(steps, run.version, run.plan_hash, count=run.step_count or len(steps))
    entries: list[StepTrace] = []
    for step in plan.steps:
        record = recorded.get(step.id)
        if record is None or record.status not in (*_ENDED, "failed"):
            break
        entries.append(record)
        if record.status == "failed":
            break
    complete = next(
        (at for at, record in enumerate(entries) if not _can_be_sent(record)), len(entries)
    )
    return _Story(plan, entries, inside, complete, _outcome(trace, plan, entries), remark)


def _fits(plan: Plan, trace: Trace, recorded: Mapping[str, StepTrace]) -> bool:
    """Whether a plan is the one that the run went by."""
    run = trace.run
    same_version = None in (plan.version, run.version) or plan.version == run.version
    same_hash = not plan.hash or not run.plan_hash or plan.hash == run.plan_hash
    same_steps = all(plan.index_of(step) is not None for step in recorded)
    return plan.told and same_version and same_hash and same_steps


def _can_be_sent(record: StepTrace) -> bool:
    """Whether later steps can go on with what this one left behind."""
    return record.status == "failed" or (record.output is not None and not record.truncated)


def _sorted(
    trace: Trace, plan: Plan | None
) -> tuple[dict[str, StepTrace], dict[str, list[StepTrace]]]:
    """The plan entries' records by step, and what ran inside of them by entry.

    A server that tells no paths is understood by the plan; without one, iterations give it away.
    """
    entries: dict[str, StepTrace] = {}
    inside: dict[str, list[StepTrace]] = {}
    for record in trace.steps:
        if record.path:
            inside.setdefault(record.entry_id, []).append(record)
        elif plan is not None and plan.told and plan.index_of(record.step_id) is None:
            if plan.find(record.step_id) is None:
                entries[record.step_id] = record
        elif record.loop_index is None:
            entries[record.step_id] = record
    return entries, inside


def _outcome(trace: Trace, plan: Plan, entries: Sequence[StepTrace]) -> Outcome:
    if entries and entries[-1].status == "failed":
        return Outcome.FAILED
    if trace.run.status == "completed" and len(entries) == plan.length:
        return Outcome.COMPLETED
    return Outcome.CANCELLED if trace.run.status == "cancelled" else Outcome.PAUSED


def _events(trace: Trace, story: _Story) -> list[Received]:
    events = [
        event_as_sent(
            wire.RUN_STARTED,
            executionId=trace.run.id,
            flowId=trace.run.flow_id,
            stepCount=story.plan.length,
            version=trace.run.version,
        )
    ]
    for record in story.entries:
        events += entry_events(
            record, _name(record, story.plan), story.inside.get(record.step_id, ())
        )
    if story.outcome is Outcome.COMPLETED:
        last = story.entries[-1].output if story.entries else None
        events.append(event_as_sent(wire.FLOW_COMPLETED, executionId=trace.run.id, result=last))
    elif story.outcome is not Outcome.FAILED:
        ran = len(story.entries)
        events.append(event_as_sent(wire.STEP_PAUSED, executionId=trace.run.id, nextStepIndex=ran))
    return events


def _name(record: StepTrace, plan: Plan) -> str:
    step = plan.find(record.step_id)
    return record.name or (step.name if step else record.step_id)


def _stop(trace: Trace, story: _Story, inputs: Inputs) -> Stopped:
    said = [f"Opened from the trace of run {trace.run.id}."]
    ran = len(story.entries)
    at, reason = ran, _REASONS.get(story.outcome, StopReason.START)
    if story.complete < ran:
        at, reason = story.complete, StopReason.START
        said.append(_missing(trace, story.entries[at].step_id))
    elif story.outcome is Outcome.FAILED:
        at = ran - 1
        said.append(str(error_of(story.entries[at]).get("message", "")))
    elif not trace.steps and trace.run.status not in ("pending", "running"):
        said.append(f"The run is '{trace.run.status}'. Its steps were not captured{_mode(trace)}.")
    elif story.outcome is not Outcome.COMPLETED:
        said.append(f"The run is '{trace.run.status}' and came this far.")
    if trace.run.capture == "redacted":
        said.append("The server kept values redacted, and redacted they would be sent on.")
    if not inputs.known:
        said.append("The run's inputs were not kept: give them before the first step.")
    if inputs.conversation:
        said.append("It began with a conversation; further steps get only its last message.")
    said.append(story.remark)
    where = story.plan.at(at)
    detail = " ".join(part for part in said if part)
    return Stopped(reason, detail, where.id if where else "")


def _missing(trace: Trace, step_id: str) -> str:
    if trace.captured:
        return f"The output of '{step_id}' is not whole in the trace, so it is the next step."
    return (
        f"Outputs were not captured{_mode(trace)}, only times, tokens and sizes; a run with --trace"
        " keeps them."
    )


def _mode(trace: Trace) -> str:
    return f" (capture mode {trace.run.capture})" if trace.run.capture else ""
