"""Every verb by its key: what it does to the session, and what the screen says."""

from __future__ import annotations

from flowdbg.core.session import State
from tests.tui.conftest import OpenScreen


async def test_the_screen_opens_paused_before_the_first_step(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        assert screen.status.startswith("PAUSED  before 1/5 Take ticket  triage@1")
        assert screen.debug.step_id == "take"


async def test_n_runs_one_step(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n")
        assert screen.debugger.session.cursor == 1
        assert screen.debugger.session.state is State.PAUSED
        assert screen.status.startswith("PAUSED  before 2/5 Summarise")
        assert "812" in screen.lines("#output-tree")
