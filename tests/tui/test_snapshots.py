"""How each screen looks: pictures at both sizes, and without colour or beyond ASCII."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot

from flowdbg.core.entries import Body
from flowdbg.present.tips import Tip
from flowdbg.tui.app import DebugApp
from flowdbg.tui.debug import DebugScreen
from flowdbg.tui.picker import PickerApp
from tests.tui.still_lives import (
    DONE,
    FAILED,
    PAUSED,
    STALE,
    START,
    STREAMING,
    UNKNOWN,
    debugger_on,
    opened,
)

WIDE, NARROW = (120, 36), (80, 24)
BOTH = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["120x36", "80x24"])

Compare = Callable[..., bool]


PLUGIN_FOLDER = os.environ.get("TEXTUAL_SNAPSHOT_TEMPDIR", "")
"""Where the snapshot plugin keeps its report; the empty home of a test takes it away."""


@pytest.fixture(autouse=True)
def plugin_folder(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the snapshot plugin its folder back."""
    monkeypatch.setenv("TEXTUAL_SNAPSHOT_TEMPDIR", PLUGIN_FOLDER)


@pytest.fixture(autouse=True)
def still_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Clocks stand still and show the same hour everywhere."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    clock = SimpleNamespace(time=lambda: START + 120)
    monkeypatch.setattr("flowdbg.tui.parts.panels.time", clock)
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def picture(snap_compare: Compare, tmp_path: Path) -> Compare:
    """Compares the screen on a still session after some keys."""

    def compare(
        bodies: list[Body],
        size: tuple[int, int],
        *keys: str,
        select: str = "",
        then: Callable[[DebugScreen], None] | None = None,
        **options: Any,
    ) -> bool:
        app = DebugApp(debugger_on(bodies), state_dir=tmp_path, **options)

        async def before(pilot: Pilot[Any]) -> None:
            screen = app.screen_stack[0]
            assert isinstance(screen, DebugScreen)
            for _ in range(500):
                if screen.panels.has_log:
                    break
                await pilot.pause(0.01)
            assert screen.panels.has_log
            await pilot.pause()
            if select:
                screen.select(select)
                await pilot.pause()
            await pilot.press(*keys)
            while not app.typed.is_done:
                await pilot.pause(0.01)
            if then is not None:
                then(screen)
            for _ in range(3):
                await pilot.pause()

        run_before: Callable[[Pilot[Any]], Awaitable[None]] = before
        return snap_compare(app, terminal_size=size, run_before=run_before)

    return compare


@BOTH
def test_opened(picture: Compare, size: tuple[int, int]) -> None:
    tips = [Tip("Press n to run the first step.")]
    assert picture(opened(), size, tips=tips)


@BOTH
def test_paused(picture: Compare, size: tuple[int, int]) -> None:
    assert picture(PAUSED, size)


@BOTH
def test_streaming(picture: Compare, size: tuple[int, int]) -> None:
    assert picture(STREAMING, size, select="classify")


@BOTH
def test_done(picture: Compare, size: tuple[int, int]) -> None:
    assert picture(DONE, size, select="draft")


@BOTH
def test_failed(picture: Compare, size: tuple[int, int]) -> None:
    assert picture(FAILED, size, select="classify")


@BOTH
def test_stale_plan(picture: Compare, size: tuple[int, int]) -> None:
    assert picture(STALE, size)


@BOTH
def test_editing_an_output(picture: Compare, size: tuple[int, int]) -> None:
    assert picture(PAUSED, size, "i", select="fetch")


@BOTH
def test_editing_a_prompt(picture: Compare, size: tuple[int, int]) -> None:
    assert picture(PAUSED, size, "o", select="classify")


@BOTH
def test_difference(picture: Compare, size: tuple[int, int]) -> None:
    assert picture(PAUSED, size, "D", select="fetch")


@BOTH
def test_palette(picture: Compare, size: tuple[int, int]) -> None:
    assert picture(PAUSED, size, "colon")


@BOTH
def test_help(picture: Compare, size: tuple[int, int]) -> None:
    assert picture(PAUSED, size, "question_mark")


@BOTH
def test_inputs(picture: Compare, size: tuple[int, int]) -> None:
    assert picture(PAUSED, size, "m")


def test_a_leaf(picture: Compare) -> None:
    assert picture(PAUSED, NARROW, "2", "j", "j", "j", "enter", select="fetch")


def test_search(picture: Compare) -> None:
    assert picture(PAUSED, NARROW, "3", "slash", *"score", select="fetch")


def test_events(picture: Compare) -> None:
    assert picture(PAUSED, NARROW, "5")


def test_edits(picture: Compare) -> None:
    assert picture(PAUSED, NARROW, "4")


def test_next_request(picture: Compare) -> None:
    assert picture(PAUSED, NARROW, then=lambda screen: screen.action_do("view.request"))


def test_events_beside_all_else(picture: Compare) -> None:
    assert picture(PAUSED, (160, 45), select="fetch")


def test_production(picture: Compare) -> None:
    def on_production(screen: DebugScreen) -> None:
        screen.host.debugger.profile, screen.host.debugger.is_production = "prod", True
        screen.panels.refresh_status()

    assert picture(PAUSED, NARROW, then=on_production)


def test_outcome_unknown(picture: Compare) -> None:
    assert picture(UNKNOWN, NARROW, select="classify")


def test_one_pane_at_a_time(picture: Compare) -> None:
    assert picture(PAUSED, (50, 20))


def test_too_small(picture: Compare) -> None:
    assert picture(PAUSED, (36, 9))


@pytest.mark.parametrize("theme", ["light", "ansi", "high-contrast", "colour-blind"])
def test_theme(picture: Compare, theme: str) -> None:
    assert picture(STREAMING, WIDE, select="classify", theme=theme)


@BOTH
def test_no_colour(
    picture: Compare, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert picture(PAUSED, size)


@BOTH
def test_ascii(picture: Compare, size: tuple[int, int]) -> None:
    assert picture(STREAMING, size, select="classify", ascii_only=True)


def test_no_sessions_yet(snap_compare: Compare) -> None:
    assert snap_compare(PickerApp([]), terminal_size=NARROW)
