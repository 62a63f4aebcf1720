"""`/step` over a real socket: what is streamed, in which order, and what reaches a step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from flowdbg.errors import StoreError
from flowdbg.server.runs import RecordedCall
from tests.dialects.noukai.server import http
from tests.dialects.noukai.server.stream import (
    Event,
    code_of,
    names,
    only,
    post_step,
    read_events,
    step,
)
from tests.flows import THREE_STEP, TWO_STEP

Publish = Callable[..., int]
TWO = "acme/demo/two-step"
THREE = "acme/demo/three-step"


def without_noise(event: Event) -> Event:
    """An event without what differs from run to run."""
    dropped = {"executionId", "runId", "flowId", "durationMs", "planHash"}
    return {key: value for key, value in event.items() if key not in dropped}


def test_a_step_streams_its_events_in_order_and_pauses(base: str) -> None:
    events = step(base, TWO, stepIndex=0, message="you")
    run_id = events[0]["executionId"]
    assert [without_noise(event) for event in events] == [
        {"eventType": "run_started", "stepCount": 2, "version": None},
        {"eventType": "step_started", "stepId": "draft", "name": "Draft", "stepIndex": 0},
        {"eventType": "step_input", "stepId": "draft", "inputData": {"message": "you"}},
        {"eventType": "step_output", "stepId": "draft", "outputData": "Dear "},
        {"eventType": "step_output", "stepId": "draft", "outputData": "reader, "},
        {"eventType": "step_output", "stepId": "draft", "outputData": "hello."},
        {
            "eventType": "step_completed",
            "stepId": "draft",
            "name": "Draft",
            "output": {"text": "Dear reader, hello."},
            "tokens": {"prompt": 7, "completion": 3, "total": 10},
            "costUsd": "0.000150",
            "model": "scripted/writer",
        },
        {
            "eventType": "step_paused",
            "stepId": "draft",
            "stepIndex": 0,
            "nextStepIndex": 1,
            "isFinal": False,
        },
    ]
    assert {event["runId"] for event in events if "runId" in event} == {run_id}
    assert isinstance(only(events, "step_completed")["durationMs"], int)


def test_the_last_step_ends_with_both_terminal_events_and_no_pause(base: str) -> None:
    outputs = {"draft": {"text": "edited"}}
    events = step(base, TWO, stepIndex=1, accumulatedOutputs=outputs)
    result = {"text": "edited", "length": 6}
    assert names(events) == [
        "run_started",
        "step_started",
        "step_input",
        "step_completed",
        "run_completed",
        "flow_completed",
    ]
    assert events[-2]["outputs"] == {**outputs, "count": result}
    assert events[-2]["isFinal"] is True
    assert events[-2]["result"] == events[-1]["result"] == result
    assert events[-1]["summary"]["status"] == "completed"


def test_run_remaining_runs_to_the_end_in_one_stream(base: str) -> None:
    events = step(base, THREE, stepIndex=0, message="m", runRemaining=True)
    assert names(events) == [
        "run_started",
        *("step_started", "step_input", "step_completed", "step_progress"),
        *("step_started", "step_input", "step_completed", "step_progress"),
        *("step_started", "step_input", "step_completed"),
        *("run_completed", "flow_completed"),
    ]
    assert [event["stepIndex"] for event in events if event["eventType"] == "step_started"] == [
        0,
        1,
        2,
    ]
    assert [
        (event["stepId"], event["nextStepIndex"], event["stepCount"])
        for event in events
        if event["eventType"] == "step_progress"
    ] == [("first", 1, 3), ("second", 2, 3)]
    assert events[-1]["result"] == {"said": "m", "before": "m/kind!"}


def test_stepping_gives_what_running_to_the_end_gives(base: str) -> None:
    whole = step(base, THREE, stepIndex=0, message="m", runRemaining=True)[-2]["outputs"]
    outputs: dict[str, Any] = {}
    run_id = None
    for index in range(3):
        body = {"message": "m"} if index == 0 else {"executionId": run_id}
        events = step(base, THREE, stepIndex=index, accumulatedOutputs=outputs, **body)
        run_id = events[0]["executionId"]
        done = only(events, "step_completed")
        outputs[done["stepId"]] = done["output"]
    assert outputs == whole


def test_later_steps_remember_what_the_run_was_started_with(base: str) -> None:
    first = step(base, THREE, stepIndex=0, message="m", parameters={"tone": "stern"})
    second = step(
        base,
        THREE,
        stepIndex=1,
        executionId=first[0]["executionId"],
        accumulatedOutputs={"first": {"text": "x"}},
    )
    assert only(second, "step_completed")["output"] == {"text": "x!", "tone": "stern"}
    assert second[0]["executionId"] == first[0]["executionId"]


def test_a_lost_execution_id_loses_nothing(base: str) -> None:
    events = step(
        base,
        THREE,
        stepIndex=1,
        message="m",
        parameters={"tone": "calm"},
        accumulatedOutputs={"first": {"text": "x"}},
    )
    assert only(events, "step_completed")["output"] == {"text": "x!", "tone": "calm"}


def test_a_message_is_also_taken_from_the_parameters(base: str) -> None:
    events = step(base, THREE, stepIndex=0, parameters={"message": "from there"})
    assert only(events, "step_completed")["output"] == {"text": "from there/kind"}


def test_step_zero_again_takes_the_new_message_and_keeps_it(base: str) -> None:
    run_id = step(base, THREE, stepIndex=0, message="old")[0]["executionId"]
    again = step(base, THREE, stepIndex=0, message="new", executionId=run_id)
    assert only(again, "step_completed")["output"] == {"text": "new/kind"}
    third = step(
        base,
        THREE,
        stepIndex=2,
        executionId=run_id,
        accumulatedOutputs={"first": {"text": "a"}, "second": {"text": "b"}},
    )
    assert only(third, "step_completed")["output"] == {"said": "new", "before": "b"}


def test_an_input_override_stands_in_for_the_whole_earlier_output(base: str) -> None:
    outputs = {"draft": {"text": "original", "other": 1}}
    events = step(
        base,
        TWO,
        stepIndex=1,
        accumulatedOutputs=outputs,
        inputOverrides={"draft": {"text": "no"}},
    )
    assert only(events, "step_input")["inputData"] == {"text": "no"}
    assert only(events, "step_completed")["output"] == {"text": "no", "length": 2}
    assert only(events, "run_completed")["outputs"]["draft"] == outputs["draft"]


def test_an_input_override_alone_supplies_a_missing_output(base: str) -> None:
    events = step(base, TWO, stepIndex=1, inputOverrides={"draft": {"text": "made up"}})
    assert only(events, "step_completed")["output"] == {"text": "made up", "length": 7}


def test_within_one_call_the_real_output_wins_over_an_override(base: str) -> None:
    events = step(
        base,
        TWO,
        stepIndex=0,
        message="you",
        runRemaining=True,
        inputOverrides={"draft": {"text": "overridden"}},
    )
    assert events[-1]["result"] == {"text": "Dear reader, hello.", "length": 19}


def test_a_block_override_changes_one_call_and_only_the_given_fields(base: str) -> None:
    changed = step(
        base, TWO, stepIndex=0, message="you", blockOverrides={"draft": {"prompt": "LOUD please"}}
    )
    assert only(changed, "step_completed")["output"] == {"text": "DEAR READER."}
    assert only(changed, "step_completed")["model"] == "scripted/writer"
    again = step(base, TWO, stepIndex=0, message="you")
    assert only(again, "step_completed")["output"] == {"text": "Dear reader, hello."}


def test_overrides_of_unknown_steps_are_ignored(base: str) -> None:
    events = step(
        base,
        TWO,
        stepIndex=1,
        accumulatedOutputs={"draft": {"text": "x"}},
        inputOverrides={"gone": 1},
        blockOverrides={"gone": {"prompt": "x"}},
    )
    assert names(events)[-1] == "flow_completed"


def test_null_and_unknown_fields_are_accepted(base: str) -> None:
    events = step(
        base,
        TWO,
        executionId=None,
        stepIndex=0,
        accumulatedOutputs=None,
        message="you",
        parameters=None,
        inputOverrides=None,
        blockOverrides=None,
        runRemaining=None,
        iterationsUsed=None,
        trace=None,
        somethingNew={"a": 1},
    )
    assert names(events)[-1] == "step_paused"


def test_any_json_value_may_be_an_output_or_an_override(base: str, publish: Publish) -> None:
    flow = "acme/tests/any-value"
    publish(
        "flow: x\nsteps:\n  - {id: a, kind: passthrough}\n  - {id: b, kind: passthrough}\n", flow
    )
    values: tuple[Any, ...] = (
        None,
        True,
        3,
        1.5,
        "text",
        [1, {"a": None}],
        {"deep": [[]]},
        "\ud83d",
        "\u0000",
    )
    for value in values:
        events = step(base, flow, stepIndex=1, accumulatedOutputs={"a": value})
        assert only(events, "step_completed")["output"] == value
        read = only(events, "step_input")["inputData"]
        assert read == (value if isinstance(value, dict) else {"value": value})


def test_a_failing_step_ends_with_its_error_and_nothing_after_it(base: str) -> None:
    events = step(base, "acme/demo/failing", stepIndex=0, message="m", runRemaining=True)
    assert names(events) == [
        "run_started",
        *("step_started", "step_input", "step_completed", "step_progress"),
        *("step_started", "step_input", "step_output", "step_error"),
    ]
    error = events[-1]
    assert (error["stepId"], error["name"]) == ("broken", "Broken")
    assert error["error"]["code"] == "MODEL_GONE"
    assert "the model went away" in error["error"]["message"]


def test_a_loop_is_one_step_with_its_iterations_inside(base: str) -> None:
    events = step(base, "acme/demo/loop", stepIndex=0, message="m")
    assert names(events).count("step_completed") == 1
    assert names(events).count("step_started") == 1
    done = only(events, "step_completed")
    assert done["stepId"] == "each"
    assert done["output"] == {"items": [{"loud": "A"}, {"loud": "B"}, {"loud": "C"}]}
    assert only(events, "loop_completed")["iterations"] == 3
    finished = [event for event in events if event.get("phase") == "node_finished"]
    assert [(event["stepId"], event["path"], event["output"]) for event in finished] == [
        ("each", [0, "shout"], {"loud": "A"}),
        ("each", [1, "shout"], {"loud": "B"}),
        ("each", [2, "shout"], {"loud": "C"}),
    ]


def test_parallel_branches_are_one_step_keyed_by_name(base: str) -> None:
    events = step(base, "acme/demo/parallel", stepIndex=0, message="m")
    assert names(events).count("step_completed") == 1
    assert events[-1]["result"] == {"left": {"side": "left"}, "right": {"side": "right"}}


def test_a_published_version_is_named_and_pinned(
    base: str, publish: Publish, fresh_flow: str
) -> None:
    assert publish(THREE_STEP, fresh_flow) == 1
    assert publish(TWO_STEP, fresh_flow) == 2
    current = step(base, fresh_flow, stepIndex=0, message="m")
    pinned = step(base, f"{fresh_flow}/v1", stepIndex=0, message="m")
    assert (current[0]["version"], current[0]["stepCount"]) == (2, 2)
    assert (pinned[0]["version"], pinned[0]["stepCount"]) == (1, 3)


def test_the_plan_tells_the_hash_that_the_run_tells(base: str) -> None:
    plan = http.get(f"{base}/seq/{TWO}/plan")
    events = step(base, TWO, stepIndex=0, message="m")
    assert plan.headers["etag"] == f'"{plan.json()["hash"]}"'
    assert events[0]["planHash"] == plan.json()["hash"]


def test_a_plan_shows_the_steps_with_their_configuration(base: str) -> None:
    plan = http.get(f"{base}/seq/{TWO}/plan").json()
    assert {
        key: plan[key] for key in ("org", "project", "flow", "name", "version", "production")
    } == {
        "org": "acme",
        "project": "demo",
        "flow": "two-step",
        "name": "Two steps",
        "version": None,
        "production": False,
    }
    assert plan["inputs"]["required"] == ["message"]
    draft, count = plan["steps"]
    assert (draft["stepId"], draft["index"], draft["kind"], draft["effect"]) == (
        "draft",
        0,
        "llm",
        "none",
    )
    assert draft["config"]["prompt"] == "Write to {{ message }}"
    assert draft["config"]["model"] == "scripted/writer"
    assert count["config"]["code"].startswith("return")
    loop = http.get(f"{base}/seq/acme/demo/loop/plan").json()["steps"][0]
    assert [child["stepId"] for child in loop["children"]] == ["shout"]


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("acme/demo/nothing", {}, 404, "FLOW_NOT_FOUND"),
        ("acme/demo/two-step/v7", {}, 404, "FLOW_NOT_FOUND"),
        ("acme/demo/two-step/v9999999999", {}, 404, "FLOW_NOT_FOUND"),
        ("acme/demo/two-step/v99999999999999999999", {}, 404, "NOT_FOUND"),
        ("acme/demo/two-step/v0", {}, 400, "INVALID_VERSION"),
        (TWO, {"stepIndex": 0}, 400, "MISSING_MESSAGE"),
        (TWO, {"stepIndex": 2}, 400, "INVALID_STEP_INDEX"),
        (TWO, {"stepIndex": -1}, 400, "INVALID_STEP_INDEX"),
        (TWO, {"stepIndex": 10**30}, 400, "INVALID_STEP_INDEX"),
        (TWO, {"stepIndex": "0"}, 400, "INVALID_REQUEST"),
        (TWO, {"stepIndex": True}, 400, "INVALID_REQUEST"),
        (TWO, {"accumulatedOutputs": []}, 400, "INVALID_REQUEST"),
        (TWO, {"blockOverrides": {"draft": "x"}}, 400, "INVALID_REQUEST"),
        (TWO, {"message": 1}, 400, "INVALID_REQUEST"),
        (TWO, {"message": "m", "parameters": {"attachments": []}}, 400, "PARAMETER_NAME_RESERVED"),
        (TWO, {"stepIndex": 1}, 400, "MISSING_OUTPUT"),
        (TWO, {"stepIndex": 1, "accumulatedOutputs": {"old": 1}}, 400, "STALE_TREE"),
        (TWO, {"message": "m", "executionId": "nobody"}, 404, "RUN_NOT_FOUND"),
        (THREE, {"message": "m", "parameters": {"tone": 5}}, 400, "INVALID_PARAMETERS"),
        (
            TWO,
            {"message": "m", "blockOverrides": {"draft": {"promt": "x"}}},
            400,
            "INVALID_BLOCK_OVERRIDE",
        ),
        (
            TWO,
            {"message": "m", "blockOverrides": {"draft": {"temperature": "hot"}}},
            400,
            "INVALID_BLOCK_OVERRIDE",
        ),
    ],
)
def test_what_cannot_run_is_refused_before_it_runs(
    base: str, path: str, body: dict[str, Any], status: int, code: str
) -> None:
    answer = post_step(base, path, **body)
    assert (answer.status_code, code_of(answer)) == (status, code)


def test_a_run_of_another_flow_is_not_found(base: str) -> None:
    run_id = step(base, TWO, stepIndex=0, message="m")[0]["executionId"]
    answer = post_step(base, THREE, stepIndex=0, message="m", executionId=run_id)
    assert (answer.status_code, code_of(answer)) == (404, "RUN_NOT_FOUND")


def test_a_missing_output_is_named(base: str) -> None:
    answer = post_step(base, THREE, stepIndex=2, accumulatedOutputs={"first": {"text": "x"}})
    assert code_of(answer) == "MISSING_OUTPUT"
    assert answer.json()["detail"]["missing"] == ["second"]


def test_every_wrong_field_is_named(base: str) -> None:
    answer = post_step(base, TWO, stepIndex="x", message=5)
    fields = [problem["field"] for problem in answer.json()["detail"]["problems"]]
    assert fields == ["message", "stepIndex"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b'"text"',
        b'{"stepIndex": NaN}',
        b'{"a": 1',
        b"\xff\xfe",
        b'{"message": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"message": ' + b"9" * 5000 + b"}",
    ],
    ids=["empty", "text", "list", "string", "nan", "cut", "not utf-8", "deep", "long number"],
)
def test_a_body_that_is_no_json_object_is_refused(base: str, body: bytes) -> None:
    answer = http.post(f"{base}/seq/{TWO}/step", content=body)
    assert (answer.status_code, code_of(answer)) == (400, "INVALID_JSON")


def test_a_stream_is_not_compressed_and_names_its_request(base: str) -> None:
    answer = http.post(
        f"{base}/seq/{TWO}/step",
        json={"stepIndex": 0, "message": "m"},
        headers={"accept-encoding": "gzip", "accept": "application/json"},
    )
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "content-encoding" not in answer.headers
    assert answer.headers["x-request-id"]
    assert names(read_events(answer.content))[-1] == "step_paused"


FAR_READER = """\
flow: x
steps:
  - {id: a, kind: code, code: "return {'from': 'a'}"}
  - {id: b, kind: code, code: "return {'from': 'b'}"}
  - {id: c, kind: code, code: "return {'from': 'c'}"}
  - {id: d, kind: code, code: "return {'read': outputs['a']['from']}"}
"""


def test_an_output_that_a_later_step_of_the_call_lacks_is_named_when_it_is_reached(
    base: str, publish: Any, fresh_flow: str
) -> None:
    publish(FAR_READER, fresh_flow)
    outputs = {"b": {"from": "b"}}
    events = step(base, fresh_flow, stepIndex=2, accumulatedOutputs=outputs, runRemaining=True)
    assert [event["stepId"] for event in events if event["eventType"] == "step_started"] == [
        "c",
        "d",
    ]
    failed = events[-1]
    assert (failed["eventType"], failed["stepId"]) == ("step_error", "d")
    assert failed["error"]["code"] == "MISSING_OUTPUT"
    run = http.get(f"{base}/flow-runs/{events[0]['executionId']}").json()
    assert (run["status"], run["error"]["stepId"]) == ("failed", "d")


def test_a_step_whose_end_cannot_be_written_says_why(
    base: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def no_room(*_: Any, **__: Any) -> None:
        raise StoreError("The disk is full.", "Make room.")

    monkeypatch.setattr(RecordedCall, "close", no_room)
    events = step(base, "acme/demo/two-step", stepIndex=0, message="m")
    assert names(events)[-2:] == ["step_completed", "step_error"]
    assert events[-1]["error"] == {"message": "The disk is full. Make room.", "code": "UNAVAILABLE"}
    assert not any(record.exc_info for record in caplog.records)
