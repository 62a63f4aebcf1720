"""Runs and traces in both families, the live tail, capture modes, the list, and sessions."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import httpx
import pytest

from tests.dialects.noukai.server import http
from tests.dialects.noukai.server.stream import Event, code_of, names, only, read_events, step
from tests.dialects.noukai.server.test_execute import execute, pause, resume_body
from tests.serving import Running

TWO = "acme/demo/two-step"
Body = dict[str, Any]
FAMILIES = ("seq/{flow}/runs/{run}", "flow-runs/{run}")


def get(base: str, path: str, **query: Any) -> httpx.Response:
    return http.get(f"{base}/{path}", params=query)


def trace(base: str, run_id: str) -> Body:
    answer = get(base, f"flow-runs/{run_id}/trace")
    assert answer.status_code == 200, answer.text
    found: Body = answer.json()
    return found


def run_two(base: str, **body: Any) -> str:
    run_id: str = execute(base, "two-step", message="you", **body)["executionId"]
    return run_id


@pytest.mark.parametrize("family", FAMILIES)
def test_both_families_tell_the_same(base: str, family: str) -> None:
    run_id = run_two(base, trace=True)
    path = family.format(flow=TWO, run=run_id)
    summary = get(base, path).json()
    whole = get(base, f"{path}/trace").json()
    assert whole == trace(base, run_id)
    assert summary == whole["flowRun"]
    one = get(base, f"{path}/steps/draft/trace").json()
    assert one == whole["steps"][0]
    events = read_events(get(base, f"{path}/trace/stream").content)
    assert names(events) == [
        "flow_started",
        *("step_started", "step_input", "step_completed") * 2,
        "flow_completed",
    ]


def test_a_summary_has_the_vendors_fields_and_ours(base: str) -> None:
    run = get(base, f"flow-runs/{run_two(base)}").json()
    expected = {
        "status": "completed",
        "triggerType": "execute",
        "stepCount": 2,
        "flow": TWO,
        "version": None,
        "traceCaptureMode": "metadata_only",
        "tokens": {"prompt": 7, "completion": 3, "total": 10},
        "costUsd": "0.000150",
        "error": None,
    }
    assert {name: run[name] for name in expected} == expected
    assert run["startedAt"].endswith("Z")
    assert run["completedAt"] >= run["startedAt"]
    assert isinstance(run["durationMs"], int)
    assert "initial" not in run


def test_a_trace_that_was_asked_for_keeps_everything(base: str) -> None:
    found = trace(base, run_two(base, trace=True, parameters={"more": 1}))
    assert found["flowRun"]["traceCaptureMode"] == "full"
    assert found["flowRun"]["initial"]["message"] == "you"
    assert found["flowRun"]["initial"]["parameters"] == {"more": 1}
    draft, count = found["steps"]
    assert draft["inputContext"] == {"more": 1, "message": "you"}
    asked = {"role": "user", "content": "Write to you"}
    assert draft["outputContext"] == {
        "text": "Dear reader, hello.",
        "__rendered_prompt__": {"model": "scripted/writer", "messages": [asked]},
    }
    assert (draft["name"], draft["entryId"], draft["path"], draft["wrapped"]) == (
        "Draft",
        "draft",
        [],
        False,
    )
    assert (draft["modelUsed"], draft["costUsd"]) == ("scripted/writer", "0.000150")
    assert draft["tokens"] == {"prompt": 7, "completion": 3, "total": 10}
    assert (draft["attempt"], draft["loopIndex"], draft["status"]) == (1, None, "completed")
    assert count["outputContext"] == {"text": "Dear reader, hello.", "length": 19}
    assert count["outputSizeBytes"] == len('{"text":"Dear reader, hello.","length":19}')


def test_without_a_trace_only_the_sizes_are_kept(base: str) -> None:
    for found in trace(base, run_two(base))["steps"]:
        assert (found["inputContext"], found["outputContext"]) == (None, None)
        assert found["inputSizeBytes"] > 0
        assert found["outputSizeBytes"] > 0


def test_iterations_and_attempts_are_told_apart(base: str) -> None:
    flow = "acme/demo/loop"
    first = step(base, flow, stepIndex=0, message="m", trace=True)
    run_id = first[0]["executionId"]
    step(base, flow, stepIndex=0, executionId=run_id)
    found = trace(base, run_id)
    assert [(item["stepId"], item["path"], item["loopIndex"]) for item in found["steps"]] == [
        ("shout", [0, "shout"], 0),
        ("shout", [1, "shout"], 1),
        ("shout", [2, "shout"], 2),
        ("each", [], None),
    ]
    assert {item["attempt"] for item in found["steps"]} == {2}
    path = f"flow-runs/{run_id}/steps/shout/trace"
    assert get(base, path, loop_index=1).json()["outputContext"] == {"loud": "B"}
    assert get(base, path, loop_index=1, attempt=1).json()["attempt"] == 1
    every = get(base, path, attempt="all").json()
    assert every["stepId"] == "shout"
    assert [(item["attempt"], item["loopIndex"]) for item in every["attempts"]] == [
        (1, 0),
        (1, 1),
        (1, 2),
        (2, 0),
        (2, 1),
        (2, 2),
    ]
    assert len(get(base, path, attempt="all", loop_index=2).json()["attempts"]) == 2


def test_a_failed_step_keeps_its_error(base: str) -> None:
    run_id = execute(base, "failing", message="m", trace=True)["executionId"]
    found = trace(base, run_id)
    assert found["flowRun"]["status"] == "failed"
    assert found["flowRun"]["error"]["code"] == "MODEL_GONE"
    assert [item["status"] for item in found["steps"]] == ["completed", "failed"]
    assert found["steps"][1]["errorContext"]["code"] == "MODEL_GONE"
    events = read_events(get(base, f"flow-runs/{run_id}/trace/stream").content)
    assert names(events)[-1] == "step_error"
    assert events[-1]["error"]["code"] == "MODEL_GONE"


def test_an_output_that_is_no_object_is_wrapped(base: str, publish: Any, fresh_flow: str) -> None:
    publish(
        "flow: x\nsteps:\n  - {id: a, kind: passthrough}\n  - {id: b, kind: passthrough}\n",
        fresh_flow,
    )
    events = step(base, fresh_flow, stepIndex=1, accumulatedOutputs={"a": [1]}, trace=True)
    (found,) = trace(base, events[0]["executionId"])["steps"]
    assert (found["outputContext"], found["wrapped"]) == ({"value": [1]}, True)
    assert found["inputContext"] == {"value": [1]}


@pytest.mark.parametrize("mode", ["full", "redacted", "metadata_only", "off"])
def test_a_flow_says_how_much_its_runs_keep(
    base: str, publish: Any, fresh_flow: str, mode: str
) -> None:
    from tests.flows import TWO_STEP

    publish(TWO_STEP, fresh_flow)
    set_to = http.put(f"{base}/flows/{fresh_flow}/capture", json={"mode": mode})
    assert (set_to.status_code, set_to.json()) == (200, {"mode": mode})
    events = step(base, fresh_flow, stepIndex=0, message="secret words", runRemaining=True)
    found = trace(base, events[0]["executionId"])
    assert found["flowRun"]["traceCaptureMode"] == mode
    kept = json.dumps(found)
    assert ("secret words" in kept) == (mode == "full")
    assert ("Dear reader" in kept) == (mode == "full")
    if mode == "off":
        assert found["steps"] == []
    elif mode == "redacted":
        assert found["steps"][0]["outputContext"]["text"] == "[19 characters]"
        assert found["steps"][1]["outputContext"] == {"text": "[19 characters]", "length": 19}
    stream = get(base, f"flow-runs/{events[0]['executionId']}/trace/stream")
    assert ("Dear reader" in stream.text) == (mode == "full")
    assert names(read_events(stream.content))[-1] == "flow_completed"
    unset = http.put(f"{base}/flows/{fresh_flow}/capture", json={"mode": None})
    assert unset.status_code == 200


SPEAKING = """\
flow: x
steps:
  - {id: bad, kind: code, retries: 1, code: "raise ValueError('secret ' + 'words')"}
"""


@pytest.mark.parametrize("mode", ["full", "redacted", "metadata_only", "off"])
def test_the_words_of_an_error_are_kept_with_the_others_only(
    server: Running, publish: Any, fresh_flow: str, mode: str
) -> None:
    base, session = server.base, str(uuid.uuid4())
    publish(SPEAKING, fresh_flow)
    http.put(f"{base}/flows/{fresh_flow}/capture", json={"mode": mode})
    headers = {"x-session-id": session}
    answer = http.post(f"{base}/seq/{fresh_flow}/execute", json={}, headers=headers)
    assert "secret words" in answer.json()["result"]
    run_id = answer.json()["executionId"]
    run = trace(base, run_id)["flowRun"]
    assert (run["error"]["code"], run["error"]["stepId"]) == ("CODE_FAILED", "bad")
    told = [
        json.dumps(trace(base, run_id)),
        get(base, f"flow-runs/{run_id}/trace/stream").text,
        get(base, "flow-runs", flow_id=fresh_flow).text,
        get(base, f"seq/sessions/{session}").text,
    ]
    assert {"secret words" in text for text in told} == {mode == "full"}
    kept = server.server.database.read_now(
        lambda connection: connection.exec_driver_sql(
            "SELECT error FROM runs WHERE id = ? UNION ALL SELECT error FROM run_steps"
            " WHERE run_id = ?",
            (run_id, run_id),
        ).all()
    )
    assert ("secret words" in str(kept)) == (mode == "full")


def test_a_wrong_capture_mode_is_refused(base: str) -> None:
    answer = http.put(f"{base}/flows/{TWO}/capture", json={"mode": "everything"})
    assert (answer.status_code, code_of(answer)) == (400, "INVALID_REQUEST")
    answer = http.put(f"{base}/flows/acme/demo/nothing/capture", json={"mode": "off"})
    assert (answer.status_code, code_of(answer)) == (404, "FLOW_NOT_FOUND")


async def follow_while(base: str, run_id: str, act: Any) -> list[Event]:
    """Follow a run's trace, acting once the first step was told; the events to the end."""
    body = b""
    async with (
        httpx.AsyncClient(timeout=120) as client,
        client.stream("GET", f"{base}/flow-runs/{run_id}/trace/stream") as answer,
    ):
        acted = False
        async for part in answer.aiter_bytes():
            body += part
            if not acted and b"step_completed" in body:
                acted = True
                await asyncio.to_thread(act)
    return read_events(body.replace(b": ping\n\n", b""))


def test_a_run_is_followed_while_it_goes_on(base: str) -> None:
    first = step(base, TWO, stepIndex=0, message="m", trace=True)
    run_id = first[0]["executionId"]
    outputs = {"draft": only(first, "step_completed")["output"]}

    def go_on() -> None:
        step(base, TWO, stepIndex=1, executionId=run_id, accumulatedOutputs=outputs)

    events = asyncio.run(follow_while(base, run_id, go_on))
    assert names(events) == [
        "flow_started",
        *("step_started", "step_input", "step_completed") * 2,
        "flow_completed",
    ]
    started = [event for event in events if event["eventType"] == "step_started"]
    assert [(event["stepId"], event["stepIndex"]) for event in started] == [
        ("draft", 0),
        ("count", 1),
    ]


async def test_a_running_step_is_followed_chunk_by_chunk(base: str) -> None:
    async with httpx.AsyncClient(timeout=120) as client:
        url = f"{base}/seq/acme/demo/slow/step"
        body = {"stepIndex": 0, "message": "m", "trace": True}
        async with client.stream("POST", url, json=body) as running:
            text = ""
            async for part in running.aiter_text():
                text += part
                if "step_output" in text:
                    break
            run_id = json.loads(text.split("data: ")[1].split("\n")[0])["executionId"]
            told = ""
            trace_url = f"{base}/flow-runs/{run_id}/trace/stream"
            async with client.stream("GET", trace_url) as followed:
                async for part in followed.aiter_text():
                    told += part
                    if "step_started" in told:
                        await running.aclose()  # cancels the run, which its follower hears
    events = read_events(told.encode())
    assert names(events)[:2] == ["flow_started", "step_started"]
    assert names(events)[-1] == "step_error"
    assert events[-1]["error"]["code"] == "CANCELLED"


TALKING = """\
flow: x
inputs:
  message: {type: string}
scripts:
  talker:
    replies:
      - chunks: ["word "]
        repeat: 30
        delay: 0.02
steps:
  - id: each
    kind: sequence
    steps:
      - {id: talk, kind: llm, model: scripted/talker, prompt: "Talk"}
      - {id: end, kind: code, code: "return {'said': text}"}
"""


async def watched(base: str, flow: str, *, trace: bool) -> list[Event]:
    """What a follower is told who joins while the step runs."""
    async with httpx.AsyncClient(timeout=120) as client:
        url = f"{base}/seq/{flow}/step"
        body = {"stepIndex": 0, "message": "secret", "trace": trace}
        async with client.stream("POST", url, json=body) as running:
            parts = running.aiter_text()
            text = ""
            while "step_output" not in text:
                text += await anext(parts)
            run_id = json.loads(text.split("data: ")[1].split("\n")[0])["executionId"]
            followed = asyncio.create_task(client.get(f"{base}/flow-runs/{run_id}/trace/stream"))
            async for _ in parts:
                pass
        answer = await followed
    return read_events(answer.content)


async def test_a_follower_hears_what_is_said_while_it_is_said(
    base: str, publish: Any, fresh_flow: str
) -> None:
    publish(TALKING, fresh_flow)
    events = await watched(base, fresh_flow, trace=True)
    assert names(events)[:2] == ["flow_started", "step_started"]
    assert names(events)[-1] == "flow_completed"
    assert only(events, "step_completed")["output"] == {"said": "word " * 30}
    chunks = [event for event in events if event["eventType"] == "step_output"]
    assert 1 <= len(chunks) <= 30
    assert {event["outputData"] for event in chunks} == {"word "}
    inside = [event for event in events if event.get("phase") == "node_finished"]
    assert [event["path"] for event in inside] == [["talk"], ["end"]]


async def test_a_follower_hears_no_words_that_are_not_kept(
    base: str, publish: Any, fresh_flow: str
) -> None:
    publish(TALKING, fresh_flow)
    events = await watched(base, fresh_flow, trace=False)
    assert "word " not in json.dumps(events)
    assert "secret" not in json.dumps(events)
    assert only(events, "step_completed")["tokens"]["completion"] == 30
    assert names(events)[-1] == "flow_completed"


def test_a_run_that_waits_for_tools_is_followed_to_its_end(base: str) -> None:
    paused = pause(base, trace=True)

    def go_on() -> None:
        execute(base, "tools", **resume_body(paused))

    events = asyncio.run(follow_while(base, paused["executionId"], go_on))
    assert names(events)[-1] == "flow_completed"
    done = [event["stepId"] for event in events if event["eventType"] == "step_completed"]
    assert done == ["before", "ask", "after"]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "run_id", ["nobody", "0b0b0b0b-0000-4000-8000-000000000000", "%00", "%F0%9F%98%80", "a" * 500]
)
def test_an_unknown_run_is_not_found(base: str, family: str, run_id: str) -> None:
    path = family.format(flow=TWO, run=run_id)
    for suffix in ("", "/trace", "/trace/stream", "/steps/draft/trace"):
        answer = get(base, path + suffix)
        assert (answer.status_code, code_of(answer)) == (404, "RUN_NOT_FOUND")


def test_a_run_is_not_found_below_another_flow(base: str) -> None:
    answer = get(base, f"seq/acme/demo/loop/runs/{run_two(base)}/trace")
    assert (answer.status_code, code_of(answer)) == (404, "RUN_NOT_FOUND")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"attempt": "5"}, 404, "STEP_NOT_FOUND"),
        ({"loop_index": "5"}, 404, "STEP_NOT_FOUND"),
        ({"attempt": "all", "loop_index": "5"}, 404, "STEP_NOT_FOUND"),
        ({"attempt": "x"}, 400, "INVALID_REQUEST"),
        ({"loop_index": "-1"}, 400, "INVALID_REQUEST"),
        ({"loop_index": "9" * 30}, 400, "INVALID_REQUEST"),
    ],
)
def test_a_step_record_that_does_not_exist_is_not_found(
    base: str, query: Body, status: int, code: str
) -> None:
    answer = get(base, f"flow-runs/{run_two(base)}/steps/draft/trace", **query)
    assert (answer.status_code, code_of(answer)) == (status, code)


def test_the_list_is_newest_first_and_can_be_narrowed(
    base: str, publish: Any, fresh_flow: str
) -> None:
    from tests.flows import FAILING

    publish(FAILING, fresh_flow)
    ids = []
    for index in (0, 1, 0):
        outputs: Body = {"fine": {}} if index else {}
        events = step(base, fresh_flow, stepIndex=index, message="m", accumulatedOutputs=outputs)
        ids.append(events[0]["executionId"])
    flow_id = events[0]["flowId"]
    for name in (flow_id, fresh_flow):
        listed = get(base, "flow-runs", flow_id=name).json()["runs"]
        assert [run["id"] for run in listed] == ids[::-1]
    assert [run["status"] for run in listed] == ["running", "failed", "running"]
    one = get(base, "flow-runs", flow_id=flow_id, limit=1).json()["runs"]
    assert [run["id"] for run in one] == ids[-1:]
    failed = get(base, "flow-runs", flow_id=flow_id, status="failed", cursor="x").json()["runs"]
    assert [run["id"] for run in failed] == ids[1:2]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({}, 400, "INVALID_REQUEST"),
        ({"flow_id": "\x00"}, 404, "FLOW_NOT_FOUND"),
        ({"flow_id": "acme/demo/nothing"}, 404, "FLOW_NOT_FOUND"),
        ({"flow_id": TWO, "limit": "0"}, 400, "INVALID_REQUEST"),
        ({"flow_id": TWO, "limit": "101"}, 400, "INVALID_REQUEST"),
        ({"flow_id": TWO, "limit": "x"}, 400, "INVALID_REQUEST"),
        ({"flow_id": TWO, "status": "paused"}, 400, "INVALID_REQUEST"),
    ],
)
def test_a_wrong_list_query_is_refused(base: str, query: Body, status: int, code: str) -> None:
    step(base, TWO, stepIndex=0, message="m")
    answer = get(base, "flow-runs", **query)
    assert (answer.status_code, code_of(answer)) == (status, code)


def test_a_session_holds_its_runs_in_order_with_their_snapshots(base: str) -> None:
    session = str(uuid.uuid4())
    headers = {"x-session-id": session}
    url = f"{base}/seq/{TWO}/execute"
    for message in ("one", "two"):
        http.post(url, json={"message": message, "trace": True}, headers=headers)
    step(base, "acme/demo/loop", stepIndex=0, message="m", headers=headers)
    found = get(base, f"seq/sessions/{session}").json()
    assert found["sessionId"] == session
    first, second, third = found["executions"]
    assert [item["triggerType"] for item in (first, second, third)] == [
        "execute",
        "execute",
        "step",
    ]
    assert [item["snapshotsAvailable"] for item in (first, second, third)] == [True, True, False]
    assert [item["slug"] for item in (first, second, third)] == ["two-step", "two-step", "loop"]
    assert [item["stepId"] for item in first["steps"]] == ["draft", "count"]
    assert first["steps"][0]["inputSnapshot"] == {"message": "one"}
    assert second["steps"][0]["inputSnapshot"] == {"message": "two"}
    assert first["steps"][1]["outputSnapshot"] == {"text": "Dear reader, hello.", "length": 19}
    assert [item["stepId"] for item in third["steps"]] == ["each"]
    assert first["errorAtStep"] is None


def test_a_session_names_the_step_that_failed(base: str) -> None:
    session = str(uuid.uuid4())
    headers = {"x-session-id": session}
    body = {"message": "m", "trace": True}
    http.post(f"{base}/seq/acme/demo/failing/execute", json=body, headers=headers)
    (run,) = get(base, f"seq/sessions/{session}").json()["executions"]
    assert (run["status"], run["errorAtStep"]) == ("failed", "broken")
    assert run["steps"][-1]["errorSnapshot"]["code"] == "MODEL_GONE"


def test_sessions_that_do_not_exist(base: str) -> None:
    answer = get(base, "seq/sessions/not-a-uuid")
    assert (answer.status_code, code_of(answer)) == (400, "SESSION_ID_INVALID")
    answer = get(base, f"seq/sessions/{uuid.uuid4()}")
    assert (answer.status_code, code_of(answer)) == (404, "SESSION_NOT_FOUND")
    answer = http.post(
        f"{base}/seq/{TWO}/step",
        json={"message": "m"},
        headers={"x-session-id": "x" * 201},
    )
    assert (answer.status_code, code_of(answer)) == (400, "INVALID_REQUEST")
