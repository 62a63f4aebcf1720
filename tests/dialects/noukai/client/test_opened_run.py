"""A finished run opened in the debugger: what it did is there, and any step can be gone on from."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from flowdbg.core.address import FlowAddress, parse_address
from flowdbg.core.entries import Body, Entry, StopReason
from flowdbg.core.json_text import JsonText
from flowdbg.core.recording import to_record
from flowdbg.core.session import State, Status
from flowdbg.debugger import Debugger
from flowdbg.dialects.noukai.client.remote import NoukaiRemote
from flowdbg.dialects.targets import make_archive, make_target
from flowdbg.dialects.traces import OpenedRun
from flowdbg.dialects.whole_runs import Finished, RunRequest
from flowdbg.errors import FlowNotFound, RunLost, UsageError
from flowdbg.store import SessionStore
from tests.debugger.flows import publish
from tests.faults.server import FaultServer, answer_json
from tests.flows import FAILING, LOOP, THREE_STEP, TWO_STEP

OpenRun = Callable[..., Coroutine[Any, Any, Debugger]]


def no_key() -> str:
    return ""


async def executed(base: str, flow: str, *, trace: bool = True, version: int | None = None) -> str:
    """Run a flow; the run's id."""
    remote = NoukaiRemote(base, no_key, parse_address(flow))
    request = RunRequest(message="hi", parameters=JsonText("{}"), trace=trace)
    try:
        answer = await remote.execute(version, request)
    finally:
        await remote.aclose()
    assert isinstance(answer, Finished)
    return answer.execution_id


async def open_run(
    base: str, run_id: str, session_id: str, address: FlowAddress | None = None
) -> OpenedRun:
    """Fetch a run as the log of a session."""
    archive = make_archive("noukai", url=base, key=no_key, address=address)
    try:
        return await archive.open_run(run_id, session_id)
    finally:
        await archive.aclose()


def stored(bodies: list[Body], folder: Path) -> SessionStore:
    """A session's file with this log."""
    store = SessionStore.create(folder, session_id="opened", meta={})
    store.append([to_record(Entry(time.time(), 0, body)) for body in bodies])
    return store


@pytest.fixture
async def opened(base: str, tmp_path: Path) -> AsyncIterator[OpenRun]:
    """Opens a run as a session that was stored and read again."""
    async with AsyncExitStack() as stack:

        async def open_(run_id: str, address: FlowAddress | None = None) -> Debugger:
            run = await open_run(base, run_id, "opened", address)
            target = make_target("noukai", url=base, address=run.address, key=no_key)
            debugger = await Debugger.resume(target, stored(run.bodies, tmp_path))
            stack.push_async_callback(debugger.close)
            return debugger

        yield open_


def published(base: str, text: str, name: str) -> str:
    """Publish a flow under an address of its own."""
    first, rest = text.split("\n", 1)
    address = f"{first.removeprefix('flow: ')}-{name}"
    publish(base, f"flow: {address}\n{rest}", address=address)
    return address


async def test_a_completed_run_stands_at_its_end_with_every_output(
    base: str, opened: OpenRun
) -> None:
    flow = published(base, THREE_STEP, "whole")
    run_id = await executed(base, flow)
    debugger = await opened(run_id)
    session = debugger.session
    assert session.state is State.DONE
    assert (session.stop.reason, session.pinned, session.cursor) == (StopReason.END, 1, 3)
    assert session.stop.detail == f"Opened from the trace of run {run_id}."
    assert session.message == "hi"
    assert list(session.branch.outputs) == ["first", "second", "third"]
    assert session.branch.outputs["second"].value == {"text": "hi/kind!", "tone": "kind"}
    assert session.branch.result == session.branch.outputs["third"]
    second = session.execution("second")
    assert second is not None
    assert second.input is not None
    assert second.input.value == {"text": "hi/kind"}
    assert (second.status, second.attempt) == (Status.DONE, 1)
    assert not session.anomalies


async def test_an_edit_and_a_fork_go_on_in_a_run_of_their_own(base: str, opened: OpenRun) -> None:
    flow = published(base, THREE_STEP, "fork")
    run_id = await executed(base, flow)
    debugger = await opened(run_id)
    await debugger.edit_output("first", JsonText('{"text": "edited"}'))
    await debugger.fork(1)
    await debugger.run_to_end()
    session = debugger.session
    assert session.state is State.DONE
    assert session.branch.outputs["third"].value == {"said": "hi", "before": "edited!"}
    assert session.branch.execution_id not in ("", run_id)
    remote = NoukaiRemote(base, no_key)
    try:
        kept = await remote.trace(run_id)
        assert [step.attempt for step in kept.steps] == [1, 1, 1]
        assert kept.run.status == "completed"
    finally:
        await remote.aclose()


async def test_a_run_of_an_older_version_goes_on_with_that_version(
    base: str, opened: OpenRun
) -> None:
    flow = published(base, THREE_STEP, "older")
    run_id = await executed(base, flow)
    changed = THREE_STEP.replace("acme/demo/three-step", flow).replace("text + '!'", "text + '?'")
    publish(base, changed, address=flow)
    debugger = await opened(run_id)
    assert debugger.session.pinned == 1
    await debugger.fork(1)
    await debugger.step()
    assert debugger.session.branch.outputs["second"].value["text"] == "hi/kind!"


async def test_a_run_without_snapshots_stands_at_its_start_and_says_so(
    base: str, opened: OpenRun
) -> None:
    flow = published(base, TWO_STEP, "bare")
    debugger = await opened(await executed(base, flow, trace=False))
    session = debugger.session
    assert (session.state, session.cursor, dict(session.branch.outputs)) == (State.PAUSED, 0, {})
    assert "Outputs were not captured (capture mode metadata_only)" in session.stop.detail
    assert "inputs were not kept" in session.stop.detail
    ran = session.branches[0].executions["draft"][0]
    assert ran.output == JsonText('"(not captured: 30 bytes)"')
    assert ran.tokens is not None
    assert ran.tokens.total == 10
    assert session.totals.tokens.total == 10
    await debugger.give_inputs("me", JsonText("{}"))
    await debugger.run_to_end()
    assert debugger.session.branch.outputs["count"].value["length"] == 19


async def test_a_failed_run_stands_at_the_step_that_failed(base: str, opened: OpenRun) -> None:
    flow = published(base, FAILING, "fails")
    debugger = await opened(await executed(base, flow))
    session = debugger.session
    assert (session.state, session.stop.step_id, session.cursor) == (State.FAILED, "broken", 1)
    assert "the model went away" in session.stop.detail
    broken = session.execution("broken")
    assert broken is not None
    assert broken.status is Status.FAILED
    assert broken.error is not None
    assert broken.error["code"] == "MODEL_GONE"
    block = {"model": JsonText('"scripted/broken"'), "prompt": JsonText('"again"')}
    await debugger.edit_block("broken", block)
    await debugger.retry()
    assert debugger.session.state is State.FAILED
    assert len(debugger.session.attempts("broken")) == 2


async def test_what_ran_inside_a_container_is_there(base: str, opened: OpenRun) -> None:
    debugger = await opened(await executed(base, published(base, LOOP, "inside")))
    each = debugger.session.execution("each")
    assert each is not None
    assert [child.output and child.output.value for child in each.children.values()] == [
        {"loud": "A"},
        {"loud": "B"},
        {"loud": "C"},
    ]
    assert list(each.children) == [(0, "shout"), (1, "shout"), (2, "shout")]


async def test_a_run_of_the_draft_is_held_against_what_is_published(
    base: str, opened: OpenRun
) -> None:
    flow = "acme/demo/three-step"
    run_id = await executed(base, flow, version=0)
    publish(base, THREE_STEP.replace("text + '!'", "text + '?'"), address=flow)
    debugger = await opened(run_id)
    session = debugger.session
    assert (session.pinned, session.state) == (None, State.DONE)
    assert "put together from the trace" in session.stop.detail
    await debugger.fork(1)
    await debugger.step()
    assert debugger.session.state is State.STALE
    assert dict(debugger.session.branch.outputs) == {"first": JsonText('{"text":"hi/kind"}')}


async def test_a_run_that_nobody_knows_is_refused(base: str) -> None:
    with pytest.raises(RunLost):
        await open_run(base, "00000000-0000-0000-0000-000000000000", "s")
    with pytest.raises((RunLost, FlowNotFound)):
        await open_run(base, "x", "s", parse_address("acme/demo/nothing"))


async def test_a_server_that_does_not_tell_the_flow_needs_it() -> None:
    trace = {"flowRun": {"id": "r", "flowId": "f", "status": "completed"}, "steps": []}
    async with FaultServer(gets={"/trace": answer_json(200, trace)}) as server:
        with pytest.raises(UsageError, match="does not tell which flow"):
            await open_run(server.url, "r", "s")
        run = await open_run(server.url, "r", "s", parse_address("a/b/c"))
    assert str(run.address) == "a/b/c"
