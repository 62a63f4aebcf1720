"""The request that a session implies, free of any dialect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flowdbg.core.json_text import JsonText
from flowdbg.core.session import Session


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
    pinned: int | None
    plan_hash: str
    """The plan that an unpinned session expects; empty when it cannot say, or is pinned."""


def next_request(session: Session, *, run_remaining: bool = False) -> TurnRequest:
    """The request for the session's next turn.

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
            step_id: fields
            for step_id, fields in session.block_edits.items()
            if fields and plan.has(step_id)
        },
        pinned=session.pinned,
        plan_hash="" if session.pinned is not None else session.plan.hash,
    )
