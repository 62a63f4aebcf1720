"""The verbs, against a real server: what each does to the session and what it sends."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from flowdbg.core.address import parse_address
from flowdbg.core.entries import Outcome, StopReason
from flowdbg.core.json_text import JsonText, join
from flowdbg.core.session import Session, State, Status
from flowdbg.debugger import Debugger
from flowdbg.dialects.targets import make_target
from flowdbg.errors import BusyError, UsageError
from flowdbg.store import SessionStore, session_path
from tests.debugger.conftest import OpenDebugger
from tests.debugger.flows import ADDRESS, FLOW, publish
from tests.faults.scenarios import PAUSED
from tests.faults.server import FaultServer, answer_json, sse, stream_of
from tests.faults.test_debugger_faults import open_on
from tests.serving import Running

SUMMARY = JsonText('{"text":"A summary in five words."}')


def sent(session: Session) -> list[dict[str, Any]]:
    """The bodies of all requests of a session."""
    return [json.loads(join(turn.body)) for turn in session.turns]


async def until(debugger: Debugger, wanted: str) -> None:
    """Wait until a step has streamed something."""
    async for change in debugger.subscribe():
        execution = change.session.execution(wanted)
        if execution and (execution.chunks or execution.input):
            return


async def test_stepping_runs_one_step_at_a_time_and_keeps_everything(
    open_debugger: OpenDebugger,
) -> None:
    debugger = await open_debugger()
    assert [step.id for step in debugger.session.plan.steps] == ["take", "summarise", "count"]
    assert debugger.session.version == 1
    await debugger.step()
    session = debugger.session
    assert (session.state, session.cursor, session.stop.reason) == (
        State.PAUSED,
        1,
        StopReason.STEP,
    )
    await debugger.step()
    execution = debugger.session.execution("summarise")
    assert execution is not None
    assert execution.text == "A summary in five words."
    assert debugger.session.branch.outputs["summarise"] == SUMMARY
    await debugger.step()
    assert debugger.session.state is State.DONE
    assert debugger.session.stop.reason is StopReason.END
    assert len(debugger.session.anomalies) == 0


async def test_inputs_go_out_only_until_the_run_has_an_id_and_outputs_on_every_call(
    open_debugger: OpenDebugger,
) -> None:
    debugger = await open_debugger()
    await debugger.continue_()
    first, second, third = sent(debugger.session)
    run = debugger.session.branch.execution_id
    assert (first["message"], first["parameters"], first["accumulatedOutputs"]) == (
        "hello",
        {},
        {},
    )
    assert "executionId" not in first
    for body in (second, third):
        assert body["executionId"] == run
        assert "message" not in body
        assert "parameters" not in body
    assert second["accumulatedOutputs"] == {"take": {"message": "hello"}}
    assert list(third["accumulatedOutputs"]) == ["take", "summarise"]


async def test_continue_stops_at_a_breakpoint_and_then_at_the_end(
    open_debugger: OpenDebugger,
) -> None:
    debugger = await open_debugger()
    await debugger.toggle_breakpoint("count")
    await debugger.continue_()
    stop = debugger.session.stop
    assert (stop.reason, stop.step_id, debugger.session.cursor) == (
        StopReason.BREAKPOINT,
        "count",
        2,
    )
    await debugger.continue_()
    assert debugger.session.state is State.DONE


async def test_run_to_stops_before_the_step(open_debugger: OpenDebugger) -> None:
    debugger = await open_debugger()
    await debugger.run_to("count")
    assert (debugger.session.cursor, debugger.session.stop.step_id) == (2, "count")
    with pytest.raises(UsageError, match="does not lie ahead"):
        await debugger.run_to("take")
    with pytest.raises(UsageError, match="no step 'nowhere'"):
        await debugger.run_to("nowhere")


async def test_run_to_end_is_one_call(open_debugger: OpenDebugger) -> None:
    debugger = await open_debugger()
    await debugger.run_to_end()
    assert debugger.session.state is State.DONE
    [body] = sent(debugger.session)
    assert body["runRemaining"] is True
    assert list(debugger.session.branch.outputs) == ["take", "summarise", "count"]


async def test_an_edited_output_is_read_by_later_steps_and_the_original_stays(
    open_debugger: OpenDebugger,
) -> None:
    debugger = await open_debugger()
    await debugger.step()
    await debugger.edit_output("take", JsonText('{"message":"do it again"}'))
    await debugger.step()
    session = debugger.session
    assert session.branch.outputs["take"] == JsonText('{"message":"hello"}')
    assert session.output_edits["take"] == JsonText('{"message":"do it again"}')
    body = sent(session)[1]
    assert body["accumulatedOutputs"] == {"take": {"message": "hello"}}
    assert body["inputOverrides"] == {"take": {"message": "do it again"}}
    assert session.branch.outputs["summarise"].value == {
        "text": "The second version of the summary."
    }
    await debugger.clear_output_edit("take")
    await debugger.retry()
    assert debugger.session.branch.outputs["summarise"] == SUMMARY
    assert sent(debugger.session)[2]["inputOverrides"] == {}


async def test_run_to_end_lets_an_edit_of_a_step_that_has_yet_to_run_count(
    open_debugger: OpenDebugger,
) -> None:
    debugger = await open_debugger()
    await debugger.edit_output("take", JsonText('{"message":"again"}'))
    await debugger.run_to_end()
    assert debugger.session.branch.outputs["summarise"].value == {
        "text": "The second version of the summary."
    }
    assert [body["runRemaining"] for body in sent(debugger.session)] == [False, True]


async def test_editing_back_to_the_original_takes_the_edit_back(
    open_debugger: OpenDebugger,
) -> None:
    debugger = await open_debugger()
    await debugger.step()
    original = debugger.session.branch.outputs["take"]
    await debugger.edit_output("take", JsonText("1"))
    await debugger.edit_output("take", original)
    assert debugger.session.output_edits == {}
    with pytest.raises(UsageError, match="not JSON"):
        await debugger.edit_output("take", JsonText("{"))


async def test_a_changed_prompt_is_sent_field_by_field_until_it_is_taken_back(
    open_debugger: OpenDebugger,
) -> None:
    debugger = await open_debugger()
    step = debugger.session.plan.steps[1]
    same = JsonText.of(step.config["model"])
    await debugger.edit_block("summarise", {"prompt": JsonText('"again"'), "model": same})
    await debugger.continue_()
    session = debugger.session
    assert session.branch.outputs["summarise"].value == {
        "text": "The second version of the summary."
    }
    edit = {"summarise": {"prompt": "again"}}
    assert [body["blockOverrides"] for body in sent(session)] == [edit] * 3
    await debugger.clear_block_edit("summarise")
    await debugger.restart()
    await debugger.continue_()
    assert "blockOverrides" not in sent(debugger.session)[3]


async def test_a_failing_step_stops_with_its_error_and_can_be_put_right_and_retried(
    open_debugger: OpenDebugger,
) -> None:
    debugger = await open_debugger(message="this fails")
    await debugger.continue_()
    session = debugger.session
    assert (session.state, session.stop.reason, session.cursor) == (
        State.FAILED,
        StopReason.ERROR,
        1,
    )
    assert "out of order" in session.stop.detail
    await debugger.edit_output("take", JsonText('{"message":"fine"}'))
    await debugger.retry()
    attempts = debugger.session.attempts("summarise")
    assert [attempt.status for attempt in attempts] == [Status.FAILED, Status.DONE]
    assert debugger.session.cursor == 2


async def test_retry_of_a_good_step_is_a_new_branch_and_nothing_is_overwritten(
    open_debugger: OpenDebugger,
) -> None:
    debugger = await open_debugger()
    await debugger.run_to("count")
    before = debugger.session.branch
    await debugger.retry()
    session = debugger.session
    assert session.branches[0] == before
    assert session.current == 1
    assert session.cursor == 2
    assert sent(session)[2]["stepIndex"] == 1
    assert sent(session)[2]["accumulatedOutputs"] == {"take": {"message": "hello"}}


async def test_restart_begins_a_fresh_run_and_sends_the_inputs_again(
    open_debugger: OpenDebugger,
) -> None:
    debugger = await open_debugger()
    await debugger.continue_()
    old = debugger.session.branch.execution_id
    await debugger.restart()
    assert (debugger.session.cursor, debugger.session.state) == (0, State.PAUSED)
    await debugger.step()
    body = sent(debugger.session)[-1]
    assert body["message"] == "hello"
    assert "executionId" not in body
    assert debugger.session.branch.execution_id != old


async def test_a_fork_goes_on_from_an_earlier_step(open_debugger: OpenDebugger) -> None:
    debugger = await open_debugger()
    await debugger.continue_()
    await debugger.fork(1)
    assert (debugger.session.cursor, debugger.session.state) == (1, State.PAUSED)
    await debugger.step()
    assert debugger.session.cursor == 2
    with pytest.raises(UsageError, match="not reached"):
        await debugger.fork(3)


async def test_a_fork_can_leave_an_earlier_branch(open_debugger: OpenDebugger) -> None:
    debugger = await open_debugger()
    await debugger.step()
    await debugger.step()
    first = debugger.session.branch
    await debugger.edit_output("take", JsonText('{"message":"again"}'))
    await debugger.fork(1)
    await debugger.step()
    assert debugger.session.branch.outputs["summarise"] != SUMMARY
    await debugger.fork(2, parent=0)
    branch = debugger.session.branch
    assert (branch.number, branch.parent, branch.cursor) == (2, 0, 2)
    assert branch.outputs == first.outputs
    assert branch.execution_id == first.execution_id
    await debugger.step()
    assert debugger.session.state is State.DONE
    with pytest.raises(UsageError, match="no branch #9"):
        await debugger.fork(0, parent=9)
    with pytest.raises(UsageError, match="not reached on branch #0"):
        await debugger.fork(3, parent=0)


async def test_a_branch_of_another_plan_is_not_forked_from(
    open_debugger: OpenDebugger, server: Running
) -> None:
    debugger = await open_debugger()
    await debugger.step()
    publish(server.base, FLOW.replace("Summarise", "Sum up"))
    await debugger.restart()
    with pytest.raises(UsageError, match="#0 ran on version 1, and its outputs belong to that"):
        await debugger.fork(1, parent=0)
    assert len(debugger.session.branches) == 2


async def test_a_second_running_verb_is_refused_and_sends_nothing(
    open_debugger: OpenDebugger,
) -> None:
    debugger = await open_debugger(message="slowly")
    await debugger.step()
    running = asyncio.create_task(debugger.step())
    await until(debugger, "summarise")
    for verb in (debugger.step, debugger.continue_, debugger.run_to_end, debugger.retry):
        with pytest.raises(BusyError):
            await verb()
    with pytest.raises(BusyError):
        await debugger.restart()
    debugger.cancel()
    await running
    assert len(debugger.session.turns) == 2


@pytest.mark.parametrize("second", ["step", "continue_", "run_to_end", "restart", "pin"])
async def test_two_verbs_in_one_breath_are_one_verb(
    open_debugger: OpenDebugger, second: str
) -> None:
    debugger = await open_debugger()
    answers = await asyncio.gather(
        debugger.step(), getattr(debugger, second)(), return_exceptions=True
    )
    assert answers[0] is None
    assert isinstance(answers[1], BusyError)
    assert len(debugger.session.turns) == 1
    assert debugger.session.cursor == 1
    assert len(debugger.session.anomalies) == 0


async def test_closing_while_a_step_runs_ends_the_step_first(open_debugger: OpenDebugger) -> None:
    debugger = await open_debugger(message="slowly")
    await debugger.step()
    running = asyncio.create_task(debugger.step())
    await until(debugger, "summarise")
    await debugger.close()
    await running
    assert debugger.session.turns[-1].outcome is Outcome.CANCELLED
    assert not debugger.session.verb


async def test_cancel_closes_the_stream_and_keeps_what_came(open_debugger: OpenDebugger) -> None:
    debugger = await open_debugger(message="slowly")
    await debugger.step()
    running = asyncio.create_task(debugger.step())
    await until(debugger, "summarise")
    debugger.cancel()
    await running
    session = debugger.session
    execution = session.execution("summarise")
    assert execution is not None
    assert (execution.status, session.cursor) == (Status.CANCELLED, 1)
    assert session.stop.reason is StopReason.USER
    assert session.turns[-1].outcome is Outcome.CANCELLED


async def test_cancel_works_while_the_server_is_silent(open_debugger: OpenDebugger) -> None:
    debugger = await open_debugger(message="silently")
    await debugger.step()
    running = asyncio.create_task(debugger.step())
    await until(debugger, "summarise")
    debugger.cancel()
    await asyncio.wait_for(running, 5)
    assert debugger.session.turns[-1].outcome is Outcome.CANCELLED


async def test_at_the_end_a_forward_verb_is_refused(open_debugger: OpenDebugger) -> None:
    debugger = await open_debugger()
    await debugger.continue_()
    for verb in (debugger.step, debugger.continue_, debugger.run_to_end):
        with pytest.raises(UsageError, match="at its end"):
            await verb()


async def test_a_lost_run_loses_nothing(open_debugger: OpenDebugger, server: Running) -> None:
    debugger = await open_debugger()
    await debugger.step()
    session = debugger.session
    lost = session.branch.replace(execution_id="00000000-0000-4000-8000-000000000000")
    debugger._journal.session = session.replace(branches=(lost,))
    await debugger.step()
    if debugger.session.stop.reason is StopReason.SERVER:
        assert debugger.session.branch.execution_id == ""
        await debugger.step()
    assert debugger.session.cursor == 2
    assert debugger.session.branch.outputs["summarise"] == SUMMARY


async def test_missing_input_asks_for_it(open_debugger: OpenDebugger) -> None:
    debugger = await open_debugger(message=None)
    await debugger.step()
    assert debugger.session.stop.reason is StopReason.INPUT_NEEDED
    await debugger.give_inputs("hello", JsonText("{}"))
    await debugger.continue_()
    assert debugger.session.state is State.DONE


async def test_a_session_reopens_where_it_stood(
    open_debugger: OpenDebugger, server: Running, tmp_path: Path
) -> None:
    debugger = await open_debugger()
    await debugger.step()
    await debugger.edit_output("take", JsonText('{"message":"again"}'))
    await debugger.toggle_breakpoint("count")
    before = debugger.session
    await debugger.close()
    store = SessionStore.open(session_path(tmp_path / "sessions", "one"))
    target = make_target("noukai", url=server.base, address=parse_address(ADDRESS), key=str)
    again = await Debugger.resume(target, store)
    assert again.session == before
    await again.continue_()
    assert again.session.stop.reason is StopReason.BREAKPOINT
    assert again.session.branch.outputs["summarise"].value == {
        "text": "The second version of the summary."
    }
    await again.close()


async def test_another_version_of_the_flow_runs_when_it_is_pinned(
    open_debugger: OpenDebugger, server: Running
) -> None:
    publish(server.base, FLOW.replace("Summarise", "Say again"))
    first = await open_debugger(pinned=1, session_id="first")
    second = await open_debugger(pinned=2, session_id="second")
    await first.continue_()
    await second.continue_()
    assert first.session.branch.outputs["summarise"] == SUMMARY
    assert second.session.branch.outputs["summarise"] != SUMMARY


OF_THREE = sse("run_started", {"executionId": "e1", "stepCount": 3})


async def test_a_retry_after_an_unknown_end_runs_what_may_not_have_run(tmp_path: Path) -> None:
    two_done = [
        OF_THREE,
        sse("step_started", {"stepId": "a"}),
        sse("step_completed", {"stepId": "a", "output": 1}),
        sse("step_started", {"stepId": "b"}),
        sse("step_completed", {"stepId": "b", "output": 2}),
    ]
    async with FaultServer(stream_of(*two_done), stream_of(OF_THREE)) as fault:
        debugger = await open_on(fault, tmp_path)
        await debugger.run_to_end()
        assert debugger.session.state is State.UNKNOWN
        await debugger.retry()
        assert fault.requests[-1].json()["stepIndex"] == 2
        await debugger.close()


async def test_run_to_end_never_posts_the_same_step_again_by_itself(tmp_path: Path) -> None:
    stuck = stream_of(OF_THREE, PAUSED.replace(b'"nextStepIndex": 1', b'"nextStepIndex": 0'))
    plan = {"steps": [{"stepId": "a"}, {"stepId": "b"}, {"stepId": "c"}], "hash": "h"}
    async with FaultServer(*[stuck] * 3, gets={"/plan": answer_json(200, plan)}) as fault:
        debugger = await open_on(fault, tmp_path)
        await debugger.edit_output("b", JsonText("1"))
        await debugger.run_to_end()
        assert fault.posts == 1
        assert debugger.session.stop.reason is StopReason.SERVER
        await debugger.close()
