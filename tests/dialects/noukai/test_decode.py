"""Reading the wire's events: tolerant, never raising, nothing lost."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdbg.core.events import (
    Event,
    RunCompleted,
    RunStarted,
    StepCompleted,
    StepFailed,
    StepOutput,
    StepPaused,
    StepProgress,
    StepStarted,
    Tokens,
    ToolCallsRequested,
    UnknownEvent,
)
from flowdbg.core.json_text import JsonText, join
from flowdbg.dialects.noukai.decode import decode


def test_the_event_line_wins_over_the_discriminators_inside() -> None:
    assert isinstance(decode("run_started", '{"eventType":"step_paused"}').event, RunStarted)
    assert isinstance(decode("", '{"eventType":"step_paused","type":"x"}').event, StepPaused)
    assert isinstance(decode("", '{"type":"flow_completed"}').event, RunCompleted)


def test_an_event_without_a_line_of_its_own_is_called_by_its_discriminator() -> None:
    """Readers of event streams call such an event `message`."""
    received = decode("message", '{"eventType":"step_paused","nextStepIndex":1}')
    assert (received.name, received.event) == ("step_paused", StepPaused(next_index=1))
    unknown = decode("message", '{"eventType":"surprise"}')
    assert (unknown.name, unknown.event) == ("surprise", UnknownEvent("unknown event 'surprise'"))
    assert decode("message", "{}").name == "message"


def test_an_output_keeps_its_exact_text() -> None:
    data = '{"stepId":"a", "output": {"n": 1.10, "big":123456789012345678901}, "durationMs": 5}'
    received = decode("step_completed", data)
    assert join(received.data) == data
    assert received.event == StepCompleted(
        "a", JsonText('{"n": 1.10, "big":123456789012345678901}'), duration_ms=5
    )


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        ('"0.000150"', Decimal("0.000150")),
        ("0.5", Decimal("0.5")),
        ("null", None),
        ('"abc"', None),
        ("true", None),
        ("NaN", None),
        ('"9E+999999"', None),
    ],
)
def test_costs_are_read_as_text_or_number(cost: str, expected: Decimal | None) -> None:
    event = decode("step_completed", f'{{"stepId":"a","output":1,"costUsd":{cost}}}').event
    assert isinstance(event, StepCompleted)
    assert event.cost == expected


def test_tokens_with_holes_are_read_as_far_as_they_go() -> None:
    data = '{"stepId":"a","output":1,"tokens":{"prompt":3,"completion":null}}'
    event = decode("step_completed", data).event
    assert isinstance(event, StepCompleted)
    assert event.tokens == Tokens(3, 0, 3)


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("step_error", '"boom"', "boom"),
        ("step_failed", '{"code":"X"}', "X"),
        ("run_failed", "null", "the server did not say why"),
        ("error", '{"message":"m","code":"C"}', "m"),
    ],
)
def test_failures_have_a_message_in_every_shape(name: str, error: str, message: str) -> None:
    event = decode(name, f'{{"stepId":"a","error":{error}}}').event
    assert isinstance(event, StepFailed)
    assert event.error["message"] == message


def test_tool_calls_keep_the_opaque_conversation() -> None:
    data = (
        '{"stepId":"a","toolCalls":[{"id":"1"}],"toolCallMessages":[ {"x":1} ],"iterationsUsed":2}'
    )
    event = decode("step_paused_for_tool_calls", data).event
    assert event == ToolCallsRequested("a", ({"id": "1"},), JsonText('[ {"x":1} ]'), 2)


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        ("surprise", "{}", "unknown event 'surprise'"),
        ("step_started", "{}", "names no stepId"),
        ("step_completed", "not json", "not a JSON object"),
        ("step_paused_for_tool_calls", '{"stepId":"a","toolCalls":5}', "toolCalls is not a list"),
        ("step_output", '{"stepId":"a","outputData":' + "[" * 100_000, "nested too deep"),
    ],
)
def test_what_cannot_be_read_is_kept_and_says_why(name: str, data: str, problem: str) -> None:
    received = decode(name, data)
    assert isinstance(received.event, UnknownEvent)
    assert problem in received.event.problem
    assert join(received.data) == data


def test_a_chunk_is_text_to_append() -> None:
    event = decode("step_output", '{"stepId":"a","outputData":"to\\u0007"}').event
    assert isinstance(event, StepOutput)
    assert event.delta.value == "to\x07"


@pytest.mark.parametrize(
    ("data", "event"),
    [
        (
            '{"stepId":"l","phase":"iteration_started","path":[],"index":1,"count":3}',
            StepStarted("l", "2 of 3", (1,)),
        ),
        (
            '{"stepId":"l","phase":"node_started","path":[1,"x"],"name":"X"}',
            StepStarted("l", "X", (1, "x")),
        ),
        (
            '{"stepId":"l","phase":"node_finished","path":[1,"x"],"output":{"a": 1}}',
            StepCompleted("l", JsonText('{"a": 1}'), path=(1, "x")),
        ),
        (
            '{"stepId":"l","phase":"node_skipped","path":["x"],"output":null}',
            StepCompleted("l", JsonText("null"), path=("x",), skipped=True),
        ),
        (
            '{"stepId":"l","phase":"iteration_finished","path":[],"index":0,"output":5}',
            StepCompleted("l", JsonText("5"), path=(0,)),
        ),
    ],
)
def test_what_happens_inside_a_container_is_told_with_its_path(data: str, event: Event) -> None:
    assert decode("step_progress", data).event == event


def test_progress_between_steps_is_informative_only() -> None:
    assert isinstance(decode("step_progress", '{"nextStepIndex":2}').event, StepProgress)
    assert isinstance(decode("loop_completed", '{"stepId":"l"}').event, StepProgress)


@given(st.text(), st.text())
def test_nothing_raises_and_nothing_is_lost(name: str, data: str) -> None:
    assert join(decode(name, data).data) == data
