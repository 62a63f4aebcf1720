"""Keys that come all at once, and clicks elsewhere, while a text is typed."""

from __future__ import annotations

import json
import unicodedata

from textual import events
from textual.widgets import Input

from flowdbg.core.json_text import join
from flowdbg.tui.screens.choose import ChooseScreen
from tests.tui.conftest import OpenScreen, Screen


def burst(screen: Screen, keys: str) -> None:
    """Send keys as a terminal does when they were typed while the program was busy."""
    for character in keys:
        name = unicodedata.name(character).lower().replace(" ", "_").replace("-", "_")
        key = {"solidus": "slash"}.get(name, name)
        press(screen, character if character.isalnum() else key, character)


def press(screen: Screen, key: str, character: str | None = None) -> None:
    """Send one key, without waiting for anything."""
    event = events.Key(key, character)
    event.set_sender(screen.app)
    screen.app.post_message(event)


async def test_what_is_typed_right_after_the_slash_is_searched_and_runs_nothing(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        burst(screen, "/count")
        line = screen.debug.search_bar.query_one(Input)
        await screen.until(lambda: line.value == "count")
        await screen.settle()
        assert screen.debugger.session.cursor == 0
        assert not screen.debugger.session.turns
        assert screen.debug.step_id == "count"


async def test_what_is_typed_right_after_the_colon_is_looked_for(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        burst(screen, ":continue")
        await screen.until(lambda: isinstance(screen.app.screen, ChooseScreen))
        line = screen.app.screen.query_one(Input)
        await screen.until(lambda: line.value == "continue")
        await screen.settle()
        assert not screen.debugger.session.turns


async def test_keys_of_a_burst_are_done_in_their_order(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        burst(screen, "jbjjjb")
        await screen.until(lambda: len(screen.debugger.session.breakpoints) == 2)
        assert set(screen.debugger.session.breakpoints) == {"summarise", "count"}


async def test_what_is_typed_right_after_i_is_text(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        screen.debug.select("summarise")
        burst(screen, "i1")
        await screen.until(lambda: screen.debug.editor.area.text == "1")
        burst(screen, "q")
        await screen.until(lambda: screen.debug.editor.area.text == "1q")
        await screen.press("ctrl+s")
        assert screen.debugger.session.output_edits["summarise"].text == '{"text":"1q"}'


async def test_a_pasted_text_is_in_before_the_key_behind_it_takes_the_edit(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        screen.debug.select("summarise")
        await screen.press("i")
        for event in (events.Paste("pasted"), events.Key("ctrl+s", None)):
            event.set_sender(screen.app)
            screen.app.post_message(event)
        await screen.until(lambda: "summarise" in screen.debugger.session.output_edits)
        assert screen.debugger.session.output_edits["summarise"].text == '{"text":"pasted"}'


async def test_a_click_elsewhere_leaves_the_keys_in_the_open_editor(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        await screen.press("n", "n")
        await screen.press("i", *"abc")
        await screen.pilot.click("#plan", offset=(8, 0))
        await screen.press("x", "q", "n", "o")
        assert screen.debug.editor.area.text.startswith("abcxqno")
        assert screen.debugger.session.cursor == 2
        await screen.press("escape")
        assert "-editing" not in screen.debug.classes
        assert "∓" in screen.lines("#plan").splitlines()[1]
        screen.debug.select("summarise")
        await screen.press("i")
        assert screen.debug.editor.area.text.startswith("abcxqno")
        await screen.pilot.click("#plan", offset=(8, 0))
        await screen.press("ctrl+s")
        assert screen.debugger.session.output_edits["summarise"].text.startswith('{"text":"abcxqno')


async def test_another_editor_keeps_the_draft_of_the_one_before(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n", "i", "z")
        await screen.pilot.click("#plan", offset=(8, 1))
        screen.debug.action_do("edit.block")
        await screen.settle()
        assert screen.debug.editor.state is not None
        assert screen.debug.editor.state.titles[0] == "prompt"
        assert screen.debug.drafts.steps() == {"take"}
        await screen.press("escape")
        assert "-editing" not in screen.debug.classes
        assert screen.debug.pane == "flow"
        await screen.press("k", "i")
        assert screen.debug.editor.area.text.startswith("z")


async def test_a_click_elsewhere_ends_typing_a_search_and_keeps_its_hits(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        await screen.press("slash", *"note")
        await screen.pilot.click("#events", offset=(8, 2))
        await screen.settle()
        assert screen.debug.pane == "events"
        assert not screen.debug.search_bar.display
        assert screen.debug.plan.hits is not None
        await screen.press("n")
        assert screen.debugger.session.cursor == 1


async def test_keys_behind_a_fork_wait_for_it_and_run_what_it_leads_to(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        await screen.press("E")
        await screen.until(lambda: screen.debugger.session.branch.done)
        await screen.until(lambda: screen.debug.session is screen.debugger.session)
        screen.debug.select("count")
        burst(screen, "FE")
        await screen.until(lambda: len(screen.debugger.session.branches) == 2)
        await screen.until(lambda: screen.debugger.session.branch.done)
        assert screen.debugger.session.current == 1


async def test_keys_behind_a_restart_are_for_the_first_step(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("E")
        await screen.until(lambda: screen.debugger.session.branch.done)
        await screen.until(lambda: screen.debug.session is screen.debugger.session)
        burst(screen, "Ri")
        await screen.until(lambda: screen.debug.editor.state is not None)
        assert screen.debug.editor.border_title == "Output of Take ticket · code"


async def test_a_step_asked_for_before_the_last_one_is_drawn_as_over_still_runs(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        for count in (1, 2):
            burst(screen, "n")
            await screen.until(
                lambda count=count: (
                    screen.debugger.session.cursor == count  # type: ignore[misc] # bound now
                    and not screen.debugger.session.verb
                )
            )
        await screen.settle()
        assert screen.debugger.session.cursor == 2


async def test_what_is_typed_behind_apply_is_no_text_and_steps_with_the_edit(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        await screen.press("n")
        screen.debug.select("summarise")
        burst(screen, "ihi")
        press(screen, "ctrl+s")
        burst(screen, "tnb")
        await screen.until(lambda: bool(screen.debugger.session.breakpoints))
        await screen.settle()
        session = screen.debugger.session
        assert session.output_edits["summarise"].text == '{"text":"hi"}'
        assert session.cursor == 2
        body = json.loads(join(session.turns[-1].body))
        assert body["inputOverrides"] == {"summarise": {"text": "hi"}}


async def test_what_is_typed_behind_escape_is_no_text(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        burst(screen, "izz")
        press(screen, "escape")
        burst(screen, "jbn")
        await screen.until(lambda: screen.debugger.session.cursor == 1)
        await screen.settle()
        assert set(screen.debugger.session.breakpoints) == {"summarise"}
        assert screen.debug.drafts.steps() == {"take"}
        screen.debug.select("take")
        await screen.press("i")
        assert screen.debug.editor.area.text.startswith("zz")


async def test_what_is_typed_behind_a_leaf_is_no_text(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n")
        screen.debug.select("take")
        burst(screen, "2jj")
        press(screen, "enter")
        burst(screen, "77")
        press(screen, "enter")
        burst(screen, "n")
        await screen.until(lambda: screen.debugger.session.cursor == 2)
        await screen.settle()
        edited = screen.debugger.session.output_edits["take"].value
        assert edited["ticket"]["id"] == 77


async def test_what_is_typed_behind_a_choice_or_a_search_is_a_command(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        burst(screen, "/count")
        press(screen, "enter")
        burst(screen, "b:help")
        press(screen, "enter")
        press(screen, "escape")
        burst(screen, "n")
        await screen.until(lambda: screen.debugger.session.cursor == 1)
        assert set(screen.debugger.session.breakpoints) == {"count"}


async def test_text_behind_a_held_key_waits_for_the_editor_that_it_opens(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        await screen.press("E")
        await screen.until(lambda: screen.debugger.session.branch.done)
        await screen.settle()
        burst(screen, "Rinq")
        await screen.until(lambda: screen.debug.editor.area.text.startswith("nq"))
        assert not screen.debugger.session.running
        press(screen, "ctrl+s")
        press(screen, "escape")
        burst(screen, "n")
        await screen.until(lambda: screen.debugger.session.cursor == 1)
