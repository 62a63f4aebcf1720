"""A client that goes away: the model call is aborted, nothing further runs, the run says so."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from flowdbg.dialects.records import RunRecord, StepRecord
from flowdbg.engine.services import EngineSettings
from flowdbg.expressions import SandboxLimits
from flowdbg.server.storage import runs
from flowdbg.server.storage.steps import steps_of
from tests.flows import SLOW, THREE_STEP
from tests.serving import Running, running_server, write_flows


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    write_flows(tmp_path, SLOW, THREE_STEP)
    with running_server([tmp_path], tmp_path / "server.db") as running:
        yield running


def eventually(true: Callable[[], bool], what: str) -> None:
    """Wait for a condition, for a while."""
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.01)


async def until_running(server: Running) -> None:
    """Wait until the server plays something."""
    for _ in range(2000):
        if server.server.metrics.running:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nothing runs")


def run_of(server: Running, run_id: str) -> RunRecord:
    row = server.server.database.read_now(lambda connection: runs.find_run(connection, run_id))
    assert row is not None
    return row


def records_of(server: Running, run_id: str) -> list[StepRecord]:
    return server.server.database.read_now(lambda connection: steps_of(connection, run_id))


async def leave_after(server: Running, flow: str, event: str, **body: object) -> str:
    """Post `/step`, read until an event of the type, hang up; returns the run's id."""
    text = ""
    async with (
        httpx.AsyncClient(timeout=30) as client,
        client.stream("POST", f"{server.base}/seq/{flow}/step", json=body) as answer,
    ):
        async for part in answer.aiter_text():
            text += part
            if f"event: {event}\n" in text and text.endswith("\n\n"):
                break
    first = text.split("\n\n")[0].split("\n")[1]
    return str(json.loads(first.removeprefix("data: "))["executionId"])


def test_it_is_noticed_while_the_model_is_silent(server: Running) -> None:
    run_id = asyncio.run(
        leave_after(
            server, "acme/demo/slow", "step_output", stepIndex=0, message="m", runRemaining=True
        )
    )
    # The model would be silent for a minute; the test would time out if that were waited for.
    eventually(lambda: run_of(server, run_id).status != "running", "the run is still running")
    row = run_of(server, run_id)
    assert row.status == "cancelled"
    assert row.ended_at is not None
    (step,) = records_of(server, run_id)
    assert (step.note.step_id, step.note.status) == ("wait", "failed")
    assert step.note.error is not None
    assert json.loads(step.note.error)["code"] == "CANCELLED"
    eventually(lambda: server.server.metrics.running == 0, "the call is still running")


def test_a_whole_run_is_cancelled_too_when_its_client_leaves(server: Running) -> None:
    async def leave() -> None:
        async with httpx.AsyncClient(timeout=30) as client:
            url = f"{server.base}/seq/acme/demo/slow/execute"
            request = asyncio.create_task(client.post(url, json={"message": "m"}))
            await until_running(server)
            request.cancel()
            await asyncio.gather(request, return_exceptions=True)

    asyncio.run(leave())
    eventually(lambda: server.server.metrics.running == 0, "the call is still running")
    (run,) = httpx.get(f"{server.base}/flow-runs?flow_id=acme/demo/slow").json()["runs"]
    assert (run["status"], run["triggerType"]) == ("cancelled", "execute")


def test_a_whole_run_is_told_when_the_server_stops(tmp_path: Path) -> None:
    write_flows(tmp_path, SLOW)
    with running_server([tmp_path], tmp_path / "server.db") as server:

        async def stop_meanwhile() -> httpx.Response:
            async with httpx.AsyncClient(timeout=30) as client:
                url = f"{server.base}/seq/acme/demo/slow/execute"
                request = asyncio.create_task(client.post(url, json={"message": "m"}))
                await until_running(server)
                server.stop()
                return await request

        answer = asyncio.run(stop_meanwhile())
    assert answer.status_code == 503
    assert answer.json()["detail"]["code"] == "SERVER_STOPPING"


BUSY = """\
flow: acme/demo/busy
inputs:
  message: {type: string}
steps:
  - id: spin
    kind: code
    timeout: 3
    code: |
      n = 0
      while True:
          n += 1
"""


async def test_a_step_that_computes_does_not_hold_up_other_clients(tmp_path: Path) -> None:
    write_flows(tmp_path, BUSY, THREE_STEP)
    with running_server([tmp_path], tmp_path / "server.db") as server:
        async with httpx.AsyncClient(timeout=60) as client:
            url = f"{server.base}/seq/acme/demo"
            body = {"stepIndex": 0, "message": "m"}
            spinning = asyncio.create_task(client.post(f"{url}/busy/step", json=body))
            for _ in range(5):
                answer = await client.post(f"{url}/three-step/step", json=body)
                assert "step_paused" in answer.text
            assert not spinning.done()
            ended = await spinning
    assert "step_error" in ended.text


def test_code_ends_when_its_client_leaves(tmp_path: Path) -> None:
    """Or the workers would be taken: there are fewer of them than clients that leave here."""
    write_flows(tmp_path, BUSY.replace("    timeout: 3\n", ""), THREE_STEP)
    engine = EngineSettings(sandbox=SandboxLimits(seconds=300))
    with running_server([tmp_path], tmp_path / "server.db", engine=engine) as server:

        async def leave() -> None:
            body = {"stepIndex": 0, "message": "m"}
            leaving = (
                leave_after(server, "acme/demo/busy", "step_input", **body) for _ in range(8)
            )
            await asyncio.gather(*leaving)

        asyncio.run(leave())
        url = f"{server.base}/seq/acme/demo/three-step/step"
        answer = httpx.post(url, json={"stepIndex": 0, "message": "m"}, timeout=60)
        assert "step_paused" in answer.text


def test_a_cancelled_run_can_go_on(server: Running) -> None:
    run_id = asyncio.run(
        leave_after(server, "acme/demo/slow", "step_output", stepIndex=0, message="m")
    )
    eventually(lambda: run_of(server, run_id).status == "cancelled", "not cancelled")
    body = {"stepIndex": 1, "executionId": run_id, "accumulatedOutputs": {"wait": {"text": "x"}}}
    answer = httpx.post(f"{server.base}/seq/acme/demo/slow/step", json=body)
    assert "flow_completed" in answer.text
    assert run_of(server, run_id).status == "completed"


def test_a_run_that_ended_stays_as_it_was_when_its_client_leaves(server: Running) -> None:
    run_id = asyncio.run(
        leave_after(server, "acme/demo/three-step", "step_paused", stepIndex=0, message="m")
    )
    assert run_of(server, run_id).status == "paused"


def test_stopping_the_server_ends_its_streams_and_marks_their_runs(tmp_path: Path) -> None:
    write_flows(tmp_path, SLOW)
    database = tmp_path / "server.db"
    text = ""
    with running_server([tmp_path], database) as server:
        url = f"{server.base}/seq/acme/demo/slow/step"

        async def until_the_end() -> None:
            nonlocal text
            body = {"stepIndex": 0, "message": "m"}
            async with (
                httpx.AsyncClient(timeout=30) as client,
                client.stream("POST", url, json=body) as answer,
            ):
                async for part in answer.aiter_text():
                    text += part
                    if "step_output" in part:
                        server.stop()

        asyncio.run(until_the_end())
    last = text.rstrip("\n").split("\n\n")[-1]
    assert last.startswith("event: step_error\n")
    error = json.loads(last.split("data: ")[1])
    assert error["error"]["code"] == "SERVER_STOPPING"
    with running_server([tmp_path], database) as server:
        row = run_of(server, error["executionId"])
    assert row.status == "interrupted"


def test_a_silent_stream_sends_heartbeats(tmp_path: Path) -> None:
    write_flows(tmp_path, SLOW)

    async def until_pings(base: str) -> str:
        text = ""
        body = {"stepIndex": 0, "message": "m"}
        async with (
            httpx.AsyncClient(timeout=30) as client,
            client.stream("POST", f"{base}/seq/acme/demo/slow/step", json=body) as answer,
        ):
            async for part in answer.aiter_text():
                text += part
                if text.count(": ping\n\n") >= 3:
                    break
        return text

    with running_server([tmp_path], tmp_path / "server.db", heartbeat=0.05) as server:
        text = asyncio.run(until_pings(server.base))
    assert text.endswith("\n\n")
    assert text[:-2].split("\n\n")[-3:] == [": ping"] * 3
