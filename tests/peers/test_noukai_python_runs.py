"""The vendor's Python SDK executes, resumes, queues, traces and replays on our server."""

from __future__ import annotations

import contextlib
import inspect
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from noukai_sdk import (
    FlowExecutionError,
    FlowNotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RelayFlow,
    ReplayInvalidSessionError,
    ReplayNoSnapshotsError,
    ReplaySessionNotFoundError,
    ToolCallLimitError,
    replay_scope,
    replay_scope_sync,
)

from tests.dialects.noukai.server import http
from tests.flows import ALL, TWO_STEP
from tests.peers.noukai_python import async_client, plain, sync_client
from tests.serving import Running, running_server, write_flows

TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server of its own: only one in a process has the queue of runs."""
    folder = write_flows(tmp_path_factory.mktemp("flows"), *ALL)
    with running_server([folder], folder / "server.db") as running:
        yield running


@pytest.fixture(params=["sync", "async"])
async def client(request: pytest.FixtureRequest, server: Running) -> AsyncIterator[Any]:
    """Both clients, one after the other."""
    if request.param == "sync":
        with sync_client(server.base) as found:
            yield found
    else:
        async with async_client(server.base) as found:
            yield found


async def call(verb: Any, *arguments: Any, **named: Any) -> Any:
    """What a verb of either client gives: its value, or everything it yields."""
    found = verb(*arguments, **named)
    if inspect.isawaitable(found):
        found = await found
    if hasattr(found, "__aiter__"):
        return [item async for item in found]
    return list(found) if hasattr(found, "__next__") else found


def weather(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"role": "tool", "toolCallId": item["id"], "content": "sunny"} for item in calls]


def handler_of(client: Any) -> Any:
    """A tool handler of the kind the client takes."""

    async def answer(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return weather(calls)

    return answer if "Async" in type(client).__name__ else weather


async def test_execute_gives_the_whole_result(client: Any) -> None:
    result = await call(client.flow("two-step").execute, message="you")
    assert plain(result) == {
        "status": "completed",
        "result": {"text": "Dear reader, hello.", "length": 19},
        "blockCount": 2,
    }
    assert result.output == result.result


async def test_execute_takes_a_version_and_overrides(client: Any) -> None:
    flow = client.flow("two-step")
    overrides = {"draft": {"prompt": "LOUD"}}
    result = await call(flow.execute, message="m", version="draft", block_overrides=overrides)
    assert result.result == {"text": "DEAR READER.", "length": 12}
    with pytest.raises(FlowNotFoundError) as raised:
        await call(flow.execute, message="m", version=9)
    assert raised.value.code == "FLOW_NOT_FOUND"


async def test_chat_turns_stand_in_for_the_message(client: Any) -> None:
    turns = [{"role": "user", "content": "from a turn"}]
    result = await call(client.flow("three-step").execute, messages=turns)
    assert result.result["said"] == "from a turn"


async def test_a_failed_run_is_returned_and_not_raised(client: Any) -> None:
    result = await call(client.flow("failing").execute, message="m")
    assert result.status == "failed"
    assert "the model went away" in result.result


async def test_a_tool_handler_is_called_and_the_run_goes_on(client: Any) -> None:
    result = await call(
        client.flow("tools").execute, message="m", tools=[TOOL], tool_handler=handler_of(client)
    )
    assert (result.status, result.result) == ("completed", {"said": "It is sunny."})


async def test_a_pause_is_resumed_by_hand(client: Any) -> None:
    paused = await call(client.flow("tools").execute, message="m", tools=[TOOL])
    assert paused.requires_tool_calls
    assert (paused.paused_at_step, paused.iterations_used) == ("ask", 1)
    resume = paused.resume if "Async" in type(client).__name__ else paused.resume_sync
    result = await call(resume, tool_results=weather(paused.tool_calls))
    assert result.result == {"said": "It is sunny."}


async def test_steps_and_events_go_through_a_tool_pause(client: Any) -> None:
    flow = client.flow("tools")
    handler = handler_of(client)
    steps = await call(flow.steps, message="m", tools=[TOOL], tool_handler=handler)
    assert [(step.step_id, step.step_index) for step in steps] == [
        ("before", 0),
        ("ask", 1),
        ("after", 2),
    ]
    assert steps[-1].output == {"said": "It is sunny."}
    events = await call(flow.events, message="m", tools=[TOOL], tool_handler=handler)
    kinds = [event.event_type for event in events]
    assert kinds.count("step_completed") == 3
    assert kinds[-1] == "flow_completed"


async def test_a_model_that_never_stops_is_stopped_by_the_client_first(client: Any) -> None:
    tool = {"type": "function", "function": {"name": "again"}}
    with pytest.raises(ToolCallLimitError):
        await call(
            client.flow("endless-tools").execute,
            message="m",
            tools=[tool],
            tool_handler=handler_of(client),
            max_tool_rounds=3,
        )


async def test_refusals_carry_our_codes(client: Any) -> None:
    for flow, arguments, code in (
        ("two-step", {}, "MISSING_MESSAGE"),
        ("two-step", {"message": "m", "tools": [TOOL]}, "TOOLS_NOT_ENABLED"),
        ("tools-in-loop", {"message": "m", "tools": [TOOL]}, "TOOLS_IN_NON_SEQUENTIAL_STEP"),
        ("two-step", {"message": "m", "parameters": {"attachments": 1}}, "PARAMETER_NAME_RESERVED"),
        (
            "two-step",
            {"message": "m", "attachments": [{"url": "https://e.com/a", "mime_type": "image/png"}]},
            "MODEL_MIME_INCOMPATIBLE",
        ),
    ):
        with pytest.raises(FlowExecutionError) as raised:
            await call(client.flow(flow).execute, **arguments)
        assert (raised.value.status_code, raised.value.code) == (400, code)


async def test_a_job_is_submitted_polled_and_waited_for(client: Any) -> None:
    job = await call(client.flow("three-step").execute_async, message="m")
    status = await call(job.poll)
    assert status.status in ("pending", "running", "completed")
    done = await call(job.wait, poll_interval=0.05)
    assert (done.status, done.result) == ("completed", {"said": "m", "before": "m/kind!"})
    failed = await call(client.flow("failing").execute_async, message="m")
    done = await call(failed.wait, poll_interval=0.05)
    assert done.status == "failed"
    assert "the model went away" in done.error


async def test_traces_of_a_run_and_its_steps(client: Any) -> None:
    flow = client.flow("loop")
    result = await call(flow.execute, message="m", trace=True)
    run = flow.run(result.execution_id)
    trace = await call(run.trace)
    assert (trace.flow_run.status, trace.flow_run.trigger_type) == ("completed", "execute")
    assert [(step.step_id, step.loop_index) for step in trace.steps] == [
        ("shout", 0),
        ("shout", 1),
        ("shout", 2),
        ("each", None),
        ("after", None),
    ]
    one = await call(run.step_trace, "shout", loop_index=1)
    assert one.output_context == {"loud": "B"}
    every = await call(run.step_trace, "shout", attempt="all")
    assert [step.loop_index for step in every.attempts] == [0, 1, 2]
    assert (await call(run.step_trace, "each", attempt=1)).attempt == 1
    with pytest.raises(FlowNotFoundError) as raised:
        await call(run.step_trace, "each", attempt=7)
    assert raised.value.code == "STEP_NOT_FOUND"
    with pytest.raises(FlowNotFoundError):
        await call(flow.run("nobody").trace)


async def test_a_live_trace_tells_the_run_and_ends(client: Any) -> None:
    flow = client.flow("two-step")
    result = await call(flow.execute, message="you", trace=True)
    events = [plain(event) for event in await call(flow.run(result.execution_id).live_trace)]
    kinds = [event["eventType"] for event in events]
    assert kinds == [
        "flow_started",
        *("step_started", "step_input", "step_completed") * 2,
        "flow_completed",
    ]
    assert [event["stepIndex"] for event in events if event["eventType"] == "step_started"] == [
        0,
        1,
    ]


@contextlib.asynccontextmanager
async def scope(client: Any, **arguments: Any) -> AsyncIterator[Any]:
    """The SDK's replay scope, of the kind the client takes."""
    arguments["transport"] = client._transport
    if "Async" in type(client).__name__:
        async with replay_scope(**arguments) as found:
            yield found
    else:
        with replay_scope_sync(**arguments) as found:
            yield found


async def test_a_recorded_session_is_replayed(
    client: Any, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOUKAI_REPLAY_ENABLED", "1")
    flow = client.flow("two-step")
    async with scope(client) as recorded:
        first = await call(flow.execute, message="you", trace=True)
        steps = await call(flow.steps, message="you", trace=True)
        await call(client.flow("loop").execute, message="m", trace=True)
        session = recorded.session_id
    before = server.server.metrics.text()
    async with scope(client, replay_session_id=session):
        again = await call(flow.execute, message="you")
        assert again.result == first.result
        replayed = await call(flow.steps, message="you")
        completed = [event for event in replayed if event.event_type == "step_completed"]
        assert [(step.step_id, step.output) for step in completed] == [
            (step.step_id, step.output) for step in steps
        ]
        looped = await call(client.flow("loop").execute, message="m")
        assert looped.result == {"count": 3}
    after = server.server.metrics.text()
    name = "flowdbg_calls_total"
    assert [line for line in after.splitlines() if name in line] == [
        line for line in before.splitlines() if name in line
    ]


async def test_sessions_that_cannot_be_replayed(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOUKAI_REPLAY_ENABLED", "1")
    with pytest.raises(ReplaySessionNotFoundError):
        async with scope(client, replay_session_id=str(uuid.uuid4())):
            pass
    with pytest.raises(ReplayInvalidSessionError):
        async with scope(client, replay_session_id="not-a-uuid"):
            pass
    async with scope(client) as recorded:
        await call(client.flow("two-step").execute, message="you")
        session = recorded.session_id
    with pytest.raises(ReplayNoSnapshotsError):
        async with scope(client, replay_session_id=session):
            pass


def test_a_keyless_relay_can_execute(server: Running) -> None:
    relay = RelayFlow(f"{server.base}/seq/acme/demo/two-step/execute")
    result = relay.execute(message="you")
    assert result.status == "completed"


def test_other_projects_and_too_many_requests_have_their_classes(tmp_path: Path) -> None:
    write_flows(tmp_path, TWO_STEP)
    with running_server([tmp_path], tmp_path / "server.db", rate_limit=3) as limited:
        made = http.post(f"{limited.base}/keys", json={"projectId": "acme/other"}).json()
        with sync_client(limited.base, made["key"]) as client:
            for _ in range(3):
                with pytest.raises(PermissionDeniedError) as denied:
                    client.flow("two-step").execute(message="m")
                assert (denied.value.status_code, denied.value.code) == (403, "FORBIDDEN")
            with pytest.raises(RateLimitError) as limit:
                client.flow("two-step").execute(message="m")
            assert limit.value.code == "RATE_LIMIT"
            assert limit.value.retry_after is not None
            assert limit.value.retry_after >= 1
