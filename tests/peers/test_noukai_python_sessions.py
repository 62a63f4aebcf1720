"""The rest of the Python SDK: tags of sessions, relays, and that nothing of it was left out."""

from __future__ import annotations

import inspect
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import noukai_sdk
import pytest
from noukai_sdk import (
    AsyncRelayFlow,
    FlowExecutionError,
    NoukaiError,
    RelayFlow,
    ReplaySessionExpiredError,
    current_session_id,
    replay,
)
from noukai_sdk.adapters.relay import mount_flow_relay
from starlette.applications import Starlette
from starlette.requests import Request

from tests.dialects.noukai.server import http
from tests.faults.server import FaultServer, answer_json
from tests.flows import ALL
from tests.peers.noukai_python import async_client
from tests.peers.test_noukai_python_errors import client_of
from tests.peers.test_noukai_python_runs import TOOL, call, scope, weather
from tests.serving import ServerProcess, server_process, write_flows


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A process of its own: one process has one queue of runs."""
    folder = write_flows(tmp_path_factory.mktemp("flows"), *ALL)
    with server_process([folder], "--db", str(folder / "server.db")) as running:
        yield running


@pytest.fixture(params=["sync", "async"])
async def client(request: pytest.FixtureRequest, server: ServerProcess) -> AsyncIterator[Any]:
    """Both clients, one after the other."""
    async with client_of(request.param, server.base) as found:
        yield found


def recorded(server: ServerProcess, session_id: str) -> list[tuple[str, str]]:
    """What was run under a tag: how, and the flow's slug."""
    answer = http.get(f"{server.base}/seq/sessions/{session_id}")
    assert answer.status_code == 200, answer.text
    return [(run["triggerType"], run["slug"]) for run in answer.json()["executions"]]


async def test_every_kind_of_run_carries_the_tag_of_its_call(
    client: Any, server: ServerProcess
) -> None:
    flow, tag = client.flow("acme/demo/two-step"), str(uuid.uuid4())
    result = await call(flow.execute, message="m", session_id=tag)
    assert result.session_id == tag
    assert len(await call(flow.steps, message="m", session_id=tag)) == 2
    await call(
        client.flow(org="acme", project="demo", slug="loop").events, message="m", session_id=tag
    )
    job = await call(flow.execute_async, message="m", session_id=tag)
    await call(job.wait, poll_interval=0.05)
    assert recorded(server, tag) == [
        ("execute", "two-step"),
        ("step", "two-step"),
        ("step", "loop"),
        ("job", "two-step"),
    ]


async def test_a_client_and_a_decorated_function_have_tags_of_their_own(
    client: Any, server: ServerProcess
) -> None:
    tag = client._transport._default_session_id = str(uuid.uuid4())
    await call(client.flow("two-step").execute, message="m")
    assert recorded(server, tag) == [("execute", "two-step")]
    client._transport._default_session_id = None

    @replay
    async def decorated() -> str | None:
        await call(client.flow("two-step").execute, message="m")
        return current_session_id()

    assert recorded(server, await decorated() or "") == [("execute", "two-step")]
    assert current_session_id() is None


async def test_replay_that_is_not_enabled_runs_for_real(
    client: Any, server: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOUKAI_REPLAY_ENABLED", raising=False)
    async with scope(client, replay_session_id=str(uuid.uuid4())) as found:
        result = await call(client.flow("two-step").execute, message="you")
    assert result.status == "completed"
    assert recorded(server, found.session_id) == [("execute", "two-step")]


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_a_recording_that_expired_has_its_class(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No server is known to answer so yet; ours does not."""
    monkeypatch.setenv("NOUKAI_REPLAY_ENABLED", "1")
    session = str(uuid.uuid4())
    gone = answer_json(410, {"detail": {"code": "SESSION_EXPIRED", "message": "It was removed."}})
    with FaultServer(gets={f"/seq/sessions/{session}": gone}).in_thread() as expired:
        async with client_of(kind, expired.url) as client:
            with pytest.raises(ReplaySessionExpiredError) as raised:
                async with scope(client, replay_session_id=session):
                    pass
    assert raised.value.status_code == 410


@pytest.fixture
async def relay(server: ServerProcess) -> AsyncIterator[httpx.AsyncClient]:
    """The vendor's relay between a keyless caller and our server."""
    heard: list[str] = []

    async def authorize(request: Request) -> None:
        heard.append(request.headers.get("authorization", ""))

    async with async_client(server.base) as keyholder:
        app = Starlette()
        mount_flow_relay(
            app, client=keyholder, org="acme", project="demo", slug="tools", authorize=authorize
        )
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            yield client
    assert set(heard) <= {""}


async def test_a_relay_passes_pauses_results_and_refusals_on(relay: httpx.AsyncClient) -> None:
    flow = AsyncRelayFlow("http://relay/agent/execute", client=relay)
    result: Any = await flow.execute("m", tools=[TOOL], tool_handler=weather)
    assert (result.status, result.result) == ("completed", {"said": "It is sunny."})
    paused: Any = await flow.execute("m", tools=[TOOL])
    resumed = await paused.resume(tool_results=weather(paused.tool_calls))
    assert resumed.result == {"said": "It is sunny."}
    with pytest.raises(FlowExecutionError) as refused:
        await flow.execute("m", tools=[{"type": "function"}])
    assert (refused.value.status_code, refused.value.code) == (400, "TOOLS_INVALID")


def test_a_keyless_caller_resumes_without_a_relay(server: ServerProcess) -> None:
    flow = RelayFlow(f"{server.base}/seq/acme/demo/tools/execute")
    result: Any = flow.execute("m", tools=[TOOL], tool_handler=weather)
    assert result.result == {"said": "It is sunny."}
    paused: Any = flow.execute("m", tools=[TOOL])
    resumed = paused.resume_sync(tool_results=weather(paused.tool_calls))
    assert resumed.result == {"said": "It is sunny."}


ERRORS = {
    *("APIConnectionError", "APITimeoutError", "AuthenticationError", "FlowExecutionError"),
    *("FlowNotFoundError", "InsufficientCreditsError", "PermissionDeniedError", "RateLimitError"),
    *("ReplayForbiddenError", "ReplayInvalidSessionError", "ReplayLeftoverError"),
    *("ReplayMissError", "ReplayNoSnapshotsError", "ReplaySessionExpiredError"),
    *("ReplaySessionNotFoundError", "ToolCallLimitError"),
}
"""Provoked in the tests of this folder."""
NEVER_RAISED = {"NoukaiError", "ReplayError", "ReplayDisabledError"}
"""The bases, and one that no line of the SDK raises."""
VERBS = {
    "Flow": {"events", "execute", "execute_async", "run", "steps"},
    "Job": {"poll", "wait"},
    "Run": {"live_trace", "step_trace", "trace"},
    "RelayFlow": {"execute"},
}


def test_no_error_class_and_no_verb_of_the_sdk_is_left_out() -> None:
    exported = {name: getattr(noukai_sdk, name) for name in noukai_sdk.__all__}
    classes = {name: found for name, found in exported.items() if inspect.isclass(found)}
    errors = {name for name, found in classes.items() if issubclass(found, NoukaiError)}
    assert errors == ERRORS | NEVER_RAISED
    for name, verbs in VERBS.items():
        for kind in (name, f"Async{name}"):
            members = inspect.getmembers(classes[kind], inspect.isfunction)
            assert {member for member, _ in members if not member.startswith("_")} == verbs
