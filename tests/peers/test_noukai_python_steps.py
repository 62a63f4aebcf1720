"""The vendor's Python SDK steps through flows on our server: whole event lists, sync and async."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from noukai_sdk import (
    AuthenticationError,
    FlowExecutionError,
    FlowNotFoundError,
    NoukaiError,
    StepFailed,
)

from tests.dialects.noukai.server import http
from tests.flows import FAILING, THREE_STEP, TWO_STEP
from tests.peers.noukai_python import async_client, plain, sync_client
from tests.serving import Running, running_server, write_flows

Collected = list[dict[str, Any]]
Collect = Callable[..., Any]
"""`await collect(verb, flow, **arguments)` gives everything the verb yields."""


async def _with_sync_client(base: str, verb: str, flow: str, **arguments: Any) -> Collected:
    with sync_client(base) as client:
        found: Iterator[Any] = getattr(client.flow(flow), verb)(**arguments)
        return [plain(event) for event in found]


async def _with_async_client(base: str, verb: str, flow: str, **arguments: Any) -> Collected:
    async with async_client(base) as client:
        found: AsyncIterator[Any] = getattr(client.flow(flow), verb)(**arguments)
        return [plain(event) async for event in found]


@pytest.fixture(params=[_with_sync_client, _with_async_client], ids=["sync", "async"])
def collect(request: pytest.FixtureRequest, server: Running) -> Collect:
    """Drives one of the two clients."""

    def bound(verb: str, flow: str, **arguments: Any) -> Any:
        return request.param(server.base, verb, flow, **arguments)

    return bound


DRAFTED = {
    "eventType": "step_completed",
    "stepId": "draft",
    "name": "Draft",
    "output": {"text": "Dear reader, hello."},
    "tokens": {"prompt": 7, "completion": 3, "total": 10},
    "costUsd": "0.000150",
    "stepIndex": 0,
}
COUNTED = {
    "eventType": "step_completed",
    "stepId": "count",
    "name": "Count",
    "output": {"text": "Dear reader, hello.", "length": 19},
    "tokens": {"prompt": 0, "completion": 0, "total": 0},
    "costUsd": "0",
    "stepIndex": 1,
}
DRAFTING = [
    {"eventType": "step_started", "stepId": "draft", "name": "Draft", "stepIndex": 0},
    {"eventType": "step_input", "stepId": "draft", "inputData": {"message": "you"}},
    {"eventType": "step_output", "stepId": "draft", "outputData": "Dear "},
    {"eventType": "step_output", "stepId": "draft", "outputData": "reader, "},
    {"eventType": "step_output", "stepId": "draft", "outputData": "hello."},
    DRAFTED,
]
COUNTING = [
    {"eventType": "step_started", "stepId": "count", "name": "Count", "stepIndex": 1},
    {"eventType": "step_input", "stepId": "count", "inputData": {"text": "Dear reader, hello."}},
    COUNTED,
]
STARTED = {"eventType": "run_started", "stepCount": 2}
PAUSED = {"eventType": "step_paused", "stepId": "draft", "stepIndex": 0}


def completed(tokens: dict[str, int], cost: str) -> dict[str, Any]:
    return {
        "eventType": "flow_completed",
        "result": {"text": "Dear reader, hello.", "length": 19},
        "summary": {"status": "completed", "stepCount": 2, "tokens": tokens, "costUsd": cost},
    }


async def test_steps_yields_one_completed_step_after_the_other(collect: Collect) -> None:
    assert await collect("steps", "two-step", message="you") == [DRAFTED, COUNTED]


async def test_events_yields_everything_and_its_cursor_never_runs_away(collect: Collect) -> None:
    nothing = {"prompt": 0, "completion": 0, "total": 0}
    assert await collect("events", "two-step", message="you") == [
        STARTED,
        *DRAFTING,
        PAUSED,
        STARTED,
        *COUNTING,
        completed(nothing, "0"),
    ]


async def test_run_remaining_comes_in_one_stream_without_a_pause(collect: Collect) -> None:
    used = {"prompt": 7, "completion": 3, "total": 10}
    assert await collect("events", "two-step", message="you", run_remaining=True) == [
        STARTED,
        *DRAFTING,
        *COUNTING,
        completed(used, "0.000150"),
    ]


async def test_input_overrides_reach_the_next_step_only(collect: Collect) -> None:
    overridden = await collect(
        "steps", "two-step", message="you", input_overrides={"draft": {"text": "EDITED"}}
    )
    assert overridden == [DRAFTED, {**COUNTED, "output": {"text": "EDITED", "length": 6}}]


async def test_block_overrides_change_the_prompt(collect: Collect) -> None:
    overridden = await collect(
        "steps", "two-step", message="you", block_overrides={"draft": {"prompt": "LOUD"}}
    )
    assert [step["output"] for step in overridden] == [
        {"text": "DEAR READER."},
        {"text": "DEAR READER.", "length": 12},
    ]


async def test_parameters_are_sent_once_and_remembered(collect: Collect) -> None:
    steps = await collect("steps", "three-step", message="m", parameters={"tone": "stern"})
    assert [step["output"] for step in steps] == [
        {"text": "m/stern"},
        {"text": "m/stern!", "tone": "stern"},
        {"said": "m", "before": "m/stern!"},
    ]


async def test_a_loop_is_one_step(collect: Collect) -> None:
    steps = await collect("steps", "loop", message="m")
    assert [(step["stepId"], step["stepIndex"], step["output"]) for step in steps] == [
        ("each", 0, {"items": [{"loud": "A"}, {"loud": "B"}, {"loud": "C"}]}),
        ("after", 1, {"count": 3}),
    ]


async def test_a_parallel_container_is_one_step(collect: Collect) -> None:
    events = await collect("events", "parallel", message="m")
    kinds = [event["eventType"] for event in events if event["eventType"] != "step_input"]
    assert kinds == ["run_started", "step_started", "step_completed", "flow_completed"]


async def test_a_failing_step_is_the_last_event(collect: Collect) -> None:
    events = await collect("events", "failing", message="m")
    assert [event["eventType"] for event in events] == [
        *("run_started", "step_started", "step_input", "step_completed", "step_paused"),
        *("run_started", "step_started", "step_input", "step_output", "step_error"),
    ]
    assert events[-1]["stepId"] == "broken"
    assert events[-1]["error"]["code"] == "MODEL_GONE"


async def test_a_pinned_version_is_what_runs(collect: Collect, server: Running) -> None:
    publish(server, "pinned", TWO_STEP)
    publish(server, "pinned", THREE_STEP)
    pinned = await collect("steps", "pinned", message="you", version=1)
    current = await collect("steps", "pinned", message="you")
    assert [step["stepId"] for step in pinned] == ["draft", "count"]
    assert [step["stepId"] for step in current] == ["first", "second", "third"]


async def test_errors_become_the_sdks_classes_with_our_codes(collect: Collect) -> None:
    with pytest.raises(FlowNotFoundError) as unknown:
        await collect("events", "nothing", message="m")
    assert (unknown.value.status_code, unknown.value.code) == (404, "FLOW_NOT_FOUND")
    with pytest.raises(FlowExecutionError) as refused:
        await collect("events", "two-step", parameters={"tone": "x"})
    assert (refused.value.status_code, refused.value.code) == (400, "MISSING_MESSAGE")
    assert refused.value.request_id
    assert "message" in str(refused.value)


async def test_a_wrong_key_is_an_authentication_error(server: Running, tmp_path: Any) -> None:
    write_flows(tmp_path, FAILING)
    key = "nk_test_right001_0123456789abcdef0123456789abcdef"
    with running_server([tmp_path], tmp_path / "server.db", api_keys=(key,)) as guarded:
        with sync_client(guarded.base) as wrong, pytest.raises(AuthenticationError) as raised:
            list(wrong.flow("failing").events(message="m"))
        assert raised.value.status_code == 401
        async with async_client(guarded.base, key) as right:
            events = [event async for event in right.flow("failing").events(message="m")]
        assert isinstance(events[-1], StepFailed)


async def test_a_republished_flow_is_a_stale_tree(server: Running) -> None:
    publish(server, "moving", TWO_STEP)
    with sync_client(server.base) as client:
        steps = client.flow("moving").steps(message="you")
        assert next(steps).step_id == "draft"
        publish(server, "moving", THREE_STEP)
        with pytest.raises(NoukaiError) as raised:
            next(steps)
    assert raised.value.code == "STALE_TREE"
    body: Any = raised.value.response_body
    assert [step["stepId"] for step in body["detail"]["steps"]] == ["first", "second", "third"]


def publish(server: Running, slug: str, definition: str) -> None:
    """Publish a definition under another name, as production."""
    _, rest = definition.split("\n", 1)
    answer = http.post(
        f"{server.base}/flows/acme/demo/{slug}/versions",
        json={"definition": f"flow: acme/demo/{slug}\n{rest}", "production": True},
    )
    assert answer.status_code == 201, answer.text
