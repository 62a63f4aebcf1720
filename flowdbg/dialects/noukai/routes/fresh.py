"""Whole runs from their beginning: what `/execute` and `/jobs` are asked with (sections 6.1 and 7).

A chat's turns may stand in for the message (sections 3 and 17.16).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flowdbg.dialects.noukai import wire
from flowdbg.dialects.noukai.routes.attachments import check_models, read_attachments
from flowdbg.dialects.noukai.routes.requests import WholeRunRequest
from flowdbg.dialects.noukai.routes.resolving import check_entry, flow_inputs
from flowdbg.dialects.noukai.routes.tools import too_large
from flowdbg.dialects.operations import Refusal
from flowdbg.dialects.playing import Play
from flowdbg.dialects.records import Trigger
from flowdbg.dialects.services import Resolved, RunStart, Services


def fresh_run(
    services: Services,
    asked: WholeRunRequest,
    resolved: Resolved,
    trigger: Trigger,
    session_id: str | None,
) -> tuple[RunStart, Play]:
    """How a run begins, and what it is played with; everything about it was found right.

    Raises:
        Refusal: The run cannot begin.
    """
    attachments = read_attachments(asked.attachments)
    check_models(services, resolved, attachments, asked.block_overrides)
    initial = {
        "message": message_of(asked.message, asked.messages),
        "parameters": asked.parameters,
        "attachments": attachments,
        "messages": asked.messages,
    }
    play = Play(
        resolved,
        flow_inputs(resolved, initial, first=True),
        block_overrides=asked.block_overrides,
        tools=asked.tools,
        tool_choice=asked.tool_choice,
    )
    check_entry(services, play, 0)
    start = RunStart(resolved, trigger, initial, session_id=session_id, full_capture=asked.trace)
    return start, play


def message_of(message: str | None, turns: Sequence[Any]) -> str | None:
    """The primary input: the last turn of the user where there are turns.

    Raises:
        Refusal: 400 `MESSAGES_ROLE_INVALID`, 413 `MESSAGES_TOO_LARGE`.
    """
    too_large(turns, "messages")
    said = message
    for number, turn in enumerate(turns):
        role = turn.get("role") if isinstance(turn, dict) else None
        if role not in wire.ROLES:
            raise Refusal(
                400,
                wire.MESSAGES_ROLE_INVALID,
                f"Message {number} needs a role of {', '.join(wire.ROLES)}.",
            )
        if role == "user":
            said = _text(turn.get("content"))
    return said


def _text(content: Any) -> str:
    """The words of a turn's content, which may come in parts."""
    if isinstance(content, list):
        parts = (part.get("text") for part in content if isinstance(part, dict))
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""
