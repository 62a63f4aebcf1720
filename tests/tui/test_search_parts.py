"""A search that takes several turns: its end is shown, another one takes its place, enter waits."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from flowdbg.core.json_text import JsonText
from flowdbg.present import search
from flowdbg.tui.parts import copying
from tests.tui.conftest import OpenScreen, Screen

TEXT = JsonText.of(
    {"text": "\n".join(f"line {number}" for number in range(3000)) + "\n" + "a" * 60}
)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "WINDOW", 4096)
    monkeypatch.setattr(copying, "SLICE", 0.0)


async def searching(screen: Screen, typed: str) -> None:
    """Go to a long text and begin to search it."""
    await screen.press("n")
    await screen.debugger.edit_output("take", TEXT)
    await screen.settle()
    screen.debug.select("take")
    await screen.press("2", "slash")
    screen.debug.search_bar.query_one(Input).value = typed


def count(screen: Screen) -> str:
    return str(screen.debug.search_bar.query_one("#count").render())


async def test_all_places_are_found_in_the_end(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await searching(screen, "line 29")
        await screen.until(lambda: count(screen) == "1/111")
        assert screen.debug.detail.output.text_view.scroll_offset.y > 0


async def test_another_query_takes_the_place_of_one_under_way(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await searching(screen, "/line \\d+/")
        screen.debug.search_bar.query_one(Input).value = "line 2999"
        await screen.until(lambda: count(screen) == "1/1")


async def test_escape_ends_a_search_under_way(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await searching(screen, "/line \\d+/")
        await screen.press("escape")
        assert not screen.debug.search_bar.is_open
        assert screen.debug.detail.output.text_view.hits is None


async def test_an_expression_without_end_says_so_and_the_keys_live(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await searching(screen, "/(a+)+!/")
        await screen.until(lambda: "too slow" in count(screen))
        await screen.press("escape", "1", "j")
        assert screen.debug.step_id == "summarise"
