"""What makes a vendor's SDK drop frames, stop silently or post forever (protocol section 15).

Each rule is checked at the level of the wire, on every event of every kind of run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.dialects.noukai.server import http
from tests.dialects.noukai.server.stream import Event, names, post_step, read_events, step
from tests.dialects.noukai.server.test_execute import execute, pause, post

TOOL = {"type": "function", "function": {"name": "get_weather"}}
FLOWS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("two-step", {}),
    ("three-step", {}),
    ("loop", {}),
    ("parallel", {}),
    ("failing", {}),
    ("tools", {"tools": [TOOL]}),
    ("tools-in-loop", {}),
)
ENDS = ("step_paused", "step_paused_for_tool_calls", "step_error", "flow_completed")


def calls(base: str, flow: str, extra: dict[str, Any]) -> Iterator[list[Event]]:
    """Step through a flow like an SDK does; the events of each call."""
    outputs: dict[str, Any] = {}
    body: dict[str, Any] = {"message": "m"}
    for index in range(10):
        events = step(
            base,
            f"acme/demo/{flow}",
            stepIndex=index,
            accumulatedOutputs=outputs,
            **body,
            **extra,
        )
        yield events
        if names(events)[-1] != "step_paused":
            return
        done = next(event for event in events if event["eventType"] == "step_completed")
        outputs[done["stepId"]] = done["output"]
        body = {"executionId": events[0]["executionId"]}
    raise AssertionError("the flow never ends")


@pytest.fixture(params=FLOWS, ids=[flow for flow, _ in FLOWS])
def streams(request: pytest.FixtureRequest, base: str) -> list[list[Event]]:
    """The calls of one flow stepped through, and of the same flow run in one stream."""
    flow, extra = request.param
    whole = step(base, f"acme/demo/{flow}", stepIndex=0, message="m", runRemaining=True, **extra)
    return [*calls(base, flow, extra), whole]


def of_type(streams: list[list[Event]], name: str) -> list[Event]:
    return [event for events in streams for event in events if event["eventType"] == name]


def test_every_stream_begins_with_run_started_and_its_run_id(streams: list[list[Event]]) -> None:
    for events in streams:
        assert events[0]["eventType"] == "run_started"
    for event in of_type(streams, "run_started"):
        assert event["runId"] == event["executionId"]
        assert isinstance(event["stepCount"], int)


def test_every_stream_ends_with_an_event_that_ends_it(streams: list[list[Event]]) -> None:
    for events in streams:
        assert names(events)[-1] in ENDS
        assert sum(name in ENDS for name in names(events)) == 1


def test_both_terminal_events_come_in_order_and_never_after_a_pause(
    streams: list[list[Event]],
) -> None:
    for events in streams:
        if "flow_completed" in names(events):
            assert names(events)[-2:] == ["run_completed", "flow_completed"]
            assert isinstance(events[-1]["summary"], dict)


def test_one_step_completed_for_each_plan_entry(streams: list[list[Event]]) -> None:
    for events in streams:
        started = [event["stepId"] for event in events if event["eventType"] == "step_started"]
        done = [event["stepId"] for event in events if event["eventType"] == "step_completed"]
        assert len(set(started)) == len(started)
        assert done == started[: len(done)]
        unfinished = names(events)[-1] in ("step_error", "step_paused_for_tool_calls")
        assert len(started) - len(done) == unfinished


def test_step_completed_has_the_types_that_the_models_demand(streams: list[list[Event]]) -> None:
    for event in of_type(streams, "step_completed"):
        assert isinstance(event["costUsd"], str)
        float(event["costUsd"])
        assert type(event["durationMs"]) is int
        assert {type(count) for count in event["tokens"].values()} == {int}
        assert set(event["tokens"]) == {"prompt", "completion", "total"}


def test_no_step_index_is_null(streams: list[list[Event]]) -> None:
    for name in ("step_started", "step_paused", "step_paused_for_tool_calls"):
        for event in of_type(streams, name):
            assert type(event["stepIndex"]) is int
            assert isinstance(event["stepId"], str)


def test_inputs_and_errors_are_objects(streams: list[list[Event]]) -> None:
    for event in of_type(streams, "step_input"):
        assert isinstance(event["inputData"], dict)
    for event in of_type(streams, "step_error"):
        assert isinstance(event["stepId"], str)
        assert isinstance(event["error"]["code"], str)
        assert isinstance(event["error"]["message"], str)


def test_a_pause_for_tools_has_every_field(streams: list[list[Event]]) -> None:
    for event in of_type(streams, "step_paused_for_tool_calls"):
        assert event["runId"] == event["executionId"]
        assert isinstance(event["accumulatedOutputs"], dict)
        assert isinstance(event["toolCallMessages"], list)
        assert type(event["iterationsUsed"]) is int
        for call in event["toolCalls"]:
            assert isinstance(call["function"]["arguments"], str)
            json.loads(call["function"]["arguments"])


def test_the_last_step_is_never_followed_by_a_pause(base: str) -> None:
    for flow, index in (("two-step", 1), ("loop", 1), ("parallel", 0)):
        outputs: dict[str, Any] = {"draft": {"text": "x"}} if flow == "two-step" else {}
        outputs = {"each": {"items": []}} if flow == "loop" else outputs
        events = step(
            base, f"acme/demo/{flow}", stepIndex=index, message="m", accumulatedOutputs=outputs
        )
        assert "step_paused" not in names(events)
        refused = post_step(base, f"acme/demo/{flow}", stepIndex=index + 1, message="m")
        assert refused.json()["detail"]["code"] == "INVALID_STEP_INDEX"


def test_no_carriage_return_ever_frames_an_event(base: str) -> None:
    answer = post_step(
        base, "acme/demo/three-step", stepIndex=0, message="line\r\n\r\nline\u2028\u2029\n\n"
    )
    assert b"\r" not in answer.content
    done = read_events(answer.content)[-2]
    assert done["output"]["text"].startswith("line\r\n\r\nline\u2028\u2029\n\n")


def test_execute_always_has_its_required_fields(base: str) -> None:
    for answer in (
        execute(base, "two-step", message="m"),
        execute(base, "failing", message="m"),
        pause(base),
    ):
        assert isinstance(answer["flowId"], str)
        assert type(answer["blockCount"]) is int
        assert isinstance(answer["executionId"], str)
        if answer["status"] == "tool_calls_required":
            assert isinstance(answer["accumulatedOutputs"], dict)


def test_contexts_of_traces_are_objects_or_null(base: str) -> None:
    for flow, extra in FLOWS:
        if flow != "tools-in-loop":
            run = execute(base, flow, message="m", trace=True, **extra)
            trace = http.get(f"{base}/flow-runs/{run['executionId']}/trace").json()
            for found in trace["steps"]:
                for name in ("inputContext", "outputContext", "errorContext"):
                    assert found[name] is None or isinstance(found[name], dict)
                assert found["costUsd"] is None or isinstance(found["costUsd"], str)
                assert found["status"] in ("running", "completed", "failed", "skipped")


def test_refusals_have_a_code_and_a_message_that_are_texts(base: str) -> None:
    for answer in (
        post(base, "nothing"),
        post(base, "two-step"),
        http.get(f"{base}/nowhere"),
        http.put(f"{base}/seq/acme/demo/two-step/step"),
        http.post(f"{base}/seq/acme/demo/two-step/step", content=b"{"),
    ):
        detail = answer.json()["detail"]
        assert isinstance(detail["code"], str)
        assert isinstance(detail["message"], str)
        assert not 300 <= answer.status_code < 400
