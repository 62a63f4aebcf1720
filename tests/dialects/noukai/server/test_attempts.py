"""What a trace tells of steps that were tried again, wait, run right now, or were ended."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.dialects.noukai.server import http
from tests.dialects.noukai.server.stream import Event, names, only, read_events, step
from tests.dialects.noukai.server.test_execute import TOOL, execute, pause, resume_body
from tests.dialects.noukai.server.test_step_tools import resume
from tests.dialects.noukai.server.test_traces import get, trace

Body = dict[str, Any]

FLAKY = """\
flow: x
inputs:
  words: {type: array, default: [a]}
scripts:
  flaky:
    replies:
      - fail: {message: "busy", code: MODEL_FAILED}
      - text: "now it works"
steps:
  - {id: ask, kind: llm, model: scripted/flaky, prompt: "Go", retries: 1}
  - id: each
    kind: loop
    array_field: initial.words
    steps:
      - {id: talk, kind: llm, model: scripted/flaky, prompt: "Say {{ item }}", retries: 1}
"""


def followed(base: str, run_id: str) -> list[Event]:
    """The events of a run that is over."""
    return read_events(get(base, f"flow-runs/{run_id}/trace/stream").content)


@pytest.fixture
def flaky(base: str, publish: Any, fresh_flow: str) -> str:
    """A run whose blocks failed once and were tried again."""
    publish(FLAKY, fresh_flow)
    answer = http.post(f"{base}/seq/{fresh_flow}/execute", json={"trace": True})
    assert answer.json()["status"] == "completed"
    run_id: str = answer.json()["executionId"]
    return run_id


@pytest.mark.parametrize(("step_id", "loop_index"), [("ask", None), ("talk", 0)])
def test_each_try_of_a_block_is_an_attempt(
    base: str, flaky: str, step_id: str, loop_index: int | None
) -> None:
    path = f"flow-runs/{flaky}/steps/{step_id}/trace"
    first, second = get(base, path, attempt="all").json()["attempts"]
    assert (first["attempt"], first["status"], first["loopIndex"]) == (1, "failed", loop_index)
    assert first["errorContext"]["code"] == "MODEL_FAILED"
    assert first["errorContext"]["retried"] is True
    assert first["outputContext"] is None
    assert (second["attempt"], second["status"]) == (2, "completed")
    assert second["errorContext"] is None
    assert second["outputContext"]["text"] == "now it works"
    assert first["inputContext"] == second["inputContext"]
    assert first["startedAt"] <= second["startedAt"]
    assert {item["modelUsed"] for item in (first, second)} == {"scripted/flaky"}
    assert get(base, path, attempt=1).json() == first
    assert get(base, path).json() == second


def test_a_whole_trace_has_the_latest_attempt_of_each_step(base: str, flaky: str) -> None:
    found = trace(base, flaky)
    assert [(item["stepId"], item["attempt"]) for item in found["steps"]] == [
        ("ask", 2),
        ("talk", 2),
        ("each", 1),
    ]
    assert {item["modelUsed"] for item in found["steps"]} == {"scripted/flaky"}
    assert found["flowRun"]["tokens"]["completion"] == 6


def test_a_replayed_retry_is_told_as_it_was_live(base: str, flaky: str) -> None:
    events = followed(base, flaky)
    assert names(events) == [
        "flow_started",
        *("step_started", "step_input", "step_progress", "step_completed"),
        *("step_started", "step_input", "step_progress", "step_progress", "step_completed"),
        "flow_completed",
    ]
    told = [(event["stepId"], event["phase"]) for event in events if "phase" in event]
    assert told == [("ask", "retried"), ("each", "retried"), ("each", "node_finished")]
    assert [e["stepIndex"] for e in events if e["eventType"] == "step_started"] == [0, 1]
    assert events[-1]["result"] == {"items": [{"text": "now it works"}]}


def test_a_step_that_waited_for_tools_is_one_attempt(base: str) -> None:
    paused = pause(base, trace=True)
    path = f"flow-runs/{paused['executionId']}/steps/ask/trace"
    waiting = get(base, path).json()
    assert (waiting["status"], waiting["attempt"], waiting["completedAt"]) == ("running", 1, None)
    call_id = paused["toolCalls"][0]["id"]
    rain = [{"role": "tool", "toolCallId": call_id, "content": "rain"}]
    again = execute(base, "tools", **resume_body(paused, rain))
    assert execute(base, "tools", **resume_body(again))["status"] == "completed"
    (found,) = get(base, path, attempt="all").json()["attempts"]
    assert (found["status"], found["attempt"]) == ("completed", 1)
    assert found["startedAt"] == waiting["startedAt"]
    assert found["tokens"] == {"prompt": 19, "completion": 4, "total": 23}
    assert found["costUsd"] == "0.000040"
    run = trace(base, paused["executionId"])
    assert [item["stepId"] for item in run["steps"]] == ["before", "ask", "after"]
    assert run["flowRun"]["tokens"] == found["tokens"]
    events = followed(base, paused["executionId"])
    started = [event for event in events if event["eventType"] == "step_started"]
    assert [(event["stepId"], event["stepIndex"]) for event in started] == [
        ("before", 0),
        ("ask", 1),
        ("after", 2),
    ]


def test_a_step_that_is_run_anew_is_another_attempt(base: str) -> None:
    first = step(base, "acme/demo/two-step", stepIndex=0, message="m", trace=True)
    run_id = first[0]["executionId"]
    step(base, "acme/demo/two-step", stepIndex=0, executionId=run_id)
    outputs = {"draft": only(first, "step_completed")["output"]}
    step(base, "acme/demo/two-step", stepIndex=1, executionId=run_id, accumulatedOutputs=outputs)
    started = [e for e in followed(base, run_id) if e["eventType"] == "step_started"]
    assert [(e["stepId"], e["stepIndex"]) for e in started] == [
        ("draft", 0),
        ("draft", 0),
        ("count", 1),
    ]


async def test_a_run_that_is_under_way_tells_what_runs_now(base: str) -> None:
    async with httpx.AsyncClient(timeout=120) as client:
        url = f"{base}/seq/acme/demo/slow/step"
        body = {"stepIndex": 0, "message": "m", "trace": True}
        async with client.stream("POST", url, json=body) as running:
            parts, text = running.aiter_text(), ""
            while "step_output" not in text:
                text += await anext(parts)
            run_id = json.loads(text.split("data: ")[1].split("\n")[0])["executionId"]
            answer = await client.get(f"{base}/flow-runs/{run_id}/trace")
    (now,) = answer.json()["steps"]
    assert (now["stepId"], now["status"], now["attempt"]) == ("wait", "running", 1)
    assert (now["completedAt"], now["outputContext"]) == (None, None)
    assert now["inputContext"] == {"message": "m"}
    assert now["modelUsed"] == "scripted/silent"


BRANCHES = """\
flow: x
inputs:
  message: {type: string}
scripts:
  silent:
    replies:
      - chunks: ["a", "b"]
        delay: 60
  broken:
    replies:
      - chunks: ["a"]
        fail: {message: "gone", code: MODEL_GONE, after_chunks: 1}
steps:
  - id: both
    kind: parallel
    steps:
      - {id: slow, kind: llm, model: scripted/silent, prompt: "Go"}
      - id: inner
        kind: sequence
        steps:
          - {id: bad, kind: llm, model: scripted/broken, prompt: "Go"}
"""


def test_nothing_of_a_failed_run_is_told_as_running(
    base: str, publish: Any, fresh_flow: str
) -> None:
    publish(BRANCHES, fresh_flow)
    answer = http.post(f"{base}/seq/{fresh_flow}/execute", json={"message": "m", "trace": True})
    found = trace(base, answer.json()["executionId"])["steps"]
    told = {item["stepId"]: (item["status"], item["errorContext"]["code"]) for item in found}
    assert told == {
        "slow": ("failed", "CANCELLED"),
        "bad": ("failed", "MODEL_GONE"),
        "inner": ("failed", "MODEL_GONE"),
        "both": ("failed", "MODEL_GONE"),
    }
    events = followed(base, answer.json()["executionId"])
    assert names(events) == ["flow_started", "step_started", "step_input", "step_error"]
    assert events[-1]["path"] == ["inner", "bad"]


def test_a_pause_on_the_step_route_is_gone_on_with_in_its_attempt(base: str) -> None:
    flow = "acme/demo/tools"
    body: Body = {
        "stepIndex": 1,
        "message": "m",
        "accumulatedOutputs": {"before": {"message": "m"}},
    }
    paused = step(base, flow, tools=[TOOL], **body)[-1]
    done = step(base, flow, **resume(paused))
    assert only(done, "step_completed")["tokens"]["total"] == 17
    (found,) = trace(base, paused["executionId"])["steps"]
    assert (found["attempt"], found["status"], found["tokens"]["total"]) == (1, "completed", 17)
