"""What the debugger makes of faults: kept, said, stored, sent once, and what may come next."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from flowdbg.core.address import FlowAddress
from flowdbg.core.entries import Outcome, SessionOpened, StopReason
from flowdbg.core.json_text import join
from flowdbg.core.plan import Plan
from flowdbg.core.rules import refusal
from flowdbg.core.session import Session, State
from flowdbg.debugger import Debugger
from flowdbg.dialects.target import Target
from flowdbg.dialects.targets import make_target
from flowdbg.errors import NotSaved
from flowdbg.store import SessionStore, session_path
from tests.faults.scenarios import GOOD, PAUSED, SCENARIOS, SILENT, Scenario
from tests.faults.server import HANG, FaultServer, Script, sse, stream_of

_NOT_AGAIN = (Outcome.UNKNOWN, Outcome.STALE)
"""After these a plain step is refused: it could repeat what ran, or run something else."""


async def until(debugger: Debugger, condition: Callable[[Session], object]) -> None:
    """Wait until a session is as wanted."""
    async for change in debugger.subscribe():
        if condition(change.session):
            return


def all_bytes(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.iterdir()]


async def open_on(fault: FaultServer, folder: Path) -> Debugger:
    target = target_at(fault.url)
    return await start(target, fault.url, folder, await target.fetch_plan(None))


def target_at(url: str) -> Target:
    return make_target(
        "noukai",
        url=f"{url}/api/v1",
        address=FlowAddress("o", "p", "f"),
        key=lambda: "nk_canary_secret",
    )


async def start(target: Target, url: str, folder: Path, plan: Plan | None) -> Debugger:
    store = SessionStore.create(folder / "sessions", session_id="s", meta={})
    opened = SessionOpened("s", "noukai", url, "o/p/f", message="hi")
    return await Debugger.start(target, store, opened, plan)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.row)
async def test_a_fault_is_kept_said_stored_and_never_repeated(
    scenario: Scenario, tmp_path: Path
) -> None:
    async with FaultServer(scenario.script, gets={}) as fault:
        debugger = await open_on(fault, tmp_path)
        await debugger.step()
        session = debugger.session
        assert fault.posts == 1
        await debugger.close()
    assert session.turns[-1].outcome is scenario.outcome
    assert session.stop.reason is scenario.reason
    shown = f"{session.state.value.upper()} {session.stop.detail}"
    assert scenario.says in shown
    assert "nk_canary" not in shown
    execution = session.execution("one")
    if scenario.status is None:
        assert execution is None
    else:
        assert execution is not None
        assert (execution.status, execution.text) == (scenario.status, scenario.text)
    assert session.cursor == scenario.cursor
    assert len(session.anomalies) == scenario.anomalies
    assert refusal(session, scenario.next_verb) == ""
    assert bool(refusal(session, "step")) == (scenario.outcome in _NOT_AGAIN)
    store = SessionStore.open(session_path(tmp_path / "sessions", "s"))
    again = await Debugger.resume(debugger.target, store)
    assert again.session == session
    await again.close()
    assert b"nk_canary" not in b"".join(all_bytes(tmp_path / "sessions"))


async def test_after_an_unknown_outcome_only_the_person_sends_again(tmp_path: Path) -> None:
    broken = next(scenario for scenario in SCENARIOS if scenario.row.startswith("2 "))
    assert not callable(broken.script)
    async with FaultServer(broken.script, GOOD) as fault:
        debugger = await open_on(fault, tmp_path)
        await debugger.continue_()
        assert fault.posts == 1
        await debugger.retry()
        assert fault.posts == 2
        assert debugger.session.cursor == 1
        assert len(debugger.session.attempts("one")) == 2
        await debugger.close()


async def test_a_lost_run_goes_on_as_a_new_one_with_the_same_outputs(tmp_path: Path) -> None:
    lost = next(scenario for scenario in SCENARIOS if scenario.row == "50 the run expired")
    assert not callable(lost.script)
    second: Script = stream_of(
        sse("run_started", {"executionId": "e2"}),
        sse("step_completed", {"stepId": "two", "output": 2}),
        sse("flow_completed", {"result": 2}),
    )
    async with FaultServer(GOOD, lost.script, second) as fault:
        debugger = await open_on(fault, tmp_path)
        await debugger.step()
        await debugger.step()
        assert debugger.session.branch.execution_id == ""
        await debugger.step()
        assert debugger.session.state is State.DONE
        bodies = [request.json() for request in fault.requests if request.method == "POST"]
        await debugger.close()
    assert [body.get("executionId") for body in bodies] == [None, "e1", None]
    assert [body.get("message") for body in bodies] == ["hi", None, "hi"]
    assert bodies[2]["accumulatedOutputs"] == {"one": {"text": "whole"}}


async def test_odd_json_goes_back_exactly_as_it_came(tmp_path: Path) -> None:
    odd = next(scenario for scenario in SCENARIOS if scenario.row.startswith("48"))
    assert not callable(odd.script)
    async with FaultServer(odd.script, GOOD) as fault:
        debugger = await open_on(fault, tmp_path)
        await debugger.step()
        await debugger.step()
        body = fault.requests[-1].body
        await debugger.close()
    raw = b'{"n":18446744073709551616,"x":NaN,"s":"\\ud800","d":1,"d":2}'
    assert raw in body
    assert join(debugger.session.turns[-1].body).encode() == body


@pytest.mark.parametrize("row", SILENT)
async def test_a_silent_server_is_cancelled_at_once(tmp_path: Path, row: str) -> None:
    async with FaultServer(SILENT[row]) as fault:
        debugger = await open_on(fault, tmp_path)
        async with asyncio.timeout(60):
            fault.asked.clear()
            running = asyncio.create_task(debugger.step())
            await fault.asked.wait()
            debugger.cancel()
            await running
            await fault.client_gone.wait()
        assert debugger.session.turns[-1].outcome is Outcome.CANCELLED
        assert fault.posts == 1
        await debugger.close()


async def test_a_server_that_is_gone_was_sent_nothing(tmp_path: Path) -> None:
    async with FaultServer(GOOD) as fault:
        debugger = await open_on(fault, tmp_path)
        await debugger.step()
    await debugger.step()
    session = debugger.session
    assert session.turns[-1].outcome is Outcome.NOT_SENT
    assert "refused" in session.stop.detail
    assert refusal(session, "step") == ""
    await debugger.close()


@pytest.mark.parametrize(
    ("row", "says"),
    [("26 a dead proxy", "(from the environment)"), ("29 an unknown authority", "not trusted")],
)
async def test_where_there_is_no_way_nothing_was_sent_and_a_step_may_be_tried_again(
    row: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    with socket.socket() as refusing:
        refusing.bind(("127.0.0.1", 0))
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{refusing.getsockname()[1]}")
        async with FaultServer(GOOD, tls=tls) as fault:
            url = fault.url if row.startswith("29") else "http://flows.example"
            debugger = await start(target_at(url), url, tmp_path, None)
            await debugger.step()
            session = debugger.session
            await debugger.close()
    assert session.turns[-1].outcome is Outcome.NOT_SENT
    assert says in session.stop.detail
    assert fault.posts == 0
    assert (refusal(session, "step"), refusal(session, "retry")) == ("", "")
    store = SessionStore.open(session_path(tmp_path / "sessions", "s"))
    again = await Debugger.resume(debugger.target, store)
    assert again.session == session
    await again.close()


async def test_a_full_disk_keeps_the_step_says_so_and_saves_it_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = SessionStore.append
    full = False

    def failing(store: SessionStore, *given: Any) -> object:
        if full:
            raise NotSaved("The disk is full.", "Free some space.")
        return append(store, *given)

    monkeypatch.setattr(SessionStore, "append", failing)
    gate = asyncio.Event()
    async with FaultServer([*GOOD[:2], gate, *GOOD[2:]], GOOD) as fault:
        debugger = await open_on(fault, tmp_path)
        running = asyncio.create_task(debugger.step())
        await until(debugger, lambda session: session.events)
        full = True
        gate.set()
        await running
        assert debugger.session.branch.outputs["one"].value == {"text": "whole"}
        assert "disk is full" in debugger.unsaved
        with pytest.raises(NotSaved):
            await debugger.step()
        assert fault.posts == 1
        full = False
        await debugger.toggle_breakpoint("one")
        assert debugger.unsaved == ""
        session = debugger.session
        await debugger.close()
    again = await Debugger.resume(
        debugger.target, SessionStore.open(session_path(tmp_path / "sessions", "s"))
    )
    assert again.session.branch == session.branch
    assert again.session.breakpoints == session.breakpoints
    await again.close()


async def test_a_debugger_that_died_in_a_step_reopens_with_the_outcome_unknown(
    tmp_path: Path,
) -> None:
    async with FaultServer([*GOOD[:4], HANG], GOOD) as fault:
        debugger = await open_on(fault, tmp_path)
        running = asyncio.create_task(debugger.step())
        await until(debugger, lambda session: len(session.events) == 3)
        copy = tmp_path / "copy"
        shutil.copytree(tmp_path / "sessions", copy)
        store = SessionStore.open(session_path(copy, "s"))
        again = await Debugger.resume(debugger.target, store)
        assert again.session.state is State.UNKNOWN
        assert again.session.stop.reason is StopReason.UNKNOWN
        found = again.session.execution("one")
        assert found is not None
        assert found.text == "half a wor"
        assert fault.posts == 1
        store.close()
        debugger.cancel()
        await running
        await debugger.close()


async def test_a_slow_disk_presses_back_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = SessionStore.append

    def slow(store: SessionStore, *given: Any) -> object:
        threading.Event().wait(0.01)
        return append(store, *given)

    monkeypatch.setattr(SessionStore, "append", slow)
    tokens = [sse("step_output", {"stepId": "one", "outputData": f"{n} "}) for n in range(5000)]
    done = sse("step_completed", {"stepId": "one", "output": 1})
    started = sse("step_started", {"stepId": "one"})
    async with FaultServer(stream_of(started, *tokens, done, PAUSED)) as fault:
        debugger = await open_on(fault, tmp_path)
        await debugger.step()
        execution = debugger.session.execution("one")
        assert execution is not None
        assert execution.text == "".join(f"{n} " for n in range(5000))
        await debugger.close()
