"""The request that a session implies, free of any dialect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flowdbg.core.json_text import JsonText
from flowdbg.core.session import Session


@dataclass(frozen=True, slots=True)
class ToolResume:
    """What goes back to a step that waits for tools: its own state, and every answer."""

    state: JsonText
    answers: tuple[tuple[str, str], ...]
    """Call id and content, in the order of the calls."""
    iterations_used: int


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """What to ask of a server for one turn."""

    index: int
    run_remaining: bool
    execution_id: str
    """Empty for a fresh run; then `message` and `parameters` go out."""
    message: str | None
    parameters: JsonText
    outputs: Mapping[str, JsonText]
    output_edits: Mapping[str, JsonText]
    block_edits: Mapping[str, Mapping[str, JsonText]]
    resume: ToolResume | None
    """The answers to the tool calls that the step waits for; None to run it from its start."""
    tools: str
    tool_choice: str
    attachments: str
    """JSON texts; empty for none. Attachments go out with the inputs only."""
    trace: bool
    pinned: int | None
    plan_hash: str
    """The plan that an unpinned session expects; empty when it cannot say, or is pinned."""


def next_request(
    session: Session, *, run_remaining: bool = False, afresh: bool = False
) -> TurnRequest:
    """The request for the session's next turn; `afresh` forgets pending tool calls.

    The client owns cursor and outputs: everything collected goes out on every call, edits beside
    the originals and never instead of them. Inputs go out only while there is no execution id.
    Edits of steps that the plan no longer has stay in the session and are not sent.
    """
    branch = session.branch
    plan = session.plan
    fresh = not branch.execution_id
    return TurnRequest(
        index=branch.cursor,
        run_remaining=run_remaining,
        execution_id=branch.execution_id,
        message=session.message if fresh else None,
        parameters=session.parameters if fresh else JsonText("{}"),
        outputs=branch.outputs,
        output_edits={
            step_id: value for step_id, value in session.output_edits.items() if plan.has(step_id)
        },
        block_edits={
            step_id: fields for step_id, fields in session.block_edits.items() if plan.has(step_id)
        },
        resume=None if afresh else _resume(session),
        tools=session.tools,
        tool_choice=session.tool_choice,
        attachments=session.attachments if fresh else "",
        trace=session.trace,
        pinned=session.pinned,
        plan_hash="" if session.pinned is not None else session.plan.hash,
    )


def _resume(session: Session) -> ToolResume | None:
    branch = session.branch
    if branch.pending is None or branch.unanswered:
        return None
    ids = [str(call.get("id", "")) for call in branch.pending.calls]
    answers = tuple((call_id, branch.answers[call_id].content) for call_id in ids)
    return ToolResume(branch.pending.state, answers, branch.pending.iterations_used)
