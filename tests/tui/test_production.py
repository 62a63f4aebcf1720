"""A named server is always seen; production is a word in red, and asks before edits go there."""

from __future__ import annotations

from textual.widgets import Static

from flowdbg.tui.screens.confirm import ConfirmScreen
from tests.tui.conftest import OpenScreen, Screen


def on_production(screen: Screen) -> None:
    screen.debugger.profile, screen.debugger.is_production = "prod", True
    screen.debug.panels.refresh_status()


async def test_the_name_of_the_server_is_always_in_the_status_line(
    open_screen: OpenScreen,
) -> None:
    async with open_screen(size=(60, 24)) as screen:
        screen.debugger.profile = "staging"
        screen.debug.panels.refresh_status()
        await screen.settle()
        shown = screen.lines("StatusBar")
        assert "staging" in shown
        assert "PRODUCTION" not in shown


async def test_production_is_a_word_at_any_width(open_screen: OpenScreen) -> None:
    async with open_screen(size=(80, 24)) as screen:
        on_production(screen)
        await screen.settle()
        assert screen.lines("StatusBar").startswith(" ‖ PAUSED    PRODUCTION prod ")
        await screen.pilot.resize_terminal(40, 12)
        await screen.until(lambda: "PRODUCTION prod" in screen.lines("StatusBar"))


async def test_the_first_step_that_takes_an_edit_to_production_asks_once(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        on_production(screen)
        await screen.press("n")
        screen.debug.select("summarise")
        await screen.press("i", *"hi", "ctrl+s", "n")
        question = screen.app.screen
        assert isinstance(question, ConfirmScreen)
        said = str(question.query_one("#question", Static).content)
        assert said == "prod is PRODUCTION, and this run takes 1 edit along. Send them?"
        await screen.press("n")
        assert screen.debugger.session.cursor == 1
        assert "Nothing was sent." in screen.toasts()
        await screen.press("c", "y")
        await screen.until(lambda: screen.debugger.session.branch.done)
        await screen.settle()
        await screen.press("R", "n")
        assert screen.app.screen is screen.debug
        assert screen.debugger.session.cursor == 1


async def test_a_step_typed_right_behind_an_edit_asks_too(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        on_production(screen)
        screen.debug.select("summarise")
        await screen.press("i", *"hi")
        await screen.pilot.press("ctrl+s", "n")
        await screen.until(lambda: isinstance(screen.app.screen, ConfirmScreen))
        assert not screen.debugger.session.turns


async def test_without_edits_or_away_from_production_nothing_is_asked(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        on_production(screen)
        await screen.press("n")
        assert screen.debugger.session.cursor == 1
        screen.debugger.is_production = False
        await screen.press("i", *"hi", "escape", "n")
        assert screen.debugger.session.cursor == 2
