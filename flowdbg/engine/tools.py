"""Tool conversations: OpenAI messages in either spelling, and whether results answer the calls.

Protocol: noukai sections 3, 12 (point 10) and 17 (points 13 and 23).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flowdbg.engine.errors import ResumeInvalid

MAX_ROUNDS = 10
"""Most rounds of tool calls of one step."""


class ToolResultsMismatch(ResumeInvalid):
    """The tool messages do not answer the calls of the last assistant message."""

    code = "TOOL_RESULTS_MISMATCH"


def checked_conversation(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The conversation in OpenAI spelling, with every pending call answered exactly once.

    Raises:
        ToolResultsMismatch: A call without a result, a result without a call, or no call at all.
    """
    conversation = [chat_message(message) for message in messages]
    pending: list[str] = []
    asked = False
    for message in conversation:
        if calls := message.get("tool_calls"):
            asked = True
            pending += [call["id"] for call in calls]
        elif message["role"] == "tool":
            call_id = message.get("tool_call_id")
            if call_id not in pending:
                raise ToolResultsMismatch(
                    f"There is a tool result for the call {call_id!r}, which is not pending.",
                    "Answer exactly the calls of the pause.",
                )
            pending.remove(call_id)
    if not asked:
        raise ToolResultsMismatch(
            "The conversation has no tool calls.", "Send the messages of the pause with results."
        )
    if pending:
        names = ", ".join(repr(call_id) for call_id in pending)
        raise ToolResultsMismatch(
            f"There is no tool result for the call {names}.",
            "Append one tool message for every call.",
        )
    return conversation


def chat_message(message: Any) -> dict[str, Any]:
    """One message in OpenAI spelling.

    Raises:
        ToolResultsMismatch: It is not a chat message.
    """
    role = message.get("role") if isinstance(message, dict) else None
    if role not in ("system", "user", "assistant", "tool"):
        raise ToolResultsMismatch("A message has no valid role.", "Send the messages of the pause.")
    clean: dict[str, Any] = {"role": role, "content": message.get("content")}
    if role != "tool" and not _is_content(clean["content"]):
        raise ToolResultsMismatch(
            f"The content of a message of the {role} is neither text nor a list of parts.",
            "Send the messages of the pause.",
        )
    if role == "tool":
        clean["tool_call_id"] = message.get("tool_call_id", message.get("toolCallId"))
        if not isinstance(clean["content"], str):
            clean["content"] = json.dumps(clean["content"], ensure_ascii=False)
    calls = message.get("tool_calls") or message.get("toolCalls")
    if role == "assistant" and calls:
        if not isinstance(calls, list):
            raise _damaged()
        clean["tool_calls"] = [_call(call) for call in calls]
    if isinstance(message.get("name"), str):
        clean["name"] = message["name"]
    return clean


def _is_content(content: Any) -> bool:
    if isinstance(content, list):
        return all(isinstance(part, Mapping) for part in content)
    return content is None or isinstance(content, str)


def _call(call: Any) -> dict[str, Any]:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(call.get("id"), str):
        raise _damaged()
    arguments = function.get("arguments", "{}")
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    return {
        "id": call["id"],
        "type": "function",
        "function": {"name": function.get("name"), "arguments": arguments},
    }


def _damaged() -> ToolResultsMismatch:
    return ToolResultsMismatch("A tool call is damaged.", "Send the messages of the pause.")
