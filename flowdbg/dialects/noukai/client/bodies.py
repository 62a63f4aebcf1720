"""Bodies of `/execute` and `/jobs`: fresh (section 6.1) and after a tool pause (section 6.2).

What a server sent to be echoed goes back as exactly the text it came in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flowdbg.core.json_text import JsonText, Segments
from flowdbg.dialects.whole_runs import Paused, RunRequest
from flowdbg.errors import UsageError

ROLES = ("user", "assistant", "tool")
"""Who may speak in a conversation that a caller gives."""

Member = tuple[str, Segments]


def check_request(request: RunRequest) -> None:
    """Check what a server would refuse (codes `PARAMETER_NAME_RESERVED`, `MESSAGES_ROLE_INVALID`).

    Raises:
        UsageError: The request cannot be sent.
    """
    if "attachments" in request.parameters.value:
        raise UsageError(
            "'attachments' is no name for an input.", "Attach images with --attach URL."
        )
    if request.messages is None:
        return
    if request.message is not None:
        raise UsageError("A message and a conversation exclude each other.", "Give one of them.")
    messages = request.messages.value
    if not isinstance(messages, list) or not messages:
        raise UsageError(
            "The conversation is not a list of messages.",
            'Write [{"role": "user", "content": …}, …].',
        )
    for at, message in enumerate(messages):
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ROLES:
            raise UsageError(
                f"Message {at + 1} of the conversation has the role {role!r}.",
                f"Possible are {', '.join(ROLES)}.",
            )


def fresh_body(request: RunRequest) -> Segments:
    """The body of a new run."""
    members: list[Member] = []
    if request.messages is not None:
        members.append(("messages", (request.messages,)))
    elif request.message is not None:
        members.append(("message", (JsonText.of(request.message),)))
    return _object([*members, *_standing(request)])


def resume_body(
    request: RunRequest, paused: Paused, results: Sequence[Mapping[str, Any]]
) -> Segments:
    """The body that goes on after a pause, with one tool message for each of its calls."""
    members: list[Member] = [
        ("executionId", (JsonText.of(paused.execution_id),)),
        ("pausedAtStep", (JsonText.of(paused.step_id),)),
        ("iterationsUsed", (str(paused.iterations_used),)),
        ("toolCallMessages", _extended(paused.messages, results)),
        ("accumulatedOutputs", (paused.outputs,)),
    ]
    return _object([*members, *_standing(request)])


def _standing(request: RunRequest) -> list[Member]:
    """What goes out with every call of a run."""
    members: list[Member] = [("parameters", (request.parameters,))]
    if request.block_edits:
        blocks = [(step, _values(fields)) for step, fields in request.block_edits.items()]
        members.append(("blockOverrides", _object(blocks)))
    if request.attachments:
        members.append(("attachments", (JsonText.of(list(request.attachments)),)))
    if request.tools is not None:
        members.append(("tools", (request.tools,)))
    if request.tool_choice is not None:
        members.append(("toolChoice", (request.tool_choice,)))
    members.append(("trace", ("true" if request.trace else "false",)))
    return members


def _values(fields: Mapping[str, JsonText]) -> Segments:
    return _object([(name, (value,)) for name, value in fields.items()])


def _extended(messages: JsonText, results: Sequence[Mapping[str, Any]]) -> Segments:
    """A list's text with further items behind its own."""
    text = messages.text.strip().removesuffix("]")
    comma = "," if text.strip() != "[" and results else ""
    return (text + comma, JsonText.of(list(results)).text.removeprefix("["))


def _object(members: Sequence[Member]) -> Segments:
    parts: list[str | JsonText] = ["{"]
    for at, (name, value) in enumerate(members):
        parts += ["," if at else "", JsonText.of(name), ":", *value]
    parts.append("}")
    return tuple(parts)
