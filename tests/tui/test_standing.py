"""A session opens where it was left: the step, the pane, its view, what is folded and scrolled."""

from __future__ import annotations

import json

import pytest

from flowdbg.core.json_text import JsonText
from tests.tui.conftest import OpenScreen, Screen

LONG = JsonText.of({"text": "\n".join(f"line {number}" for number in range(200))})
DEEP = JsonText.of({"rows": [{"id": number, "tags": ["a", "b"]} for number in range(60)]})


async def reopened(open_screen: OpenScreen) -> dict[str, object]:
    """Open the session again and tell where it stands."""
    async with open_screen(resume=True) as screen:
        await screen.settle()
        screen.debug.standing.look()
        return stands(screen)


def stands(screen: Screen) -> dict[str, object]:
    screen.debug.standing.look()
    debug = screen.debug
    seen = {"top": debug.detail.shown.scroll_offset.y, "lines": screen.lines("#detail")}
    return {**json.loads(debug.standing._now), **seen}


async def test_a_text_is_scrolled_as_it_was(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n")
        await screen.debugger.edit_output("take", LONG)
        await screen.settle()
        screen.debug.select("take")
        await screen.press("2", "ctrl+d", "j", "j", "j")
        before = stands(screen)
        assert before["top"]
        await screen.press("q")
    assert await reopened(open_screen) == before


async def test_a_value_is_unfolded_where_it_was_looked_at(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n")
        await screen.debugger.edit_output("take", DEEP)
        await screen.settle()
        screen.debug.select("take")
        await screen.press("2", "j", "l", "ctrl+d", "ctrl+d", "h", "j", "l", "l", "j", "l", "l")
        before = stands(screen)
        assert "tags" in json.dumps(before["views"])
        await screen.press("q")
    assert await reopened(open_screen) == before


async def test_the_pane_its_view_and_folded_containers_come_back(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n", "n", "1", "g", "j", "j", "h", "j")
        await screen.press("2", "v", "v", "5")
        events = screen.debug.events
        while events.line_at_cursor is None or events.line_at_cursor.name != "step_started":
            await screen.press("k")
        before = stands(screen)
        assert before["tab"] == "block"
        assert before["pane"] == "events"
        assert before["folded"] == ["each"]
        line = events.line_at_cursor
        await screen.press("q")
    async with open_screen(resume=True) as screen:
        after = stands(screen)
        assert screen.debug.events.line_at_cursor == line
        for part in ("pane", "right", "tab", "folded", "step", "lines"):
            assert after[part] == before[part]


async def test_a_zoomed_pane_comes_back_as_it_was(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n", "5", "z")
        before = stands(screen)
        assert before["zoomed"] == "events"
        await screen.press("q")
    async with open_screen(resume=True) as screen:
        await screen.until(lambda: screen.debug.has_class("-zoom-events"))
        assert stands(screen)["pane"] == "events"
        assert screen.debug.events.outer_size.width == 120
        await screen.press("z")
        assert not screen.debug.has_class("-zoomed")


async def test_what_was_looked_at_of_another_time_is_not_where_the_session_stands(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        await screen.press("n", "n", "1", "H")
        before = stands(screen)
        await screen.press("[")
        screen.debug.standing.look()
        assert json.loads(screen.debug.standing._now)["step"] == before["step"]


@pytest.mark.parametrize("kept", ["", "[]", "{", '{"step": 5}', '{"folded": 1, "views": []}'])
async def test_a_place_that_makes_no_sense_is_left_out(open_screen: OpenScreen, kept: str) -> None:
    async with open_screen() as screen:
        await screen.debugger.save_draft("place", kept)
    async with open_screen(resume=True) as screen:
        await screen.press("n")
        assert screen.debugger.session.cursor == 1
