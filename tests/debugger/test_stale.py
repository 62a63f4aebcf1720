"""A flow that is published again between two real steps: nothing moves silently."""

from __future__ import annotations

import pytest

from flowdbg.core.entries import StopReason
from flowdbg.core.session import State
from flowdbg.errors import UsageError
from tests.debugger.conftest import OpenDebugger
from tests.debugger.flows import FLOW, publish
from tests.serving import Running

_SUMMARISE = (
    '  - {id: summarise, kind: llm, model: scripted/talk, prompt: "Summarise {{ message }}"}\n'
)
_COUNT = (
    "  - {id: count, kind: code, input_schema: {type: object}, code: \"return {'words': 5}\"}\n"
)
REPUBLISHED = {
    "rename": (
        FLOW.replace("id: take", "id: accept"),
        {"accept": "new", "summarise": "same", "count": "same", "take": "gone"},
    ),
    "insert": (
        FLOW.replace("steps:\n", "steps:\n  - {id: greet, kind: passthrough}\n"),
        {"greet": "new", "take": "same", "summarise": "same", "count": "same"},
    ),
    "reorder": (
        FLOW.replace(_SUMMARISE + _COUNT, _COUNT + _SUMMARISE),
        {"take": "same", "count": "moved", "summarise": "same"},
    ),
    "prompt only": (
        FLOW.replace("Summarise {{", "Shorten {{"),
        {"take": "same", "summarise": "changed", "count": "same"},
    ),
}


@pytest.mark.parametrize("change", REPUBLISHED)
async def test_an_unpinned_session_stops_before_anything_runs_and_shows_what_moved(
    open_debugger: OpenDebugger, server: Running, change: str
) -> None:
    text, fates = REPUBLISHED[change]
    debugger = await open_debugger()
    await debugger.step()
    trail = debugger.session.branch
    assert publish(server.base, text) == 2
    await debugger.step()
    session = debugger.session
    assert (session.state, session.stop.reason) == (State.STALE, StopReason.STALE_PLAN)
    assert session.branch == trail
    assert session.stale is not None
    assert {change.id: change.change.value for change in session.stale.changes} == fates
    assert session.stale.new.version == 2
    with pytest.raises(UsageError, match="plan is stale"):
        await debugger.step()


@pytest.mark.parametrize("change", REPUBLISHED)
async def test_a_pinned_session_notices_nothing(
    open_debugger: OpenDebugger, server: Running, change: str
) -> None:
    debugger = await open_debugger(pinned=1)
    await debugger.step()
    publish(server.base, REPUBLISHED[change][0])
    await debugger.continue_()
    assert debugger.session.state is State.DONE
    assert debugger.session.version == 1


async def test_restart_goes_on_at_step_0_of_the_new_plan(
    open_debugger: OpenDebugger, server: Running
) -> None:
    debugger = await open_debugger()
    await debugger.step()
    old = debugger.session.branch
    publish(server.base, REPUBLISHED["rename"][0])
    await debugger.step()
    await debugger.restart()
    session = debugger.session
    assert (session.state, session.cursor, session.version) == (State.PAUSED, 0, 2)
    assert session.branches[0] == old
    await debugger.continue_()
    assert list(debugger.session.branch.outputs) == ["accept", "summarise", "count"]


async def test_pinning_the_version_that_ran_goes_on_where_it_stood(
    open_debugger: OpenDebugger, server: Running
) -> None:
    debugger = await open_debugger()
    await debugger.step()
    publish(server.base, REPUBLISHED["rename"][0])
    await debugger.step()
    await debugger.pin()
    session = debugger.session
    assert (session.state, session.cursor, session.pinned) == (State.PAUSED, 1, 1)
    await debugger.continue_()
    assert list(debugger.session.branch.outputs) == ["take", "summarise", "count"]


async def test_pinning_another_version_restarts_on_it(
    open_debugger: OpenDebugger, server: Running
) -> None:
    debugger = await open_debugger()
    await debugger.step()
    publish(server.base, REPUBLISHED["rename"][0])
    await debugger.step()
    await debugger.pin(2)
    session = debugger.session
    assert (session.cursor, session.pinned, session.plan.steps[0].id) == (0, 2, "accept")


async def test_a_server_that_ignores_the_expected_plan_is_caught_by_what_it_runs(
    open_debugger: OpenDebugger, server: Running
) -> None:
    debugger = await open_debugger()
    await debugger.step()
    publish(server.base, REPUBLISHED["prompt only"][0])
    prepare = debugger.target.prepare
    stripped = type(debugger.target)

    def without_expectation(request: object) -> object:
        call = prepare(request)  # type: ignore[arg-type] # handed through
        return type(call)(call.route, call.body)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stripped, "prepare", lambda _self, request: without_expectation(request))
        await debugger.step()
    session = debugger.session
    assert session.state is State.STALE
    assert session.stop.detail == "the server runs version 2, not version 1"
    assert session.cursor == 1
    assert list(session.branch.outputs) == ["take"]
