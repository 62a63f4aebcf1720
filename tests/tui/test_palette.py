"""The palette: everything by name, why it is off, and what only stands there."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from flowdbg.core.entries import Body
from flowdbg.core.json_text import join
from flowdbg.tui.actions import ACTIONS
from flowdbg.tui.app import DebugApp
from flowdbg.tui.screens.choose import ChooseScreen
from flowdbg.tui.screens.text import TextScreen
from flowdbg.tui.screenshot import redacted
from tests.tui.conftest import OpenScreen, Screen
from tests.tui.still_lives import (
    DONE,
    FAILED,
    STALE,
    STREAMING,
    TOOLS,
    UNKNOWN,
    debugger_on,
    opened,
)


def pictures(folder: Path) -> list[Path]:
    return list(folder.glob("flowdbg-triage-*.svg"))


async def choose(screen: Screen, words: str) -> None:
    await screen.press("colon", *words, "enter")


async def test_a_picture_of_the_screen_is_saved_without_keys_and_says_where(
    open_screen: OpenScreen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NOUKAI_API_KEY", "canary-canary-1")
    async with open_screen(message="my key is canary-canary-1") as screen:
        await screen.press("n")
        await choose(screen, "screenshot svg")
        await screen.until(lambda: bool(pictures(tmp_path)))
        await screen.settle()
        (file,) = pictures(tmp_path)
        assert any(str(file) in said for said in screen.toasts())
        picture = file.read_text()
        assert "Take&#160;ticket" in picture  # the screen, not the palette
        assert "type&#160;to&#160;find" not in picture
        assert "canary-canary-1" not in picture
        assert file.stat().st_mode & 0o777 == 0o600


async def test_where_a_picture_cannot_be_written_the_reason_is_said(
    open_screen: OpenScreen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    monkeypatch.setattr(Path, "cwd", lambda: folder)
    async with open_screen() as screen:
        await choose(screen, "screenshot svg")
        await screen.until(lambda: any("cannot be written" in said for said in screen.toasts()))


def test_secrets_are_marked_in_a_picture_and_its_markup_stays() -> None:
    named = '<text x="1">Authorization:&#160;Bearer&#160;abcdefghijkl</text>'
    svg = f"{named}<text>nk_live_12345678</text>"
    marked = redacted(svg)
    assert "abcdefghijkl" not in marked
    assert "nk_live_" not in marked
    assert re.findall(r"<[^>]*>", marked) == re.findall(r"<[^>]*>", svg)


async def test_the_next_request_is_shown_as_it_will_go_out(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n")
        screen.debug.select("take")
        await screen.press("i")
        screen.debug.editor.area.text = '{"ticket": {"id": 9}, "documents": []}'
        await screen.press("ctrl+s")
        await choose(screen, "exact next request")
        shown = screen.app.screen
        assert isinstance(shown, TextScreen)
        head, _, body = shown._text.partition("\n\n")
        assert head.startswith("POST http://")
        assert "Authorization: (hidden)" in head
        assert "nk_test" not in shown._text
        await screen.press("escape", "n")
        sent = json.loads(join(screen.debugger.session.turns[-1].body))
        assert json.loads(body) == sent


async def test_the_command_that_is_copied_can_be_run(open_screen: OpenScreen) -> None:
    async with open_screen(clipboard="osc52") as screen:
        screen.debug.select("summarise")
        await screen.press("o", *"Short", "ctrl+s")
        await choose(screen, "headless command")
        await screen.settle()
        assert any(said.startswith("Copied the command") for said in screen.toasts())
        words = shlex.split(screen.app.clipboard)
        assert words[:2] == ["flowdbg", "run"]
        assert "--override-block" in words
        assert "nk_test" not in screen.app.clipboard


REASONS = {
    "opened": (opened(), {"run.retry": "nothing has run yet", "view.earlier": "nothing has run"}),
    "running": (STREAMING, {"run.step": "is running", "run.retry": "is running"}),
    "done": (DONE, {"run.step": "at its end", "view.request": "at its end"}),
    "failed": (FAILED, {"tools.answer": "no tool call", "view.plan-change": "did not change"}),
    "tools": (TOOLS, {"run.step": "tool calls wait"}),
    "unknown": (UNKNOWN, {"run.step": "not known whether the step ran"}),
    "stale": (STALE, {"run.step": "plan is stale", "run.retry": "plan is stale"}),
}


@pytest.mark.parametrize("state", REASONS)
async def test_what_cannot_be_done_says_why_and_does_nothing(state: str, tmp_path: Path) -> None:
    bodies: list[Body] = REASONS[state][0]
    app = DebugApp(debugger_on(bodies), state_dir=tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = Screen(pilot, app)
        await screen.until(lambda: screen.debug.panels.has_log)
        await pilot.press("escape")
        await pilot.press("colon")
        await screen.until(lambda: isinstance(app.screen, ChooseScreen))
        palette = app.screen
        assert isinstance(palette, ChooseScreen)
        off = {choice.id: choice.off for choice in palette._choices}
        assert set(off) == {action.id for action in ACTIONS} - {"app.palette"}
        for action_id, reason in REASONS[state][1].items():
            assert reason in off[action_id]
        refused = next(iter(REASONS[state][1]))
        palette._choose(palette._list.get_option(refused))
        await pilot.pause()
        assert app.screen is palette
        assert any(off[refused][1:] in said for said in screen.toasts())
