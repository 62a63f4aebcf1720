"""Bodies of `/step` (section 4.1), and of `/execute` and `/jobs` (sections 6.1 and 6.2).

They are made in pieces: what a server sent to be echoed goes back as exactly the text it came in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from flowdbg.core.json_text import JsonText, Segments
from flowdbg.core.requests import TurnRequest
from flowdbg.dialects.noukai.wire import ROLES
from flowdbg.dialects.whole_runs import Paused, RunRequest
from flowdbg.errors import UsageError

Parts = Sequence[str | JsonText]
Members = dict[str, Parts]


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


def step_body(request: TurnRequest) -> Segments:
    """The body of a `/step` call; message and parameters are for a run that has no id yet."""
    members: Members = {}
    if request.execution_id:
        members["executionId"] = (JsonText.of(request.execution_id),)
    members["stepIndex"] = (str(request.index),)
    members["accumulatedOutputs"] = _values(request.outputs)
    if not request.execution_id:
        if request.message is not None:
            members["message"] = (JsonText.of(request.message),)
        members["parameters"] = (request.parameters,)
    members["inputOverrides"] = _values(request.output_edits)
    if request.block_edits:
        members["blockOverrides"] = _blocks(request.block_edits)
    members["runRemaining"] = (_switch(request.run_remaining),)
    if request.tools:
        members["tools"] = (JsonText(request.tools),)
    if request.tool_choice:
        members["toolChoice"] = (JsonText(request.tool_choice),)
    if request.attachments:
        members["attachments"] = (JsonText(request.attachments),)
    if request.resume:
        results = [
            {"role": "tool", "toolCallId": call_id, "content": content}
            for call_id, content in request.resume.answers
        ]
        members["toolCallMessages"] = _extended(request.resume.state, results)
        members["iterationsUsed"] = (str(request.resume.iterations_used),)
    members["trace"] = (_switch(request.trace),)
    return _object(members)


def fresh_body(request: RunRequest) -> Segments:
    """The body of a new run."""
    members: Members = {}
    if request.messages is not None:
        members["messages"] = (request.messages,)
    elif request.message is not None:
        members["message"] = (JsonText.of(request.message),)
    return _object({**members, **_standing(request)})


def resume_body(
    request: RunRequest, paused: Paused, results: Sequence[Mapping[str, Any]]
) -> Segments:
    """The body that goes on after a pause, with one tool message for each of its calls."""
    members: Members = {
        "executionId": (JsonText.of(paused.execution_id),),
        "pausedAtStep": (JsonText.of(paused.step_id),),
        "iterationsUsed": (str(paused.iterations_used),),
        "toolCallMessages": _extended(paused.messages, results),
        "accumulatedOutputs": (paused.outputs,),
    }
    return _object({**members, **_standing(request)})


def _standing(request: RunRequest) -> Members:
    """What goes out with every call of a whole run."""
    members: Members = {"parameters": (request.parameters,)}
    if request.block_edits:
        members["blockOverrides"] = _blocks(request.block_edits)
    if request.attachments:
        members["attachments"] = (JsonText.of(list(request.attachments)),)
    if request.tools is not None:
        members["tools"] = (request.tools,)
    if request.tool_choice is not None:
        members["toolChoice"] = (request.tool_choice,)
    return {**members, "trace": (_switch(request.trace),)}


def _extended(conversation: JsonText, results: Sequence[Mapping[str, Any]]) -> Parts:
    """A conversation's own text, with messages behind it (section 12, point 10)."""
    text = conversation.text.strip()
    head = text[:-1] if text.endswith("]") else "["
    comma = "," if results and head.strip() != "[" else ""
    return (JsonText(head), comma + JsonText.of(list(results)).text.removeprefix("["))


def _switch(on: bool) -> str:
    return "true" if on else "false"


def _blocks(edits: Mapping[str, Mapping[str, JsonText]]) -> Parts:
    return _object({step: _values(fields) for step, fields in edits.items()})


def _object(members: Mapping[str, Parts]) -> Segments:
    parts: list[str | JsonText] = ["{"]
    for key, value in zip(_keys(members), members.values(), strict=True):
        parts += [key, *value]
    return (*parts, "}")


def _values(fields: Mapping[str, JsonText]) -> Segments:
    """As `_object`, quicker: of outputs there may be hundreds."""
    members: list[str | JsonText] = [""] * (2 * len(fields))
    members[::2] = _keys(fields)
    members[1::2] = fields.values()
    return ("{", *members, "}")


def _keys(names: Iterable[str]) -> list[str]:
    """The names of members with their colons, and a comma before all but the first."""
    keys = list(map(_key, names))
    if keys:
        keys[0] = keys[0].removeprefix(",")
    return keys


@lru_cache(maxsize=4096)
def _key(name: str) -> str:
    """A session names the same steps in every request, so the same object comes back."""
    return f",{JsonText.of(name).text}:"
