"""Every error class of the vendor's Python SDK, raised by our server and by its recordings."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from noukai_sdk import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    FlowExecutionError,
    FlowNotFoundError,
    InsufficientCreditsError,
    NoukaiError,
    PermissionDeniedError,
    ReplayForbiddenError,
    ReplayLeftoverError,
    ReplayMissError,
)

from tests.dialects.noukai.server import http
from tests.flows import ALL
from tests.peers.noukai_python import async_client, sync_client
from tests.peers.test_noukai_python_runs import call, handler_of, scope, weather
from tests.serving import Running, running_server, write_flows

TOOL = {"type": "function", "function": {"name": "get_weather"}}
AGAIN = {"type": "function", "function": {"name": "again"}}
ADMINISTRATOR = "nk_test_admin001_0123456789abcdef0123456789abcdef"
BROKE = """\
flow: acme/demo/SLUG
scripts:
  broken:
    replies:
      - fail: {message: "no", code: CODE}
steps:
  - {id: ask, kind: llm, model: scripted/broken, prompt: "Go on"}
"""
FLAKY = """\
flow: acme/demo/flaky
scripts:
  flaky:
    replies:
      - fail: {message: "busy", code: MODEL_FAILED}
      - text: "now it works"
steps:
  - {id: ask, kind: llm, model: scripted/flaky, prompt: "Go", retries: 1}
"""
TALKING = """\
flow: acme/demo/talking
scripts:
  talker:
    replies:
      - chunks: ["word "]
        repeat: 20
        delay: 0.02
steps:
  - {id: talk, kind: llm, model: scripted/talker, prompt: "Talk"}
"""


def broke(slug: str, code: str) -> str:
    return BROKE.replace("SLUG", slug).replace("CODE", code)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that asks for keys."""
    folder = write_flows(tmp_path_factory.mktemp("flows"), *ALL, FLAKY, TALKING)
    write_flows(
        folder,
        broke("broke", "INSUFFICIENT_CREDITS"),
        broke("key-refused", "MODEL_KEY_REJECTED"),
        broke("no-billing", "BILLING_UNAVAILABLE"),
    )
    keys = {"api_keys": (ADMINISTRATOR,)}
    with running_server([folder], folder / "server.db", **keys) as running:
        yield running


def key_of(server: Running, project: str) -> str:
    """A new key for a project."""
    made = http.post(
        f"{server.base}/keys",
        json={"projectId": project},
        headers={"authorization": f"Bearer {ADMINISTRATOR}"},
    )
    key: str = made.json()["key"]
    return key


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which of both clients."""
    name: str = request.param
    return name


@asynccontextmanager
async def client_of(kind: str, base: str, key: str = ADMINISTRATOR) -> AsyncIterator[Any]:
    if kind == "sync":
        with sync_client(base, key) as found:
            yield found
    else:
        async with async_client(base, key) as found:
            yield found


async def raised_by(
    error: type[NoukaiError], verb: Any, *arguments: Any, **named: Any
) -> NoukaiError:
    with pytest.raises(error) as raised:
        await call(verb, *arguments, **named)
    assert type(raised.value) is error
    return raised.value


@pytest.mark.parametrize(
    ("flow", "arguments", "error", "status", "code"),
    [
        ("broke", {}, InsufficientCreditsError, 402, "INSUFFICIENT_CREDITS"),
        ("nothing", {"message": "m"}, FlowNotFoundError, 404, "FLOW_NOT_FOUND"),
        (
            "two-step",
            {"messages": [{"role": "user", "content": "x" * 10**6}]},
            *(FlowExecutionError, 413, "MESSAGES_TOO_LARGE"),
        ),
        ("key-refused", {}, FlowExecutionError, 502, "BYOK_KEY_REJECTED"),
        ("no-billing", {}, FlowExecutionError, 503, "BILLING_UNAVAILABLE"),
    ],
)
@pytest.mark.filterwarnings("ignore:messages payload is:UserWarning")
async def test_a_status_becomes_its_class(
    server: Running,
    kind: str,
    flow: str,
    arguments: dict[str, Any],
    error: type[NoukaiError],
    status: int,
    code: str,
) -> None:
    async with client_of(kind, server.base) as client:
        raised = await raised_by(error, client.flow(flow).execute, **arguments)
    assert (raised.status_code, raised.code) == (status, code)
    assert raised.message
    assert raised.request_id


async def test_the_servers_round_limit_is_a_conflict(server: Running, kind: str) -> None:
    async with client_of(kind, server.base) as client:
        raised = await raised_by(
            FlowExecutionError,
            client.flow("endless-tools").execute,
            message="m",
            tools=[AGAIN],
            tool_handler=handler_of(client),
            max_tool_rounds=20,
        )
    assert (raised.status_code, raised.code) == (409, "TOOL_ITERATION_LIMIT")


async def test_keys_that_open_nothing_here(server: Running, kind: str) -> None:
    async with client_of(kind, server.base, "nk_test_wrong001_0123") as client:
        for verb in (client.flow("two-step").events, client.flow("two-step").execute):
            wrong = await raised_by(AuthenticationError, verb, message="m")
            assert (wrong.status_code, wrong.code) == (401, "UNAUTHENTICATED")
        assert isinstance(wrong, AuthenticationError)
        assert wrong.www_authenticate == 'Bearer realm="flowdbg"'
    async with client_of(kind, server.base, key_of(server, "other/project")) as client:
        for verb in (client.flow("two-step").execute, client.flow("two-step").events):
            foreign = await raised_by(PermissionDeniedError, verb, message="m")
            assert (foreign.status_code, foreign.code) == (403, "FORBIDDEN")


async def test_no_answer_is_a_connection_error_and_a_late_one_a_timeout(
    server: Running, kind: str
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/api/v1"
        async with client_of(kind, url) as client:
            await raised_by(APIConnectionError, client.flow("two-step").execute, message="m")
    async with client_of(kind, server.base) as client:
        slow = client.flow("slow")
        await raised_by(APITimeoutError, slow.execute, message="m", timeout=0.5)
        job = await call(slow.execute_async, message="m")
        await raised_by(APITimeoutError, job.wait, timeout=0.2, poll_interval=0.05)


async def test_recordings_that_do_not_fit_are_told(
    server: Running, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOUKAI_REPLAY_ENABLED", "1")
    async with client_of(kind, server.base) as client:
        async with scope(client) as recorded:
            await call(client.flow("failing").execute, message="m", trace=True)
            await call(client.flow("two-step").execute, message="m", trace=True)
            session = recorded.session_id
        with pytest.raises(FlowExecutionError) as again:
            async with scope(client, replay_session_id=session):
                await call(client.flow("failing").execute, message="m")
        assert again.value.code == "MODEL_GONE"
        with pytest.raises(ReplayLeftoverError):
            async with scope(client, replay_session_id=session):
                await call(client.flow("two-step").execute, message="m")
        with pytest.raises(ReplayMissError):
            async with scope(client, replay_session_id=session):
                await call(client.flow("loop").execute, message="m")
    async with client_of(kind, server.base, key_of(server, "other/project")) as client:
        with pytest.raises(ReplayForbiddenError):
            async with scope(client, replay_session_id=session):
                pass


async def test_an_event_of_a_tool_pause_is_resumed_by_hand(server: Running) -> None:
    async with async_client(server.base, ADMINISTRATOR) as client:
        kinds = []
        async for event in client.flow("tools").events(message="m", tools=[TOOL]):
            kinds.append(event.event_type)
            if event.event_type == "step_paused_for_tool_calls":
                resume: Any = getattr(event, "resume")  # noqa: B009 - the SDK adds it at run time
                await resume(tool_results=weather(event.tool_calls))
    assert kinds.count("step_paused_for_tool_calls") == 1
    assert kinds.count("step_completed") == 3
    assert kinds[-1] == "flow_completed"


async def test_a_job_is_followed_while_it_runs(server: Running, kind: str) -> None:
    async with client_of(kind, server.base) as client:
        flow = client.flow("talking")
        job = await call(flow.execute_async, trace=True)
        events = await call(flow.run(job.execution_id).live_trace)
        assert [event.event_type for event in events][:2] == ["flow_started", "step_started"]
        assert events[-1].event_type == "flow_completed"
        assert events[-1].result == {"text": "word " * 20}
        assert (await call(job.poll)).status == "completed"


async def test_the_attempts_of_a_step_can_be_told_apart(server: Running, kind: str) -> None:
    async with client_of(kind, server.base) as client:
        flow = client.flow("flaky")
        result = await call(flow.execute, trace=True)
        run = flow.run(result.execution_id)
        every = await call(run.step_trace, "ask", attempt="all")
        assert [(step.attempt, step.status) for step in every.attempts] == [
            (1, "failed"),
            (2, "completed"),
        ]
        first = await call(run.step_trace, "ask", attempt=1)
        assert first.error_context["code"] == "MODEL_FAILED"
        assert (await call(run.step_trace, "ask")).attempt == 2
