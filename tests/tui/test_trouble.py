"""Where a run stops in trouble: a word, why, and the keys that help, until it is over."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from flowdbg.core.entries import Body
from flowdbg.present.advice import advice
from flowdbg.present.status_line import look
from flowdbg.tui.actions import BY_ID, first_key
from flowdbg.tui.app import DebugApp
from tests.faults.scenarios import BEGUN, GOOD
from tests.faults.server import RESET, FaultServer
from tests.faults.test_screen_faults import screen_on
from tests.tui.conftest import Flow, OpenScreen, Screen
from tests.tui.flows import FLOW
from tests.tui.still_lives import (
    CANCELLED,
    DONE,
    FAILED,
    OFFLINE,
    PAUSED,
    REFUSED,
    STALE,
    STREAMING,
    TOOLS,
    UNKNOWN,
    debugger_on,
    folded,
)


def default_key(action_id: str) -> str:
    return first_key(action_id, BY_ID[action_id].keys)


def first_hints(screen: Screen) -> list[str]:
    return [hint.action_id for hint in screen.debug.footer.shown if hint.enabled]


@pytest.mark.parametrize(
    ("bodies", "word", "words"),
    [
        (
            UNKNOWN,
            "OUTCOME UNKNOWN",
            ("closed in the middle", "may have run", "r runs it again"),
        ),
        (OFFLINE, "OFFLINE", ("does not answer", "n tries again")),
        (REFUSED, "PAUSED", ("not accepted", "n tries again")),
        (CANCELLED, "CANCELLED", ("not known", "r runs it again")),
        (TOOLS, "TOOLS", ("1 tool call", "a answers")),
        (FAILED, "FAILED", ("i gives", "o changes", "r runs it again")),
        (STALE, "PLAN CHANGED", ("R starts", "P stays on version 12", "N shows both")),
    ],
    ids=["unknown", "offline", "refused", "cancelled", "tools", "failed", "stale"],
)
def test_each_trouble_has_a_word_and_says_what_helps(
    bodies: list[Body], word: str, words: tuple[str, ...]
) -> None:
    session = folded(bodies)
    assert look(session).word == word
    said = advice(session, default_key)
    assert all(part in said for part in words)


@pytest.mark.parametrize("bodies", [PAUSED, STREAMING, DONE], ids=["paused", "running", "done"])
def test_without_trouble_nothing_is_said(bodies: list[Body]) -> None:
    assert advice(folded(bodies), default_key) == ""


@pytest.mark.parametrize(
    ("bodies", "first"),
    [
        (UNKNOWN, ["run.retry", "run.restart", "run.fork"]),
        (OFFLINE, ["run.step", "run.continue"]),
        (TOOLS, ["tools.answer", "run.retry"]),
        (FAILED, ["run.retry", "edit.output", "edit.block"]),
        (STALE, ["run.restart", "run.pin", "view.plan-change"]),
    ],
    ids=["unknown", "offline", "tools", "failed", "stale"],
)
async def test_the_footer_offers_first_what_helps(
    bodies: list[Body], first: list[str], tmp_path: Path
) -> None:
    app = DebugApp(debugger_on(bodies), state_dir=tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = Screen(pilot, app)
        await screen.until(lambda: screen.debug.panels.has_log)
        screen.debug.select("classify")
        await pilot.press("escape")  # the question about a stale plan
        await pilot.pause()
        assert first_hints(screen)[: len(first)] == first
        assert screen.debug.tips.display
        assert "Traceback" not in screen.debug.tips.said


async def test_a_stream_that_breaks_off_is_unknown_and_r_runs_the_step_again(
    tmp_path: Path,
) -> None:
    async with FaultServer([*BEGUN, RESET]) as fault, screen_on(fault, tmp_path) as screen:
        await screen.press("n")
        assert screen.status.startswith("OUTCOME UNKNOWN")
        assert "r runs it again" in screen.debug.tips.said
        assert first_hints(screen)[0] == "run.retry"
        await screen.press("n")
        assert fault.posts == 1  # not by itself
        assert "not known whether the step ran" in screen.toasts()[-1]
        await screen.press("r")
        assert fault.posts == 2


async def test_a_server_that_is_gone_is_offline_until_it_answers(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        async with FaultServer(GOOD) as fault:
            screen = await stack.enter_async_context(screen_on(fault, tmp_path))
        await screen.press("n")
        assert screen.status.startswith("OFFLINE")
        assert "n tries again" in screen.debug.tips.said
        assert first_hints(screen)[0] == "run.step"


async def test_what_was_said_goes_when_the_trouble_is_over(
    open_screen: OpenScreen, flow: Flow
) -> None:
    async with open_screen() as screen:
        await screen.press("n")
        flow.publish(FLOW.replace("five words", "six words"))
        await screen.press("n", "escape")
        assert "P stays on version 1" in screen.debug.tips.said
        await screen.press("P")
        assert not screen.debug.tips.display
