"""Corners where a verb met a session in a state that is rare: each once did the wrong thing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from flowdbg.core.entries import Outcome, StopReason
from flowdbg.core.json_text import JsonText
from flowdbg.core.plan import Change
from flowdbg.core.session import State
from flowdbg.core.tool_calls import ToolCall
from flowdbg.debugger import Debugger
from flowdbg.errors import NotSaved, TargetError, UsageError
from flowdbg.store import SessionStore
from tests.faults.scenarios import GOOD, PAUSED
from tests.faults.server import CLOSE, HANG, FaultServer, Script, answer_json, head, sse, stream_of
from tests.faults.test_debugger_faults import open_on, until

STARTED = sse("step_started", {"stepId": "one"})
CUT: Script = [head(), STARTED, CLOSE]
ASKS = stream_of(
    STARTED,
    sse("step_paused_for_tool_calls", {
        "stepId": "one", "toolCalls": [{"id": "t1", "name": "look", "arguments": "{}"}],
        "toolCallMessages": [], "iterationsUsed": 1,
    }),
)  # fmt: skip
PLAN = {"steps": [{"stepId": "one"}, {"stepId": "two"}], "hash": "h1", "version": 1}
STALE = answer_json(
    412, {"detail": {"code": "STALE_TREE", "message": "it changed", "steps": ["other"]}}
)


def of_version(number: int, step: str) -> Script:
    return stream_of(
        sse("run_started", {"executionId": "e", "version": number}),
        sse("step_started", {"stepId": step}),
        sse("step_completed", {"stepId": step, "output": 1}),
        PAUSED,
    )


async def test_a_retry_that_could_not_be_saved_is_given_again_for_the_same_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, failing = SessionStore.append, False

    def fails_for_requests(store: SessionStore, records: object, *more: Any) -> object:
        assert isinstance(records, list)
        if failing and any(record.kind == "turn_started" for record in records):
            raise NotSaved("The disk is full.", "Make room.")
        return append(store, records, *more)

    monkeypatch.setattr(SessionStore, "append", fails_for_requests)
    second = stream_of(
        sse("step_started", {"stepId": "two"}),
        sse("step_completed", {"stepId": "two", "output": 2}),
        sse("step_paused", {"nextStepIndex": 2}),
    )
    async with FaultServer(GOOD, second, second, gets={"/plan": answer_json(200, PLAN)}) as fault:
        debugger = await open_on(fault, tmp_path)
        await debugger.step()
        await debugger.step()
        failing = True
        with pytest.raises(NotSaved):
            await debugger.retry()
        assert fault.posts == 2
        failing = False
        await debugger.retry()
        assert [turn.index for turn in debugger.session.turns] == [0, 1, 1]
        await debugger.close()


async def test_pinning_does_not_make_an_unknown_outcome_known(tmp_path: Path) -> None:
    async with FaultServer(CUT, GOOD, gets={"/plan": answer_json(200, PLAN)}) as fault:
        debugger = await open_on(fault, tmp_path)
        await debugger.step()
        assert debugger.session.state is State.UNKNOWN
        await debugger.pin()
        assert debugger.session.pinned == 1
        assert debugger.session.state is State.UNKNOWN
        with pytest.raises(UsageError, match="not known whether the step ran"):
            await debugger.step()
        assert fault.posts == 1
        await debugger.close()


async def test_another_version_is_not_held_against_the_plan_of_the_former_one(
    tmp_path: Path,
) -> None:
    async with FaultServer(of_version(1, "one"), of_version(2, "other"), gets={}) as fault:
        debugger = await open_on(fault, tmp_path)
        await debugger.step()
        assert debugger.session.version == 1
        await debugger.pin(2)
        assert debugger.session.plan.steps == ()
        await debugger.step()
        session = debugger.session
        assert (session.stop.reason, session.cursor, session.version) == (StopReason.STEP, 1, 2)
        assert [step.id for step in session.plan.steps] == ["other"]
        await debugger.close()


async def test_a_version_pinned_while_the_plan_is_stale_does_not_get_the_plan_of_production(
    tmp_path: Path,
) -> None:
    async with FaultServer(of_version(1, "one"), STALE, of_version(3, "third"), gets={}) as fault:
        debugger = await open_on(fault, tmp_path)
        await debugger.step()
        await debugger.step()
        assert debugger.session.state is State.STALE
        await debugger.pin(3)
        await debugger.step()
        assert [step.id for step in debugger.session.plan.steps] == ["third"]
        assert debugger.session.cursor == 1
        await debugger.close()


async def test_cancel_interrupts_a_tool_handler_and_leaves_its_call_to_answer(
    tmp_path: Path,
) -> None:
    asked, interrupted = asyncio.Event(), asyncio.Event()

    async def never(call: ToolCall) -> JsonText:
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            interrupted.set()
        raise AssertionError(call)

    async with FaultServer(ASKS) as fault:
        debugger = await open_on(fault, tmp_path)
        debugger.tool_handler = never
        running = asyncio.create_task(debugger.step())
        await asked.wait()
        debugger.cancel()
        await asyncio.wait_for(running, 60)
        assert interrupted.is_set()
        session = debugger.session
        assert (session.state, fault.posts) == (State.TOOLS, 1)
        assert session.turns[-1].outcome is Outcome.TOOL_CALLS
        assert [call["id"] for call in session.branch.unanswered] == ["t1"]
        await debugger.close()


async def test_closing_interrupts_a_tool_handler(tmp_path: Path) -> None:
    asked = asyncio.Event()

    async def never(call: ToolCall) -> JsonText:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError(call)

    async with FaultServer(ASKS) as fault:
        debugger = await open_on(fault, tmp_path)
        debugger.tool_handler = never
        running = asyncio.create_task(debugger.step())
        await asked.wait()
        await debugger.close()
        assert running.done()
        await running


async def test_cancel_gives_up_a_question_for_the_plan_that_nobody_answers(tmp_path: Path) -> None:
    async with FaultServer(GOOD, gets={"/plan": answer_json(200, PLAN)}) as fault:
        debugger = await open_on(fault, tmp_path)
        before = debugger.session
        fault.answer_gets("/plan", [HANG])
        fault.asked.clear()
        restarting = asyncio.create_task(debugger.restart())
        await fault.asked.wait()
        debugger.cancel()
        with pytest.raises(TargetError, match="The server was not waited for"):
            await asyncio.wait_for(restarting, 60)
        assert debugger.session == before
        await debugger.step()
        assert debugger.session.cursor == 1
        await debugger.close()


async def test_cancel_gives_up_the_question_what_a_stale_plan_is_now(tmp_path: Path) -> None:
    async with FaultServer(STALE, gets={"/plan": answer_json(200, PLAN)}) as fault:
        debugger = await open_on(fault, tmp_path)
        fault.answer_gets("/plan", [HANG])
        running = asyncio.create_task(debugger.step())
        await until(debugger, lambda session: session.running)
        while fault.requests[-1].method != "GET" or len(fault.requests) < 3:
            fault.asked.clear()
            await asyncio.wait_for(fault.asked.wait(), 60)
        debugger.cancel()
        await asyncio.wait_for(running, 60)
        assert debugger.session.state is State.STALE
        assert debugger.session.stale is not None
        assert [step.id for step in debugger.session.stale.new.steps] == ["other"]
        await debugger.close()


async def test_a_failure_told_behind_the_end_of_a_step_is_said(tmp_path: Path) -> None:
    late = stream_of(
        STARTED,
        sse("step_completed", {"stepId": "one", "output": 1}),
        sse("step_error", {"stepId": "one", "error": "the mail was not sent"}),
    )
    async with FaultServer(late, gets={"/plan": answer_json(200, PLAN)}) as fault:
        debugger: Debugger = await open_on(fault, tmp_path)
        await debugger.step()
        stop = debugger.session.stop
        assert stop.reason is StopReason.ERROR
        assert "the mail was not sent" in stop.detail
        await debugger.close()


async def test_a_failure_of_a_step_that_is_not_at_the_cursor_is_said(tmp_path: Path) -> None:
    other = stream_of(sse("step_error", {"stepId": "deep", "error": "no room in there"}))
    async with FaultServer(other, gets={"/plan": answer_json(200, PLAN)}) as fault:
        debugger = await open_on(fault, tmp_path)
        await debugger.step()
        assert "no room in there" in debugger.session.stop.detail
        await debugger.close()


async def test_a_server_that_tells_no_plan_is_not_said_to_have_lost_its_steps(
    tmp_path: Path,
) -> None:
    async with FaultServer(of_version(1, "one"), of_version(2, "other"), gets={}) as fault:
        debugger = await open_on(fault, tmp_path)
        await debugger.step()
        await debugger.step()
        stale = debugger.session.stale
        assert stale is not None
        assert stale.new.version == 2
        assert [change.change for change in stale.changes] == [Change.UNTOLD]
        await debugger.restart()
        assert debugger.session.version == 2
        await debugger.close()
