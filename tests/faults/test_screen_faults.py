"""The fault matrix as a person sees it: what the screen says after one press of `n`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Static

from flowdbg.core.entries import Outcome
from flowdbg.core.rules import refusal
from flowdbg.errors import NotSaved
from flowdbg.store import SessionStore
from flowdbg.tui.app import DebugApp
from flowdbg.tui.screens.confirm import ConfirmScreen
from tests.faults.scenarios import GOOD, SCENARIOS, SILENT, Scenario
from tests.faults.server import FaultServer, Script
from tests.faults.test_debugger_faults import open_on
from tests.tui.conftest import Screen

WORDS = {
    Outcome.PAUSED: "DONE|PAUSED",
    Outcome.FAILED: "FAILED",
    Outcome.UNKNOWN: "UNKNOWN",
    Outcome.REFUSED: "PAUSED|REFUSED",
    Outcome.STALE: "PLAN CHANGED",
}


def seen(screen: Screen) -> str:
    """Everything that the screens and the toasts show, on one line."""
    frame = screen.app.export_screenshot(simplify=True)
    shown = re.sub(r"<[^>]+>", " ", frame).replace("&#160;", " ")
    return re.sub(r"[\s│╭╮╰╯─]+", " ", " ".join([shown, *screen.toasts(), screen.status]))


@asynccontextmanager
async def screen_on(fault: FaultServer, folder: Path) -> AsyncIterator[Screen]:
    """The screen on a debugger whose server has faults."""
    debugger = await open_on(fault, folder)
    app = DebugApp(debugger, state_dir=folder / "state")
    async with app.run_test(size=(120, 36)) as pilot:
        screen = Screen(pilot, app)
        await screen.until(lambda: screen.debug.panels.has_log)
        yield screen
    await debugger.close()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.row)
async def test_the_screen_says_what_happened_and_stays_alive(
    scenario: Scenario, tmp_path: Path
) -> None:
    async with FaultServer(scenario.script) as fault:
        async with screen_on(fault, tmp_path) as screen:
            await screen.press("n")
            shown = seen(screen)
            assert re.search(WORDS[scenario.outcome], shown)
            if scenario.says not in WORDS.values():
                assert scenario.says in shown
            assert "Traceback" not in shown
            assert "nk_canary" not in shown
            await screen.press("escape", "question_mark")
            assert len(screen.app.screen_stack) > 1
        assert fault.posts == 1


@pytest.mark.parametrize("row", SILENT)
async def test_a_silent_server_is_shown_as_running_and_cancelled_by_a_key(
    row: str, tmp_path: Path
) -> None:
    async with FaultServer(SILENT[row]) as fault, screen_on(fault, tmp_path) as screen:
        await screen.pilot.press("n")
        await screen.until(lambda: fault.posts == 1 and screen.status.startswith("RUNNING"))
        await screen.press("ctrl+c")
        assert screen.status.startswith("CANCELLED")
        session = screen.debugger.session
        assert session.turns[-1].outcome is Outcome.CANCELLED
        assert (refusal(session, "step"), refusal(session, "retry")) == ("", "")
        assert fault.posts == 1


async def test_a_server_that_is_gone_is_named_and_nothing_was_sent(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        async with FaultServer(GOOD) as fault:
            screen = await stack.enter_async_context(screen_on(fault, tmp_path))
            await screen.press("n")
        await screen.press("n")
        assert "Nothing listens at" in seen(screen)
        session = screen.debugger.session
        assert session.turns[-1].outcome is Outcome.NOT_SENT
        assert refusal(session, "step") == ""
        assert fault.posts == 1


async def test_a_full_disk_is_said_until_everything_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, full = SessionStore.append, False

    def failing(store: SessionStore, *given: Any) -> object:
        if full:
            raise NotSaved("Not saved: no room.", "Make room and try again.")
        return append(store, *given)

    monkeypatch.setattr(SessionStore, "append", failing)
    gate = asyncio.Event()
    script: Script = [*GOOD[:2], gate, *GOOD[2:]]
    async with FaultServer(script) as fault, screen_on(fault, tmp_path) as screen:
        await screen.pilot.press("n")
        await screen.until(lambda: len(screen.debugger.session.events) > 0)
        full = True
        gate.set()
        await screen.settle()
        assert "not saved" in seen(screen).lower()
        assert "whole" in seen(screen)
        await screen.press("n")
        assert fault.posts == 1
        assert "no room" in seen(screen)
        await screen.press("q")
        question = screen.app.screen
        assert isinstance(question, ConfirmScreen)
        assert "no room" in str(question.query_one("#question", Static).content)
        await screen.press("n")
        assert screen.app.screen is screen.debug
        full = False
        await screen.press("b")
        assert screen.debugger.unsaved == ""
        await screen.until(lambda: "not saved" not in screen.status.lower())
        assert refusal(screen.debugger.session, "step") == ""
