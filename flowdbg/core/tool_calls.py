"""Tools of a run: their definitions, the calls a server asks for, and the results.

Servers spell the fields of a conversation in two ways and give arguments as a JSON string or as an
object; both are read here and nowhere else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowdbg.core.json_text import JsonText
from flowdbg.errors import ProtocolViolation, UsageError

MOST_TOOLS = 64
"""Tool definitions of one request."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CHECK_URL = "Check that the URL is the API's."
_SHAPE = 'Write a list of {"type": "function", "function": {"name": …, "parameters": …}}.'


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call that the model asks for."""

    id: str
    name: str
    arguments: JsonText
    """An object as a rule; `arguments.problem` says so when the model wrote no JSON."""

    @classmethod
    def of(cls, call: Mapping[str, Any]) -> ToolCall:
        """A call as far as it can be read: one without a name is called by its id."""
        function = call.get("function")
        described = function if isinstance(function, Mapping) else call
        call_id = str(call.get("id") or "")
        name = str(described.get("name") or call_id or "a tool")
        return cls(call_id, name, _arguments(described.get("arguments")))

    def to_json(self) -> dict[str, Any]:
        """This call for people and programs; arguments that are no JSON stay the text they are."""
        return {"id": self.id, "name": self.name, "arguments": self.arguments.value_or_text}


def read_calls(value: Any) -> tuple[ToolCall, ...]:
    """The tool calls of a pause.

    Raises:
        ProtocolViolation: It is not a list of calls, each with an id and a name.
    """
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ProtocolViolation("The server's tool calls are not a list.", _CHECK_URL)
    return tuple(_call(item) for item in value)


def calls_of_conversation(messages: Any) -> tuple[ToolCall, ...]:
    """The calls of the last message that has some; empty without one.

    Raises:
        ProtocolViolation: The calls cannot be read.
    """
    if not isinstance(messages, Sequence) or isinstance(messages, str):
        return ()
    for message in reversed(messages):
        if isinstance(message, Mapping):
            calls = message.get("toolCalls") or message.get("tool_calls")
            if calls:
                return read_calls(calls)
    return ()


def result_message(call: ToolCall, result: JsonText) -> dict[str, Any]:
    """The message that answers a call; text goes out as it is, other values as JSON."""
    return {"role": "tool", "toolCallId": call.id, "content": content_of(result)}


def content_of(result: JsonText) -> str:
    """A result as the content of a message: text as it is, other values as JSON."""
    return result.value if isinstance(result.value, str) else result.text


def error_result(message: str) -> JsonText:
    """What the model is told when a call could not be answered."""
    return JsonText.of({"error": message})


def check_tools(definitions: JsonText) -> tuple[str, ...]:
    """Check tool definitions before they are sent; their names.

    Raises:
        UsageError: They have another shape.
    """
    value = definitions.value
    if not isinstance(value, list) or not value:
        raise UsageError("The tools are not a list of definitions.", _SHAPE)
    if len(value) > MOST_TOOLS:
        raise UsageError(f"{len(value)} tools are too many; a run takes {MOST_TOOLS}.")
    names: list[str] = []
    for at, item in enumerate(value):
        name = _defined_name(item, f"Tool {at + 1}")
        if name in names:
            raise UsageError(f"The tool '{name}' is defined twice.", "Rename one of them.")
        names.append(name)
    return tuple(names)


def tool_choice(text: str, names: Sequence[str]) -> JsonText:
    """`auto`, `none`, `required`, or a tool's name, as it goes out.

    Raises:
        UsageError: It is none of them.
    """
    if text in ("auto", "none", "required"):
        return JsonText.of(text)
    if text not in names:
        known = ", ".join(("auto", "none", "required", *names))
        raise UsageError(f"'{text}' is no choice of tools.", f"Possible are {known}.")
    return JsonText.of({"type": "function", "function": {"name": text}})


def _defined_name(item: Any, what: str) -> str:
    function = item.get("function") if isinstance(item, dict) else None
    if not isinstance(function, dict) or item.get("type") != "function":
        raise UsageError(f"{what} is not a function's definition.", _SHAPE)
    name = function.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UsageError(
            f"{what} has the name {json.dumps(name)}.",
            "Use 1 to 64 letters, digits, _ and -.",
        )
    if not isinstance(function.get("parameters", {}), dict):
        raise UsageError(f"The parameters of '{name}' are not a JSON schema.", _SHAPE)
    return name


def _call(item: Any) -> ToolCall:
    if isinstance(item, Mapping):
        function = item.get("function")
        described = function if isinstance(function, Mapping) else item
        call_id, name = item.get("id"), described.get("name")
        if isinstance(call_id, str) and call_id and isinstance(name, str) and name:
            return ToolCall.of(item)
    raise ProtocolViolation("A tool call of the server has no id or no name.", _CHECK_URL)


def _arguments(value: Any) -> JsonText:
    """Arguments as JSON: from a JSON string or a value; none at all are an empty object."""
    if value is None or value == "":
        return JsonText("{}")
    return JsonText(value) if isinstance(value, str) else JsonText.of(value)
