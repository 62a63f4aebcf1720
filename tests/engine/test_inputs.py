"""The flow's global input: message, parameters, defaults."""

from __future__ import annotations

from typing import Any

import pytest

from flowdbg.engine.definition import FlowDefinition
from flowdbg.engine.errors import InputInvalid
from flowdbg.engine.inputs import flow_input
from tests.engine.flows import flow

STEP = "- {id: a, kind: passthrough}"


def with_inputs(inputs: str) -> FlowDefinition:
    return flow(STEP, f"inputs: {inputs}")


@pytest.mark.parametrize(
    ("inputs", "message", "parameters", "expected"),
    [
        ("{}", "hi", {}, {"message": "hi"}),
        ("{}", None, {}, {}),
        ("{}", None, {"x": 1}, {"x": 1}),
        ("{message: {}}", "hi", {}, {"message": "hi"}),
        ("{message: {}}", None, {"message": "hi"}, {"message": "hi"}),
        ("{message: {}}", "a", {"message": "b"}, {"message": "b"}),
        ("{n: {type: integer}, topic: {}, tone: {required: false}}", "cats", {"n": 3},
         {"message": "cats", "topic": "cats", "n": 3}),
        ("{n: {type: integer, default: 5}}", None, {}, {"n": 5}),
        ("{n: {type: integer, default: 5}}", None, {"n": 7}, {"n": 7}),
        ("{kind: {enum: [a, b]}}", None, {"kind": "b"}, {"kind": "b"}),
        ("{xs: {type: array, items: {type: integer}}}", None, {"xs": [1]}, {"xs": [1]}),
    ],
)  # fmt: skip
def test_message_parameters_and_defaults_make_the_input(
    inputs: str, message: str | None, parameters: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert flow_input(with_inputs(inputs), message, parameters) == expected


@pytest.mark.parametrize(
    ("inputs", "parameters", "missing", "said"),
    [
        ("{message: {}}", {}, ("message",), "needs `message`"),
        ("{a: {}, b: {type: object}}", {"a": "x"}, ("b",), "needs `b`"),
        ("{n: {type: integer}}", {"n": "3"}, (), "`n`: '3' is not of type 'integer'"),
        ("{kind: {enum: [a, b]}}", {"kind": "c"}, (), "is not one of"),
        ("{xs: {type: array, items: {type: integer}}}", {"xs": ["a"]}, (), "`xs.0`"),
    ],
)
def test_a_missing_or_wrong_input_is_refused_by_name(
    inputs: str, parameters: dict[str, Any], missing: tuple[str, ...], said: str
) -> None:
    with pytest.raises(InputInvalid) as caught:
        flow_input(with_inputs(inputs), None, parameters)
    assert caught.value.missing == missing
    assert said in str(caught.value)


def test_the_callers_parameters_are_left_as_they_are() -> None:
    parameters = {"x": 1}
    flow_input(with_inputs("{n: {type: integer, default: 5}}"), "hi", parameters)
    assert parameters == {"x": 1}
