"""Tool calls: a step waits for answers, from a person or from a handler."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from flowdbg.core.entries import StopReason
from flowdbg.core.json_text import JsonText
from flowdbg.core.session import State, Status
from flowdbg.core.tool_calls import ToolCall
from flowdbg.errors import UsageError
from tests.faults.scenarios import DONE, PAUSED, RUN, STARTED
from tests.faults.server import FaultServer, sse, stream_of
from tests.faults.test_debugger_faults import open_on

CALLS = [
    {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"at":"Ulm"}'}},
    {"id": "c2", "type": "function", "function": {"name": "clock", "arguments": {"zone": 1}}},
]
STATE = [{"role": "user", "content": "hi"}, {"role": "assistant", "tool_calls": CALLS}]
ASKS = stream_of(
    RUN,
    STARTED,
    sse(
        "step_paused_for_tool_calls",
        {
            "runId": "e1",
            "executionId": "e1",
            "stepId": "one",
            "stepIndex": 0,
            "iterationsUsed": 1,
            "toolCallMessages": STATE,
            "toolCalls": CALLS,
            "accumulatedOutputs": {},
        },
    ),
)
ENDS = stream_of(RUN, STARTED, DONE, PAUSED)


def test_names_and_arguments_are_read_in_every_shape() -> None:
    calls = [ToolCall.of(call) for call in CALLS]
    assert [call.name for call in calls] == ["weather", "clock"]
    assert [call.arguments.value for call in calls] == [{"at": "Ulm"}, {"zone": 1}]
    assert ToolCall.of({"id": "c9"}).name == "c9"


async def test_a_step_waits_until_every_call_is_answered_and_then_goes_on(tmp_path: Path) -> None:
    async with FaultServer(ASKS, ENDS) as fault:
        debugger = await open_on(fault, tmp_path)
        await debugger.step()
        session = debugger.session
        assert (session.state, session.stop.reason) == (State.TOOLS, StopReason.TOOL_CALL)
        assert session.stop.detail == "it asks for weather, clock"
        await debugger.answer("c1", '{"sky":"grey"}')
        with pytest.raises(UsageError, match="wait for answers"):
            await debugger.step()
        with pytest.raises(UsageError, match="No tool call 'c7'"):
            await debugger.answer("c7", "x")
        await debugger.answer("c2", "noon")
        await debugger.step()
        execution = debugger.session.execution("one")
        body = fault.requests[-1].json()
        await debugger.close()
    assert execution is not None
    assert (execution.status, debugger.session.cursor) == (Status.DONE, 1)
    assert fault.posts == 2
    assert body["toolCallMessages"] == [
        *STATE,
        {"role": "tool", "toolCallId": "c1", "content": '{"sky":"grey"}'},
        {"role": "tool", "toolCallId": "c2", "content": "noon"},
    ]
    assert (body["iterationsUsed"], body["stepIndex"]) == (1, 0)


async def test_a_retry_forgets_the_conversation_and_asks_anew(tmp_path: Path) -> None:
    async with FaultServer(ASKS, ENDS) as fault:
        debugger = await open_on(fault, tmp_path)
        await debugger.step()
        await debugger.retry()
        assert "toolCallMessages" not in fault.requests[-1].json()
        assert debugger.session.branch.pending is None
        await debugger.close()


async def test_a_handler_answers_by_itself_and_its_answers_are_kept(tmp_path: Path) -> None:
    async def handler(call: ToolCall) -> JsonText:
        return JsonText.of({"tool": call.name})

    async with FaultServer(ASKS, ENDS) as fault:
        debugger = await open_on(fault, tmp_path)
        debugger.tool_handler = handler
        async with asyncio.timeout(60):
            await debugger.step()
        assert debugger.session.cursor == 1
        contents = [one["content"] for one in fault.requests[-1].json()["toolCallMessages"][2:]]
        await debugger.close()
    assert contents == ['{"tool":"weather"}', '{"tool":"clock"}']


async def test_a_handler_that_never_satisfies_the_flow_is_stopped(tmp_path: Path) -> None:
    async def handler(call: ToolCall) -> JsonText:
        return JsonText('"again"')

    async with FaultServer(*[ASKS] * 4) as fault:
        debugger = await open_on(fault, tmp_path)
        debugger.tool_handler = handler
        debugger.tool_rounds = 3
        await debugger.step()
        assert fault.posts == 4
        assert debugger.session.stop.reason is StopReason.TOOL_CALL
        assert "asked 3 times" in debugger.session.stop.detail
        await debugger.close()
