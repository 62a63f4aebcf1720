"""Tools: definitions that are checked, calls read in every spelling, results as they go out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flowdbg.core.json_text import JsonText
from flowdbg.core.tool_calls import (
    ToolCall,
    calls_of_conversation,
    check_tools,
    read_calls,
    result_message,
    tool_choice,
)
from flowdbg.errors import ProtocolViolation, UsageError


def defined(name: Any = "look", **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, **more}}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('{"a": 1.10}', '{"a": 1.10}'),
        ({"a": 1}, '{"a":1}'),
        ("", "{}"),
        (None, "{}"),
        ("[1]", "[1]"),
    ],
)
def test_arguments_come_as_text_or_as_a_value(arguments: Any, expected: str) -> None:
    function = {"name": "look", "arguments": arguments}
    assert read_calls([{"id": "c", "type": "function", "function": function}]) == (
        ToolCall("c", "look", JsonText(expected)),
    )


def test_arguments_that_are_no_json_stay_what_they_are() -> None:
    (call,) = read_calls([{"id": "c", "function": {"name": "look", "arguments": '{"a": '}}])
    assert call.arguments.problem
    assert call.to_json() == {"id": "c", "name": "look", "arguments": '{"a": '}


def test_a_call_without_an_envelope_is_read_too() -> None:
    (call,) = read_calls([{"id": "c", "name": "look", "arguments": {"a": 1}}])
    assert call.to_json() == {"id": "c", "name": "look", "arguments": {"a": 1}}


@pytest.mark.parametrize("spelling", ["toolCalls", "tool_calls"])
def test_calls_are_found_in_the_last_message_that_has_some(spelling: str) -> None:
    old = {"role": "assistant", spelling: [{"id": "c1", "function": {"name": "old"}}]}
    new = {"role": "assistant", spelling: [{"id": "c2", "function": {"name": "new"}}]}
    talk = [old, {"role": "tool", "content": "x"}, new, {"role": "assistant", spelling: None}]
    assert [call.id for call in calls_of_conversation(talk)] == ["c2"]
    assert calls_of_conversation([]) == calls_of_conversation("text") == ()


@pytest.mark.parametrize(
    "calls",
    ["text", {"id": "c"}, [1], [{"id": "", "function": {"name": "x"}}], [{"id": "c"}], [{"id": 1}]],
)
def test_calls_that_cannot_be_answered_are_a_violation(calls: Any) -> None:
    with pytest.raises(ProtocolViolation):
        read_calls(calls)


@pytest.mark.parametrize(
    ("result", "content"),
    [('"sunny"', "sunny"), ('{"a":1.10}', '{"a":1.10}'), ("null", "null"), ("[1, 2]", "[1, 2]")],
)
def test_a_result_goes_out_as_text(result: str, content: str) -> None:
    call = ToolCall("c", "look", JsonText("{}"))
    message = result_message(call, JsonText(result))
    assert message == {"role": "tool", "toolCallId": "c", "content": content}


def test_definitions_are_checked_and_named() -> None:
    tools = [defined("look", parameters={"type": "object"}), defined("find-it_2")]
    assert check_tools(JsonText.of(tools)) == ("look", "find-it_2")
    assert len(check_tools(JsonText.of([defined(f"t{at}") for at in range(64)]))) == 64


@pytest.mark.parametrize(
    ("tools", "says"),
    [
        ({}, "not a list"),
        ([], "not a list"),
        ([1], "Tool 1 is not a function"),
        ([{"function": {"name": "x"}}], "Tool 1 is not a function"),
        ([defined("a b")], 'the name "a b"'),
        ([defined("x" * 65)], "the name"),
        ([defined(None)], "the name null"),
        ([defined("x"), defined("x")], "defined twice"),
        ([defined("x", parameters=[])], "not a JSON schema"),
        ([defined(f"t{at}") for at in range(65)], "65 tools are too many"),
    ],
)
def test_definitions_that_a_server_refuses_are_refused_here(tools: Any, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_tools(JsonText.of(tools))
    assert says in refused.value.what


def test_a_choice_is_a_word_or_a_defined_tool() -> None:
    assert tool_choice("required", ["look"]).value == "required"
    assert json.loads(tool_choice("look", ["look"]).text)["function"] == {"name": "look"}
    with pytest.raises(UsageError, match="auto, none, required, look"):
        tool_choice("other", ["look"])
