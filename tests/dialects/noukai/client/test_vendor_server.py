"""A server that speaks the dialect as the page allows, and in no way as ours does.

Where the page knows only a likely form, or tells of two, the debugger lives with each of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from flowdbg.core.address import FlowAddress
from flowdbg.core.entries import Outcome, SessionOpened, StopReason
from flowdbg.core.json_text import JsonText
from flowdbg.core.session import State
from flowdbg.debugger import Debugger
from flowdbg.dialects.noukai.client.remote import NoukaiRemote
from flowdbg.dialects.noukai.target import NoukaiTarget
from flowdbg.dialects.whole_runs import Finished, Paused, RunRequest
from flowdbg.errors import AuthenticationFailed, FlowNotFound, Refused, ServerFailed, TargetError
from flowdbg.store import SessionStore
from tests.faults.server import FaultServer, Script, answer, answer_json, sse, stream_of

Fields = dict[str, Any]
Write = Callable[[str, Fields], bytes]
ADDRESS = FlowAddress("o", "p", "f")


def with_event_line(name: str, fields: Fields) -> bytes:
    return sse(name, fields)


def with_event_type(name: str, fields: Fields) -> bytes:
    return sse("", {"eventType": name, **fields})


def with_type(name: str, fields: Fields) -> bytes:
    return sse("", {"type": name, **fields})


def with_both(name: str, fields: Fields) -> bytes:
    return sse(name, {"eventType": name, **fields})


def in_snake_case(name: str, fields: Fields) -> bytes:
    return sse("", snake_case({"eventType": name, **fields}))


def with_windows_lines(name: str, fields: Fields) -> bytes:
    return with_both(name, fields).replace(b"\n", b"\r\n")


def snake_case(value: Any) -> Any:
    """A value with the names of all its members in the other spelling."""
    if isinstance(value, list):
        return [snake_case(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", name): snake_case(item)
        for name, item in value.items()
    }


def camel_case(value: Any) -> Any:
    return value


SPELLINGS: tuple[Callable[[Any], Any], ...] = (camel_case, snake_case)
FORMS: tuple[Write, ...] = (
    with_event_line,
    with_event_type,
    with_type,
    with_both,
    in_snake_case,
    with_windows_lines,
)
ENDINGS = (("run_completed",), ("flow_completed",), ("run_completed", "flow_completed"))


@asynccontextmanager
async def debugging(fault: FaultServer, folder: Path) -> AsyncIterator[Debugger]:
    target = NoukaiTarget(fault.url, ADDRESS, lambda: "nk_live_key")
    store = SessionStore.create(folder / "sessions", session_id="s", meta={})
    opened = SessionOpened("s", "noukai", fault.url, "o/p/f", message="hi")
    debugger = await Debugger.start(target, store, opened, await target.fetch_plan(None))
    yield debugger
    await debugger.close()


def least(write: Write, step_id: str, *after: str) -> Script:
    """A step with no field that a client can do without."""
    return stream_of(
        write("run_started", {"executionId": "run-1"}),
        write("step_started", {"stepId": step_id}),
        write("step_completed", {"stepId": step_id, "output": {"by": step_id}}),
        *(write(name, {}) for name in after),
    )


@pytest.mark.parametrize("ending", ENDINGS, ids="+".join)
@pytest.mark.parametrize("write", FORMS, ids=lambda write: write.__name__)
async def test_every_form_of_an_event_is_understood(
    write: Write, ending: tuple[str, ...], tmp_path: Path
) -> None:
    scripts = (least(write, "one", "step_paused"), least(write, "two", *ending))
    async with FaultServer(*scripts) as fault, debugging(fault, tmp_path) as debugger:
        await debugger.step()
        assert (debugger.session.cursor, debugger.session.branch.execution_id) == (1, "run-1")
        await debugger.step()
        session = debugger.session
        posted = [request.json() for request in fault.requests if request.method == "POST"]
    assert (session.state, session.stop.reason) == (State.DONE, StopReason.END)
    assert {name: output.value for name, output in session.branch.outputs.items()} == {
        "one": {"by": "one"},
        "two": {"by": "two"},
    }
    assert not session.anomalies
    assert posted[1]["executionId"] == "run-1"
    assert posted[1]["accumulatedOutputs"] == {"one": {"by": "one"}}


async def test_events_and_fields_that_nobody_knows_are_kept_and_disturb_nothing(
    tmp_path: Path,
) -> None:
    script = stream_of(
        sse("billing_reserved", {"eventType": "billing_reserved", "credits": 4}),
        sse("run_started", {"executionId": "r", "stepCount": 2, "region": "eu", "version": "v7"}),
        sse(
            "step_started",
            {"stepId": "one", "stepIndex": 0, "loopIndex": None, "path": ["root", 0]},
        ),
        sse("step_output", {"stepId": "one", "outputData": {"partial": True}}),
        sse(
            "step_completed", {"stepId": "one", "output": "text", "path": ["root"], "costUsd": 0.25}
        ),
        sse("step_progress", {"done": 1}),
        sse("step_paused", {"executionId": "r", "stepIndex": 0, "nextStepIndex": 1}),
    )
    async with FaultServer(script) as fault, debugging(fault, tmp_path) as debugger:
        await debugger.step()
        session = debugger.session
    assert (session.state, session.cursor) == (State.PAUSED, 1)
    assert session.branch.outputs["one"].text == '"text"'
    assert str(session.totals.cost) == "0.25"
    assert [anomaly.what for anomaly in session.anomalies] == ["unknown event 'billing_reserved'"]


async def test_a_server_that_pauses_after_the_last_step_is_at_its_end(tmp_path: Path) -> None:
    refusal = {"detail": {"code": "INVALID_STEP_INDEX", "message": "There is no step 1."}}
    scripts = (least(with_event_type, "one", "step_paused"), answer_json(400, refusal))
    async with FaultServer(*scripts) as fault, debugging(fault, tmp_path) as debugger:
        await debugger.step()
        await debugger.step()
        assert debugger.session.stop.reason is StopReason.END
        assert list(debugger.session.branch.outputs) == ["one"]


NO_PLAN_ROUTE: dict[str, Script] = {
    "plain": answer_json(404, {"detail": "Not Found"}),
    "a code of its own": answer_json(404, {"detail": {"code": "NOT_FOUND", "message": "no"}}),
    "another method": answer_json(405, {"detail": "Method Not Allowed"}),
    "another parameter": answer_json(422, {"detail": [{"loc": ["path"], "msg": "bad"}]}),
    "bad request": answer_json(400, {"detail": "unknown operation"}),
    "not implemented": answer_json(501, {"error": "not implemented"}),
    "a page": answer(404, "text/html", b"<h1>404</h1>"),
}


@pytest.mark.parametrize("name", NO_PLAN_ROUTE)
async def test_a_server_without_a_plan_route_is_lived_with(name: str) -> None:
    async with FaultServer(gets={"/plan": NO_PLAN_ROUTE[name]}) as fault:
        target = NoukaiTarget(fault.url, ADDRESS, str)
        remote = NoukaiRemote(fault.url, str, ADDRESS)
        assert await target.fetch_plan(3) is None
        assert await remote.plan(None) is None
        await target.aclose()
        await remote.aclose()


@pytest.mark.parametrize(
    ("status", "detail", "error"),
    [
        (404, {"code": "FLOW_NOT_FOUND", "message": "no"}, FlowNotFound),
        (401, "Not authenticated", AuthenticationFailed),
        (403, {"code": "FORBIDDEN", "message": "no"}, AuthenticationFailed),
        (422, {"code": "INVALID_TREE", "message": "broken"}, Refused),
        (500, "oops", ServerFailed),
    ],
)
async def test_a_plan_that_is_refused_for_a_reason_is_an_error(
    status: int, detail: Any, error: type[TargetError]
) -> None:
    async with FaultServer(gets={"/plan": answer_json(status, {"detail": detail})}) as fault:
        for client in (
            NoukaiTarget(fault.url, ADDRESS, str),
            NoukaiRemote(fault.url, str, ADDRESS),
        ):
            ask = client.fetch_plan if isinstance(client, NoukaiTarget) else client.plan
            with pytest.raises(error):
                await ask(None)
            await client.aclose()


CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"a":1}'}}
CALL_OF_OBJECT = {**CALL, "function": {"name": "look", "arguments": {"a": 1}}}
PAUSE = {
    "executionId": "run-1",
    "stepId": "one",
    "stepIndex": 0,
    "iterationsUsed": 1,
    "toolCalls": [CALL],
    "toolCallMessages": [{"role": "assistant", "toolCalls": [CALL]}],
}
PAUSES: dict[str, Fields] = {
    "as the page says": PAUSE,
    "snake case": snake_case(PAUSE),
    "arguments as an object": {**PAUSE, "toolCalls": [CALL_OF_OBJECT]},
    "calls in the conversation only": {
        name: value for name, value in PAUSE.items() if name != "toolCalls"
    },
    "calls in the conversation, snake case": {
        **PAUSE,
        "toolCalls": None,
        "toolCallMessages": [{"role": "assistant", "tool_calls": [CALL]}],
    },
}


@pytest.mark.parametrize("kind", ["step_paused_for_tool_calls", "tool_calls_required"])
@pytest.mark.parametrize("name", PAUSES)
async def test_a_pause_for_tools_is_answered_in_every_form(
    name: str, kind: str, tmp_path: Path
) -> None:
    scripts = (
        stream_of(sse("run_started", {"executionId": "run-1"}), sse(kind, PAUSES[name])),
        least(with_event_line, "one", "flow_completed"),
    )
    async with FaultServer(*scripts) as fault, debugging(fault, tmp_path) as debugger:
        await debugger.step()
        (call,) = debugger.session.branch.unanswered
        assert debugger.session.turns[-1].outcome is Outcome.TOOL_CALLS
        await debugger.answer(str(call["id"]), "sunny")
        await debugger.step()
        assert debugger.session.state is State.DONE
        posted = fault.requests[-1].json()
    assert posted["iterationsUsed"] == 1
    assert posted["toolCallMessages"][0]["role"] == "assistant"
    assert posted["toolCallMessages"][-1] == {
        "role": "tool",
        "toolCallId": "c1",
        "content": "sunny",
    }


async def asked(fault: FaultServer, request: RunRequest) -> Finished | Paused:
    remote = NoukaiRemote(fault.url, str, ADDRESS)
    try:
        return await remote.execute(None, request)
    finally:
        await remote.aclose()


async def test_whole_runs_are_answered_in_either_spelling() -> None:
    done = {"status": "completed", "result": {"a": 1}, "executionId": "e", "blockCount": 2}
    paused = {**PAUSE, "status": "tool_calls_required", "pausedAtStep": "one", "flowId": "f"}
    for spelled in SPELLINGS:
        scripts = [answer_json(200, spelled(value)) for value in (done, paused)]
        async with FaultServer(*scripts) as fault:
            finished = await asked(fault, RunRequest(message="m"))
            waiting = await asked(fault, RunRequest(message="m"))
        assert isinstance(finished, Finished)
        assert (finished.execution_id, finished.block_count) == ("e", 2)
        assert isinstance(waiting, Paused)
        assert (waiting.execution_id, waiting.step_id) == ("run-1", "one")
        assert [call.name for call in waiting.calls] == ["look"]
        assert waiting.outputs.text == "{}"


async def test_traces_are_read_in_either_spelling() -> None:
    trace = {
        "flowRun": {"id": "r", "flowId": "f", "status": "completed", "stepCount": 1},
        "steps": [{"stepId": "one", "status": "completed", "outputContext": {"a": 1}}],
    }
    for spelled in SPELLINGS:
        async with FaultServer(gets={"/trace": answer_json(200, spelled(trace))}) as fault:
            remote = NoukaiRemote(fault.url, str, ADDRESS)
            read = await remote.trace("r")
            await remote.aclose()
        assert (read.run.flow_id, read.run.step_count) == ("f", 1)
        assert [(step.step_id, step.output) for step in read.steps] == [
            ("one", JsonText(json.dumps({"a": 1})))
        ]


@pytest.mark.parametrize(
    "steps", [["a", "b"], [{"stepId": "a"}, {"id": "b"}], [{"step_id": "a"}, "b"]]
)
def test_the_plan_in_a_refusal_is_read_in_every_shape(steps: list[Any]) -> None:
    target = NoukaiTarget("http://127.0.0.1:1", ADDRESS, str)
    assert [step.id for step in target.plan_of({"steps": steps}).steps] == ["a", "b"]
