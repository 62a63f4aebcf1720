"""How branches and comparisons look: pictures at both sizes, and without colour or beyond ASCII."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from flowdbg.tui.app import DebugApp
from flowdbg.tui.debug import DebugScreen
from flowdbg.tui.screens.branches import BranchesScreen
from flowdbg.tui.screens.compare import CompareScreen
from flowdbg.tui.widgets.branches_view import BranchesView
from tests.tui.branch_lives import BRANCHES
from tests.tui.still_lives import debugger_on
from tests.tui.test_snapshots import (
    BOTH,
    NARROW,
    WIDE,
    Compare,
    plugin_folder,
    still_clock,
)

__all__ = ["plugin_folder", "still_clock"]
"""Fixtures of the other pictures, for these."""


@pytest.fixture
def picture(snap_compare: Compare, tmp_path: Path) -> Compare:
    """Compares a screen over the debugger on a session with branches."""

    def compare(
        size: tuple[int, int], *keys: str, branch: int = 4, ascii_only: bool = False
    ) -> bool:
        app = DebugApp(debugger_on(BRANCHES), state_dir=tmp_path, ascii_only=ascii_only)

        async def until(pilot: Pilot[Path | None], done: Callable[[], bool]) -> None:
            for _ in range(1000):
                if done():
                    return
                await pilot.pause(0.01)
            raise AssertionError("it was never shown")

        def is_compared() -> bool:
            return not isinstance(app.screen, CompareScreen) or app.screen.step is not None

        async def before(pilot: Pilot[Path | None]) -> None:
            debug = app.screen_stack[0]
            assert isinstance(debug, DebugScreen)
            await until(pilot, lambda: debug.panels.has_log)
            await pilot.press("B")
            screen = app.screen
            assert isinstance(screen, BranchesScreen)
            screen.query_one(BranchesView).stand_on_branch(branch)
            for key in keys:
                await pilot.press(key)
                await until(pilot, is_compared)
            for _ in range(3):
                await pilot.pause()

        return snap_compare(app, terminal_size=size, run_before=before)

    return compare


@BOTH
def test_branches(picture: Compare, size: tuple[int, int]) -> None:
    assert picture(size, branch=2)


@BOTH
def test_turns_of_a_branch(picture: Compare, size: tuple[int, int]) -> None:
    assert picture(size, "l", "j", branch=0)


@BOTH
def test_compare_outputs(picture: Compare, size: tuple[int, int]) -> None:
    assert picture(size, "D", branch=1)


@BOTH
def test_compare_blocks(picture: Compare, size: tuple[int, int]) -> None:
    assert picture(size, "D", "v", "v", branch=1)


@BOTH
def test_looking_at_a_branch(picture: Compare, size: tuple[int, int]) -> None:
    assert picture(size, "enter", branch=2)


@pytest.mark.parametrize("keys", [(), ("D",)], ids=["branches", "compare"])
def test_no_colour(
    picture: Compare, keys: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert picture(NARROW, *keys, branch=1)


@pytest.mark.parametrize("keys", [(), ("D",)], ids=["branches", "compare"])
def test_ascii(picture: Compare, keys: tuple[str, ...]) -> None:
    assert picture(WIDE, *keys, branch=1, ascii_only=True)
