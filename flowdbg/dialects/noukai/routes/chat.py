"""The turns of a chat that a run can be asked with (protocol sections 3, 6.1 and 17.16)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flowdbg.dialects.noukai import wire
from flowdbg.dialects.noukai.routes.tools import too_large
from flowdbg.dialects.operations import Refusal

_ROLES = ("user", "assistant", "tool")


def message_of(message: str | None, turns: Sequence[Any]) -> str | None:
    """The primary input: the last turn of the user where there are turns.

    Raises:
        Refusal: 400 `MESSAGES_ROLE_INVALID`, 413 `MESSAGES_TOO_LARGE`.
    """
    too_large(turns, "messages")
    said = message
    for number, turn in enumerate(turns):
        role = turn.get("role") if isinstance(turn, dict) else None
        if role not in _ROLES:
            raise Refusal(
                400,
                wire.MESSAGES_ROLE_INVALID,
                f"Message {number} needs a role of {', '.join(_ROLES)}.",
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
