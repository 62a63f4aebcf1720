"""Going past a step that cannot or must not run: a person's output stands in for it."""

from __future__ import annotations

import asyncio

import pytest

from flowdbg.core.entries import StopReason
from flowdbg.core.json_text import JsonText
from flowdbg.core.session import State
from flowdbg.errors import UsageError
from tests.debugger.conftest import OpenDebugger
from tests.debugger.test_verbs import sent

MINE = JsonText('{"text":"mine"}')


async def test_a_step_that_fails_is_gone_past_with_an_output_of_ones_own(
    open_debugger: OpenDebugger,
) -> None:
    debugger = await open_debugger(message="this fails")
    await debugger.continue_()
    assert (debugger.session.state, debugger.session.cursor) == (State.FAILED, 1)
    await debugger.edit_output("summarise", MINE)
    await debugger.skip()
    session = debugger.session
    assert (session.state, session.cursor, session.stop.reason) == (
        State.PAUSED,
        2,
        StopReason.STEP,
    )
    await debugger.step()
    assert debugger.session.state is State.DONE
    last = sent(debugger.session)[-1]
    assert (last["stepIndex"], last["inputOverrides"]) == (2, {"summarise": {"text": "mine"}})
    assert list(last["accumulatedOutputs"]) == ["take"]
    execution = debugger.session.execution("count")
    assert execution is not None
    assert execution.input == JsonText('{"text":"mine"}')
    failed = debugger.session.execution("summarise")
    assert failed is not None
    assert failed.error is not None


async def test_nothing_is_sent_for_a_skipped_step_not_even_for_the_first(
    open_debugger: OpenDebugger,
) -> None:
    debugger = await open_debugger()
    await debugger.edit_output("take", JsonText('{"message":"mine"}'))
    await debugger.skip()
    assert not debugger.session.turns
    await debugger.continue_()
    assert debugger.session.state is State.DONE
    assert [body["stepIndex"] for body in sent(debugger.session)] == [1, 2]
    assert sent(debugger.session)[0]["message"] == "hello"


async def test_without_an_output_of_ones_own_nothing_is_skipped(
    open_debugger: OpenDebugger,
) -> None:
    debugger = await open_debugger()
    await debugger.step()
    with pytest.raises(UsageError, match="'summarise' has no output of yours"):
        await debugger.skip()
    assert debugger.session.cursor == 1


async def test_the_last_step_can_be_skipped_and_then_nothing_is_left(
    open_debugger: OpenDebugger,
) -> None:
    debugger = await open_debugger()
    await debugger.run_to("count")
    await debugger.edit_output("count", JsonText('{"words":9}'))
    await debugger.skip()
    assert (debugger.session.state, debugger.session.stop.reason) == (State.DONE, StopReason.END)
    with pytest.raises(UsageError, match="at its end"):
        await debugger.skip()


async def test_a_skipped_step_whose_output_is_taken_back_holds_the_run_until_it_has_one(
    open_debugger: OpenDebugger,
) -> None:
    debugger = await open_debugger()
    await debugger.step()
    await debugger.edit_output("summarise", MINE)
    await debugger.skip()
    await debugger.clear_output_edit("summarise")
    with pytest.raises(UsageError, match="'summarise' was skipped and has no output now"):
        await debugger.step()
    assert len(debugger.session.turns) == 1
    await debugger.edit_output("summarise", MINE)
    await debugger.step()
    assert debugger.session.state is State.DONE


async def test_a_skipped_step_runs_after_all_when_it_is_run_again_or_forked_from(
    open_debugger: OpenDebugger,
) -> None:
    debugger = await open_debugger()
    await debugger.step()
    await debugger.edit_output("summarise", MINE)
    await debugger.skip()
    await debugger.retry()
    session = debugger.session
    assert (session.cursor, session.branch.skipped) == (2, frozenset())
    assert session.branch.outputs["summarise"].value == {"text": "A summary in five words."}
    assert session.branches[0].skipped == {"summarise"}
    await debugger.fork(1, parent=0)
    assert (debugger.session.cursor, debugger.session.branch.skipped) == (1, frozenset())


async def test_an_edit_given_in_the_same_breath_counts(open_debugger: OpenDebugger) -> None:
    debugger = await open_debugger()
    await asyncio.gather(
        debugger.edit_output("take", JsonText('{"message":"mine"}')), debugger.skip()
    )
    assert debugger.session.branch.skipped == {"take"}
