"""Inputs and overrides as people type them."""

from __future__ import annotations

import pytest

from flowdbg.core.inputs import missing_inputs, parameters_of
from flowdbg.core.json_text import JsonText
from flowdbg.core.overrides import (
    block_value,
    known_step,
    output_value,
    split_block_override,
    split_output_override,
)
from flowdbg.core.plan import Step
from flowdbg.errors import UsageError
from tests.core.streams import PLAN

EMPTY = JsonText("{}")
SCHEMA = {
    "properties": {
        "letters": {"type": "array"},
        "title": {"type": "string"},
        "count": {"type": ["integer", "null"]},
    },
    "required": ["letters", "title"],
}


def test_a_value_is_text_unless_the_flow_wants_something_else() -> None:
    pairs = ["title=a=b", "count=5", "letters=[1]"]
    assert parameters_of(pairs, JsonText('{"title":"x"}'), SCHEMA).value == {
        "title": "a=b",
        "count": 5,
        "letters": [1],
    }
    typed = parameters_of(["n=5", "m:=5"], JsonText('{"kept":1}'), {})
    assert typed.value == {"n": "5", "m": 5, "kept": 1}


def test_inputs_from_a_file_go_out_as_they_are_written() -> None:
    odd = JsonText('{ "a": 1e400, "b": 1.10, "b": 12345678901234567890.50, "c": "\\u00e9" }')
    assert parameters_of([], odd, {}) is odd
    more = parameters_of(["d=x", "e:=2E+1"], odd, {})
    assert more.text == odd.text[:-1].rstrip() + ',"d":"x","e":2E+1}'
    assert parameters_of(["d=x"], JsonText("{ }"), {}).text == '{"d":"x"}'
    replaced = parameters_of(["c=x"], odd, {})
    assert replaced.text == '{"a":1e400,"b":12345678901234567890.50,"c":"x"}'


def test_an_input_that_the_flow_does_not_have_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match=r"no input 'titel'.*Did you mean 'title'"):
        parameters_of(["titel=x"], EMPTY, SCHEMA)
    with pytest.raises(UsageError, match="no input 'lettters'"):
        parameters_of([], JsonText('{"lettters":[]}'), SCHEMA)


@pytest.mark.parametrize("pair", ["novalue", "=x", ":=1", "count=many", "x:={"])
def test_a_wrong_input_is_refused(pair: str) -> None:
    with pytest.raises(UsageError):
        parameters_of([pair], EMPTY, SCHEMA)


def test_missing_inputs_are_named_and_the_message_stands_for_the_first_one() -> None:
    assert missing_inputs(None, {}, SCHEMA) == ["letters", "title"]
    assert missing_inputs("hi", {"title": 1}, SCHEMA) == []
    assert missing_inputs(None, {"letters": [], "title": ""}, SCHEMA) == []


def test_overrides_are_split_at_the_first_equals() -> None:
    assert split_output_override('a={"x":"="}') == ("a", '{"x":"="}')
    assert split_block_override("a.b.prompt=x=y") == ("a.b", "prompt", "x=y")
    for wrong in ("a", "=1"):
        with pytest.raises(UsageError):
            split_output_override(wrong)
    for wrong in ("a=1", ".f=1", "a.=1", "x"):
        with pytest.raises(UsageError):
            split_block_override(wrong)


def test_an_output_must_be_json_and_the_error_shows_how_to_quote_text() -> None:
    assert output_value(' {"a":1} ', "s") == JsonText('{"a":1}')
    with pytest.raises(UsageError, match=r"""Write a string with its quotes: '"hello"'"""):
        output_value("hello", "s")


def test_a_blocks_text_field_takes_text_and_others_take_json() -> None:
    step = Step("s", "S", "llm", {"prompt": "old", "temperature": 0.1})
    assert block_value("5", "prompt", step) == JsonText('"5"')
    assert block_value("5", "temperature", step) == JsonText("5")
    assert block_value("warm", "temperature", step) == JsonText('"warm"')
    assert block_value("5", "prompt", None) == JsonText("5")


def test_an_unknown_step_is_refused_with_the_nearest_name() -> None:
    assert known_step(PLAN, "a") is PLAN.steps[0]
    with pytest.raises(UsageError, match=r"no step 'aa'.*Did you mean 'a'"):
        known_step(PLAN, "aa")
