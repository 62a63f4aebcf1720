"""Verbs given in one breath: each counts, in order, and only one that runs steps at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine

import pytest

from flowdbg.core.entries import StopReason
from flowdbg.core.json_text import JsonText, join
from flowdbg.core.session import State
from flowdbg.debugger import Debugger
from flowdbg.errors import BusyError, TargetError, UsageError
from tests.debugger.conftest import OpenDebugger

Short = Callable[[Debugger], Coroutine[None, None, None]]
SHORT: dict[str, Short] = {
    "fork": lambda debugger: debugger.fork(1),
    "restart": lambda debugger: debugger.restart(),
    "pin the version that runs": lambda debugger: debugger.pin(),
}


@pytest.mark.parametrize("short", SHORT)
@pytest.mark.parametrize("running", ["step", "continue_", "run_to_end"])
async def test_a_verb_given_right_after_a_short_one_waits_for_it(
    open_debugger: OpenDebugger, short: str, running: str
) -> None:
    debugger = await open_debugger()
    await debugger.step()
    await debugger.step()
    await asyncio.gather(SHORT[short](debugger), getattr(debugger, running)())
    assert len(debugger.session.anomalies) == 0
    assert len(debugger.session.turns) >= 3
    assert debugger.session.current == (0 if short.startswith("pin") else 1)


async def test_at_the_end_a_fork_and_run_to_end_in_one_breath_run_the_rest_again(
    open_debugger: OpenDebugger,
) -> None:
    debugger = await open_debugger()
    await debugger.continue_()
    await asyncio.gather(debugger.fork(1), debugger.run_to_end())
    assert debugger.session.state is State.DONE
    assert debugger.session.current == 1
    assert [turn.index for turn in debugger.session.turns] == [0, 1, 2, 1]


async def test_run_to_looks_for_its_step_after_the_fork_before_it(
    open_debugger: OpenDebugger,
) -> None:
    debugger = await open_debugger()
    await debugger.continue_()
    await asyncio.gather(debugger.fork(0), debugger.run_to("count"))
    assert (debugger.session.cursor, debugger.session.current) == (2, 1)


async def test_several_short_verbs_in_one_breath_are_done_in_order(
    open_debugger: OpenDebugger,
) -> None:
    debugger = await open_debugger()
    await debugger.continue_()
    await asyncio.gather(debugger.fork(2), debugger.fork(1), debugger.restart(), debugger.step())
    assert [branch.forked_at for branch in debugger.session.branches] == [0, 2, 1, 0]
    assert (debugger.session.current, debugger.session.cursor) == (3, 1)


async def test_after_a_short_verb_only_one_that_runs_steps_is_taken(
    open_debugger: OpenDebugger,
) -> None:
    debugger = await open_debugger()
    await debugger.step()
    answers = await asyncio.gather(
        debugger.fork(0), debugger.step(), debugger.step(), debugger.fork(0), return_exceptions=True
    )
    assert answers[0] is None
    assert answers[1] is None
    assert [str(answer) for answer in answers[2:]] == ["'step' is running. Cancel it first."] * 2
    assert all(isinstance(answer, BusyError) for answer in answers[2:])
    assert len(debugger.session.turns) == 2


async def test_a_short_verb_that_is_refused_does_not_hold_up_the_next(
    open_debugger: OpenDebugger,
) -> None:
    debugger = await open_debugger()
    answers = await asyncio.gather(debugger.fork(3), debugger.step(), return_exceptions=True)
    assert isinstance(answers[0], UsageError)
    assert debugger.session.cursor == 1


async def test_cancel_reaches_a_verb_that_still_waits_its_turn(open_debugger: OpenDebugger) -> None:
    debugger = await open_debugger()
    restarting = asyncio.create_task(debugger.restart())
    stepping = asyncio.create_task(debugger.step())
    await asyncio.sleep(0)  # both have asked for the place; neither has done anything
    debugger.cancel()
    await stepping
    with pytest.raises(TargetError, match="was not waited for"):
        await restarting
    assert len(debugger.session.turns) == 0
    stop = debugger.session.stop
    assert (stop.reason, stop.detail) == (StopReason.USER, "cancelled before anything was sent")
    await debugger.step()
    assert debugger.session.cursor == 1


async def test_closing_drops_what_still_waits_its_turn(open_debugger: OpenDebugger) -> None:
    debugger = await open_debugger()
    restarting = asyncio.create_task(debugger.restart())
    stepping = asyncio.create_task(debugger.step())
    await asyncio.sleep(0)
    await debugger.close()
    await stepping
    with pytest.raises(TargetError, match="was not waited for"):
        await restarting
    assert len(debugger.session.turns) == 0


async def test_edits_of_one_breath_are_all_kept_and_go_out_with_the_step_behind_them(
    open_debugger: OpenDebugger,
) -> None:
    debugger = await open_debugger()
    await debugger.step()
    await asyncio.gather(
        debugger.edit_block("summarise", {"prompt": JsonText('"again"')}),
        debugger.edit_block("summarise", {"model": JsonText('"scripted/other"')}),
        debugger.edit_block("summarise", {"model": JsonText('"scripted/talk"')}),
        debugger.step(),
    )
    body = json.loads(join(debugger.session.turns[-1].body))
    assert body["blockOverrides"] == {"summarise": {"prompt": "again"}}


async def test_an_edit_and_its_undoing_in_one_breath_leave_nothing(
    open_debugger: OpenDebugger,
) -> None:
    debugger = await open_debugger()
    await debugger.step()
    original = debugger.session.branch.outputs["take"]
    await asyncio.gather(
        debugger.edit_output("take", JsonText("1")), debugger.edit_output("take", original)
    )
    assert debugger.session.output_edits == {}
    await asyncio.gather(
        debugger.edit_output("take", JsonText("1")), debugger.clear_output_edit("take")
    )
    assert debugger.session.output_edits == {}
    await asyncio.gather(
        debugger.edit_block("count", {"code": JsonText('"return 1"')}),
        debugger.clear_block_edit("count"),
    )
    assert not debugger.session.block_edits.get("count")


async def test_a_breakpoint_toggled_twice_in_one_breath_is_where_it_was(
    open_debugger: OpenDebugger,
) -> None:
    debugger = await open_debugger()
    await asyncio.gather(debugger.toggle_breakpoint("count"), debugger.toggle_breakpoint("count"))
    assert "count" not in debugger.session.breakpoints
