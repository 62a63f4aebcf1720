"""`/execute` over a real socket: completed, failed, paused for tools and resumed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from flowdbg.engine.runner import Runner
from tests.dialects.noukai.server import http
from tests.dialects.noukai.server.stream import code_of, names, step
from tests.serving import Running

TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
RESULT = {"role": "tool", "toolCallId": "?", "content": '{"sky": "sunny"}'}
Body = dict[str, Any]


def post(base: str, flow: str, /, **body: Any) -> httpx.Response:
    """Post `/execute` to a flow of acme/demo."""
    return http.post(f"{base}/seq/acme/demo/{flow}/execute", json=body)


def execute(base: str, flow: str, /, **body: Any) -> Body:
    """Post `/execute` and return the answer of a 200."""
    answer = post(base, flow, **body)
    assert answer.status_code == 200, answer.text
    found: Body = answer.json()
    return found


def pause(base: str, **body: Any) -> Body:
    """A run that waits for the result of `get_weather`."""
    paused = execute(base, "tools", message="m", tools=[TOOL], **body)
    assert paused["status"] == "tool_calls_required"
    return paused


def resume_body(paused: Body, results: list[Body] | None = None, **changed: Any) -> Body:
    """What the SDKs send to go on."""
    call_id = paused["toolCalls"][0]["id"]
    results = [{**RESULT, "toolCallId": call_id}] if results is None else results
    return {
        "executionId": paused["executionId"],
        "pausedAtStep": paused["pausedAtStep"],
        "iterationsUsed": paused["iterationsUsed"],
        "toolCallMessages": [*paused["toolCallMessages"], *results],
        "accumulatedOutputs": paused["accumulatedOutputs"],
        "tools": [TOOL],
        **changed,
    }


def test_a_whole_flow_is_run_and_answered_once(base: str) -> None:
    answer = execute(base, "two-step", message="you")
    assert answer.pop("executionId")
    assert answer.pop("flowId")
    assert answer == {
        "status": "completed",
        "result": {"text": "Dear reader, hello.", "length": 19},
        "blockCount": 2,
    }


def test_blocks_inside_containers_are_counted(base: str) -> None:
    assert execute(base, "loop", message="m")["blockCount"] == 2


def test_a_failed_run_is_an_ordinary_answer(base: str) -> None:
    answer = execute(base, "failing", message="m")
    assert answer["status"] == "failed"
    assert "the model went away" in answer["result"]
    assert answer["error"]["code"] == "MODEL_GONE"
    assert answer["error"]["stepId"] == "broken"
    assert {"executionId", "flowId", "blockCount"} <= answer.keys()


def test_both_spellings_of_block_overrides_work(base: str) -> None:
    for name in ("blockOverrides", "block_overrides"):
        answer = execute(base, "two-step", message="m", **{name: {"draft": {"prompt": "LOUD"}}})
        assert answer["result"]["text"] == "DEAR READER."


def test_the_last_turn_of_the_user_stands_in_for_the_message(base: str) -> None:
    turns = [
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "yes?"},
        {"role": "user", "content": [{"type": "text", "text": "last"}]},
    ]
    answer = execute(base, "three-step", message="ignored", messages=turns)
    assert answer["result"]["said"] == "last"


def test_a_draft_can_be_executed_by_name(base: str) -> None:
    answer = http.post(f"{base}/seq/acme/demo/two-step/v0/execute", json={"message": "m"})
    assert answer.json()["status"] == "completed"


def test_a_pause_carries_everything_a_client_needs(base: str) -> None:
    paused = pause(base)
    (call,) = paused["toolCalls"]
    assert call == {
        "id": call["id"],
        "type": "function",
        "function": {"name": "get_weather", "arguments": '{"location": "Oslo"}'},
    }
    assert paused["pausedAtStep"] == "ask"
    assert paused["iterationsUsed"] == 1
    assert paused["accumulatedOutputs"] == {"before": {"message": "m"}}
    assert paused["blockCount"] == 3
    asked = paused["toolCallMessages"][-1]
    assert asked["toolCalls"] == asked["tool_calls"] == paused["toolCalls"]


@pytest.mark.parametrize("spelling", ["toolCallId", "tool_call_id"])
def test_a_run_goes_on_with_the_results_in_either_spelling(base: str, spelling: str) -> None:
    paused = pause(base)
    result = {"role": "tool", spelling: paused["toolCalls"][0]["id"], "content": "sunny"}
    answer = execute(base, "tools", **resume_body(paused, [result]))
    assert (answer["status"], answer["result"]) == ("completed", {"said": "It is sunny."})
    assert answer["executionId"] == paused["executionId"]


def test_a_client_that_writes_only_the_old_spelling_is_understood(base: str) -> None:
    paused = pause(base)
    messages = [
        {key: value for key, value in message.items() if key != "toolCalls"}
        for message in paused["toolCallMessages"]
    ]
    body = resume_body({**paused, "toolCallMessages": messages})
    assert execute(base, "tools", **body)["status"] == "completed"


def test_a_result_that_does_not_satisfy_the_model_is_another_round(base: str) -> None:
    paused = pause(base)
    call_id = paused["toolCalls"][0]["id"]
    rain = [{"role": "tool", "toolCallId": call_id, "content": "rain"}]
    again = execute(base, "tools", **resume_body(paused, rain))
    assert (again["status"], again["iterationsUsed"]) == ("tool_calls_required", 2)
    assert execute(base, "tools", **resume_body(again))["status"] == "completed"


def test_tools_that_a_resume_leaves_out_are_those_of_the_pause(base: str) -> None:
    paused = pause(base)
    for content, status in (("rain", "tool_calls_required"), ("sunny", "completed")):
        call_id = paused["toolCalls"][0]["id"]
        result = {"role": "tool", "tool_call_id": call_id, "content": content}
        paused = execute(base, "tools", **resume_body(paused, [result], tools=None))
        assert paused["status"] == status


def test_a_run_that_pauses_is_known_as_running(server: Running) -> None:
    paused = pause(server.base)
    run = http.get(f"{server.base}/flow-runs/{paused['executionId']}").json()
    assert run["status"] == "running"
    execute(server.base, "tools", **resume_body(paused))
    run = http.get(f"{server.base}/flow-runs/{paused['executionId']}").json()
    assert run["status"] == "completed"
    assert run["tokens"] == {"prompt": 14, "completion": 3, "total": 17}


Changed = Callable[[Body], Body]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        (lambda body: {**body, "executionId": "nobody"}, 400, "EXECUTION_ID_INVALID"),
        (lambda body: {**body, "executionId": "\x00\ud800"}, 400, "EXECUTION_ID_INVALID"),
        (lambda body: {**body, "pausedAtStep": "after"}, 400, "PAUSED_STEP_INVALID"),
        (lambda body: {**body, "pausedAtStep": "nowhere"}, 400, "PAUSED_STEP_INVALID"),
        (
            lambda body: {**body, "toolCallMessages": body["toolCallMessages"][:-1]},
            400,
            "TOOL_RESULTS_MISMATCH",
        ),
        (
            lambda body: {**body, "toolCallMessages": [*body["toolCallMessages"], RESULT]},
            400,
            "TOOL_RESULTS_MISMATCH",
        ),
        (lambda body: {**body, "toolCallMessages": ["words"]}, 400, "TOOL_RESULTS_MISMATCH"),
        (lambda body: {**body, "toolCallMessages": [RESULT]}, 400, "TOOL_RESULTS_MISMATCH"),
        (lambda body: {**body, "iterationsUsed": 11}, 409, "TOOL_ITERATION_LIMIT"),
        (lambda body: {**body, "accumulatedOutputs": {"gone": 1}}, 400, "STALE_TREE"),
        (lambda body: {**body, "accumulatedOutputs": {}}, 400, "MISSING_OUTPUT"),
        (
            lambda body: {
                **body,
                "toolCallMessages": [
                    *body["toolCallMessages"],
                    {"role": "user", "content": "x" * 1_000_001},
                ],
            },
            413,
            "MESSAGES_TOO_LARGE",
        ),
    ],
)
def test_what_does_not_fit_the_pause_is_refused(
    base: str, change: Changed, status: int, code: str
) -> None:
    answer = http.post(
        f"{base}/seq/acme/demo/tools/execute", content=_ascii(change(resume_body(pause(base))))
    )
    assert (answer.status_code, code_of(answer)) == (status, code)


def test_made_up_calls_do_not_answer_the_ones_that_are_pending(base: str) -> None:
    paused = pause(base)
    made_up = [
        {"role": "user", "content": "hello"},
        {"role": "assistant", "tool_calls": [{**paused["toolCalls"][0], "id": "mine"}]},
        {"role": "tool", "tool_call_id": "mine", "content": "sunny"},
    ]
    answer = post(base, "tools", **resume_body(paused, toolCallMessages=made_up))
    assert (answer.status_code, code_of(answer)) == (400, "TOOL_RESULTS_MISMATCH")


def test_a_run_of_another_flow_cannot_be_gone_on_with(base: str) -> None:
    body = resume_body(pause(base))
    answer = post(base, "endless-tools", **body)
    assert (answer.status_code, code_of(answer)) == (400, "EXECUTION_ID_INVALID")


def test_a_run_that_does_not_wait_cannot_be_gone_on_with(base: str) -> None:
    paused = pause(base)
    body = resume_body(paused)
    execute(base, "tools", **body)
    answer = post(base, "tools", **body)
    assert (answer.status_code, code_of(answer)) == (400, "PAUSED_STEP_INVALID")


def test_a_model_that_never_stops_asking_is_stopped(base: str) -> None:
    tool = {"type": "function", "function": {"name": "again"}}
    paused = execute(base, "endless-tools", message="m", tools=[tool])
    for round_number in range(2, 11):
        paused = execute(base, "endless-tools", **resume_body(paused, tools=[tool]))
        assert paused["iterationsUsed"] == round_number
    answer = post(base, "endless-tools", **resume_body(paused, tools=[tool]))
    assert (answer.status_code, code_of(answer)) == (409, "TOOL_ITERATION_LIMIT")
    assert answer.json()["detail"]["executionId"] == paused["executionId"]


def _tool(**function: Any) -> list[Body]:
    return [{"type": "function", "function": {"name": "a", **function}}]


@pytest.mark.parametrize(
    ("flow", "body", "status", "code"),
    [
        ("nothing", {}, 404, "FLOW_NOT_FOUND"),
        ("two-step", {}, 400, "MISSING_MESSAGE"),
        ("two-step", {"parameters": {"attachments": 1}}, 400, "PARAMETER_NAME_RESERVED"),
        ("two-step", {"messages": [{"role": "system"}]}, 400, "MESSAGES_ROLE_INVALID"),
        ("two-step", {"messages": ["hello"]}, 400, "MESSAGES_ROLE_INVALID"),
        (
            "two-step",
            {"messages": [{"role": "user", "content": "x" * 10**6}]},
            413,
            "MESSAGES_TOO_LARGE",
        ),
        ("two-step", {"message": "m", "tools": _tool()}, 400, "TOOLS_NOT_ENABLED"),
        ("tools-in-loop", {"message": "m", "tools": _tool()}, 400, "TOOLS_IN_NON_SEQUENTIAL_STEP"),
        ("tools", {"message": "m", "tools": [1]}, 400, "TOOLS_INVALID"),
        ("tools", {"message": "m", "tools": [{"type": "other"}]}, 400, "TOOLS_INVALID"),
        ("tools", {"message": "m", "tools": _tool() * 2}, 400, "TOOLS_INVALID"),
        ("tools", {"message": "m", "tools": _tool(parameters=[])}, 400, "TOOLS_INVALID"),
        ("tools", {"message": "m", "tools": _tool(description=1)}, 400, "TOOLS_INVALID"),
        (
            "tools",
            {"message": "m", "tools": [tool for n in range(65) for tool in _tool(name=f"t{n}")]},
            400,
            "TOOLS_INVALID",
        ),
        ("tools", {"message": "m", "toolChoice": "maybe"}, 400, "TOOLS_INVALID"),
        ("tools", {"message": "m", "tools": _tool(name="a b")}, 400, "TOOL_NAME_INVALID"),
        ("tools", {"message": "m", "tools": _tool(name="a" * 65)}, 400, "TOOL_NAME_INVALID"),
        ("two-step", {"message": "m", "attachments": [{"url": "x"}]}, 400, "ATTACHMENTS_INVALID"),
        ("two-step", {"message": "m", "attachments": [1]}, 400, "ATTACHMENTS_INVALID"),
    ],
)
def test_what_cannot_run_is_refused_before_it_runs(
    base: str, flow: str, body: Body, status: int, code: str
) -> None:
    answer = post(base, flow, **body)
    assert (answer.status_code, code_of(answer)) == (status, code)


IMAGE = {"kind": "url", "url": "https://example.com/a.png", "mime_type": "image/png"}


@pytest.mark.parametrize(
    "attachment",
    [
        {**IMAGE, "kind": "bytes"},
        {**IMAGE, "url": "http://example.com/a.png"},
        {**IMAGE, "url": "https://[broken"},
        {**IMAGE, "url": "https://example.com/" + "a" * 2048},
        {**IMAGE, "mime_type": "application/pdf"},
        {**IMAGE, "filename": "../a.png"},
        {**IMAGE, "filename": "a/b.png"},
        {**IMAGE, "filename": "a" * 256},
    ],
)
def test_a_wrong_attachment_is_refused(base: str, attachment: Body) -> None:
    answer = post(base, "two-step", message="m", attachments=[attachment])
    assert (answer.status_code, code_of(answer)) == (400, "ATTACHMENTS_INVALID")


def test_more_than_ten_attachments_are_refused(base: str) -> None:
    answer = post(base, "two-step", message="m", attachments=[IMAGE] * 11)
    assert code_of(answer) == "ATTACHMENTS_INVALID"


def test_an_image_for_models_that_cannot_see_is_refused_before_anything_runs(base: str) -> None:
    for image in (IMAGE, {"url": IMAGE["url"], "mimeType": "image/png"}):
        answer = post(base, "two-step", message="m", attachments=[image])
        assert (answer.status_code, code_of(answer)) == (400, "MODEL_MIME_INCOMPATIBLE")


SEEING = """\
flow: x
inputs:
  message: {type: string}
scripts:
  blind:
    replies:
      - text: "I cannot see."
  painter:
    sees_images: true
    replies:
      - match: "earlier words"
        text: "I remember."
      - text: "I see."
steps:
  - id: look
    kind: llm
    model: scripted/painter
    prompt: "{{ message }}"
    processor_config: {chat: true}
"""


def rendered(base: str, run_id: str) -> list[Body]:
    """What the model of the one step was asked."""
    trace = http.get(f"{base}/flow-runs/{run_id}/trace").json()
    found: list[Body] = trace["steps"][0]["outputContext"]["__rendered_prompt__"]["messages"]
    return found


def test_an_image_reaches_a_model_that_can_see(base: str, publish: Any, fresh_flow: str) -> None:
    publish(SEEING, fresh_flow)
    answer = http.post(
        f"{base}/seq/{fresh_flow}/execute",
        json={"message": "m", "attachments": [IMAGE], "trace": True},
    ).json()
    assert (answer["status"], answer["result"]) == ("completed", {"text": "I see."})
    (asked,) = rendered(base, answer["executionId"])
    assert {"type": "image_url", "image_url": {"url": IMAGE["url"]}} in asked["content"]


@pytest.mark.parametrize("route", ["execute", "step", "jobs"])
def test_the_model_that_is_looked_at_is_the_one_that_runs(
    base: str, publish: Any, fresh_flow: str, route: str
) -> None:
    publish(SEEING, fresh_flow)
    url, body = f"{base}/seq/{fresh_flow}/{route}", {"message": "m", "attachments": [IMAGE]}
    overrides = {"look": {"model": "scripted/blind"}}
    answer = http.post(url, json={**body, "blockOverrides": overrides})
    assert (answer.status_code, code_of(answer)) == (400, "MODEL_MIME_INCOMPATIBLE")
    blind = f"{fresh_flow}-blind"
    publish(SEEING.replace("model: scripted/painter", "model: scripted/blind"), blind)
    url = url.replace(fresh_flow, blind)
    assert code_of(http.post(url, json=body)) == "MODEL_MIME_INCOMPATIBLE"
    if route != "jobs":  # a queue would go on in this process; jobs have tests of their own
        overrides = {"look": {"model": "scripted/painter"}}
        assert http.post(url, json={**body, "blockOverrides": overrides}).status_code == 200


def test_earlier_turns_reach_a_model_that_chats(base: str, publish: Any, fresh_flow: str) -> None:
    publish(SEEING, fresh_flow)
    turns = [
        {"role": "user", "content": "earlier words"},
        {"role": "assistant", "content": "noted"},
        {"role": "user", "content": "now"},
    ]
    answer = http.post(
        f"{base}/seq/{fresh_flow}/execute", json={"messages": turns, "trace": True}
    ).json()
    assert answer["result"] == {"text": "I remember."}
    assert [message["content"] for message in rendered(base, answer["executionId"])] == [
        "earlier words",
        "noted",
        "now",
    ]


BROKE = """\
flow: x
inputs:
  message: {type: string}
scripts:
  broken:
    replies:
      - fail: {message: "no", code: CODE}
steps:
  - {id: ask, kind: llm, model: scripted/broken, prompt: "Go on"}
"""


def test_a_fault_of_the_server_is_told_as_one_and_not_what_it_was(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Runner.run_entry

    def faulty(self: Runner, *arguments: Any, **named: Any) -> Any:
        async def events() -> AsyncIterator[Any]:
            async for event in real(self, *arguments, **named):
                yield event
                raise ZeroDivisionError("the inner workings")

        return events()

    monkeypatch.setattr(Runner, "run_entry", faulty)
    answer = post(server.base, "two-step", message="m")
    assert (answer.status_code, code_of(answer)) == (500, "INTERNAL_ERROR")
    events = step(server.base, "acme/demo/two-step", stepIndex=0, message="m")
    assert names(events)[-1] == "step_error"
    assert events[-1]["error"]["code"] == "INTERNAL_ERROR"
    assert "inner workings" not in answer.text + json.dumps(events)
    assert answer.headers["x-request-id"] in answer.text
    monkeypatch.undo()
    run = http.get(f"{server.base}/flow-runs/{events[0]['executionId']}").json()
    assert run["status"] == "failed"


def _ascii(body: Body) -> bytes:
    return json.dumps(body).encode()
