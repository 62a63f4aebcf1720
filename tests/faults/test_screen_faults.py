"""The fault matrix as a person sees it: what the screen says after one press of `n`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flowdbg.core.entries import Outcome
from flowdbg.tui.app import DebugApp
from tests.faults.scenarios import SCENARIOS, Scenario
from tests.faults.server import FaultServer
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


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.row)
async def test_the_screen_says_what_happened_and_stays_alive(
    scenario: Scenario, tmp_path: Path
) -> None:
    async with FaultServer(scenario.script) as fault:
        debugger = await open_on(fault, tmp_path)
        app = DebugApp(debugger, state_dir=tmp_path / "state")
        async with app.run_test(size=(120, 36)) as pilot:
            screen = Screen(pilot, app)
            await screen.until(lambda: screen.debug.panels.has_log)
            await screen.press("n")
            shown = seen(screen)
            assert re.search(WORDS[scenario.outcome], shown)
            if scenario.says not in ("PAUSED", "STALE"):
                assert scenario.says.split()[0] in shown
            assert "Traceback" not in shown
            assert "nk_canary" not in shown
            await screen.press("escape", "question_mark")
            assert len(app.screen_stack) > 1
        assert fault.posts == 1
        await debugger.close()
