"""Views of a step, differences, history, search, copying."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from flowdbg.tui.screens.text import TextScreen
from tests.tui.conftest import OpenScreen, Screen


def copied(screen: Screen) -> str:
    """What was last given to the terminal's clipboard."""
    return screen.app.clipboard


async def test_v_goes_through_the_views_of_the_step(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n", "n")
        seen = []
        for _ in range(5):
            seen.append(screen.debug.detail.tab)
            await screen.press("v")
        assert seen == ["output", "input", "block", "diff", "event"]
        await screen.press("V", "V", "V")
        assert screen.debug.detail.tab == "block"
        assert "prompt" in screen.lines("#block-view")


async def test_the_input_is_what_the_step_ran_on(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("v")
        assert "Its input is known when it runs" in screen.lines("#input-view")
        await screen.press("n", "n")
        assert "ticket" in screen.lines("#input-view")


async def test_the_outputs_pane_shows_what_later_steps_read(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        assert "No outputs yet" in screen.lines("#outputs")
        await screen.press("n", "n", "i", *"x", "ctrl+s")
        shown = screen.lines("#outputs")
        assert "take" in shown
        assert "± summarise" in shown


async def test_d_shows_what_the_edit_changed(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n", "2", "j", "j", "j", "enter", *"gold", "enter", "D")
        assert '"silver" → "gold"' in screen.lines("#diff-view")
        assert "id: 812" in screen.lines("#diff-view")


async def test_d_again_shows_the_next_difference(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n", "n")
        screen.debug.select("summarise")
        await screen.press("i", *"x", "ctrl+s", "o", *"again", "space", "ctrl+s")
        await screen.press("r")
        screen.debug.select("summarise")
        await screen.press("D")
        titles = [str(screen.debug.detail.border_subtitle)]
        for _ in range(2):
            await screen.press("D")
            titles.append(str(screen.debug.detail.border_subtitle))
        assert titles == [
            "1/4 output: original → edited",
            "2/4 block: original → edited",
            "3/4 output: #0 attempt 1 → #1 attempt 2",
        ]


async def test_brackets_look_back_and_return(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n", "n")
        await screen.press("n")
        await screen.press("left_square_bracket")
        assert screen.status.startswith("VIEWING")
        assert "turn 2 of 3" in screen.status
        assert screen.debug.step_id == "summarise"
        assert screen.lines("#plan").splitlines()[2].strip().startswith("▶")
        assert "each" not in screen.lines("#outputs")
        await screen.press("right_square_bracket")
        assert "viewing" not in screen.status
        assert "each" in screen.lines("#outputs")


async def test_the_difference_goes_with_the_edit_that_is_taken_back(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        await screen.press("n", "n", "i", *"new", "ctrl+s", "D")
        assert "new" in screen.lines("#diff-view")
        await screen.press("x")
        assert "Nothing to compare" in screen.lines("#diff-view")
        await screen.press("U")
        assert "new" in screen.lines("#diff-view")


async def test_running_a_step_shows_its_output_again(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n", "D", "n")
        assert screen.debug.detail.tab == "output"
        assert "A summary in five words." in screen.lines("#output-text")


async def test_there_is_no_next_request_at_the_end(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("E")
        screen.debug.action_do("view.request")
        await screen.settle()
        assert "The flow is at its end" in screen.toasts()[-1]


async def test_h_goes_back_to_the_step_that_runs_next(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n", "n", "g")
        await screen.press("left_square_bracket", "H")
        assert screen.debug.step_id == "each"
        assert "viewing" not in screen.status


async def test_ctrl_t_shows_data_as_text_and_back(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n", "ctrl+t")
        assert '"id": 812' in screen.lines("#output-text")
        await screen.press("ctrl+t")
        assert "id: 812" in screen.lines("#output-tree")


async def test_search_finds_in_folded_values_and_counts(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n", "3", "underscore", "slash", *"silver")
        assert "1/1" in screen.lines("#count")
        await screen.press("enter")
        assert 'tier: "silver"' in screen.lines("#outputs")
        assert screen.debug.outputs.path_at_cursor() == ("take", "ticket", "tier")


async def test_search_steps_through_text_and_regular_expressions(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n", "n", "2", "slash", "slash", *"[sw]", "slash")
        assert "1/" in screen.lines("#count")
        await screen.press("enter", "full_stop")
        hits = screen.debug.detail.output.text_view.hits
        assert hits is not None
        assert hits.label.startswith("2/")
        await screen.press("comma", "comma")
        hits = screen.debug.detail.output.text_view.hits
        assert hits is not None
        assert hits.label == f"{len(hits.places)}/{len(hits.places)}"


async def test_search_in_the_events_and_in_the_plan(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n", "5", "slash", *"step_completed", "enter")
        line = screen.debug.events.line_at_cursor
        assert line is not None
        assert line.name == "step_completed"
        await screen.press("1", "slash", *"reply", "enter")
        assert screen.debug.step_id == "reply"


async def test_escape_ends_a_search(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n", "slash", *"reply", "escape")
        assert screen.debug.plan.hits is None
        assert screen.debug.pane == "flow"


async def test_y_copies_the_value_and_capital_y_its_path(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n", "2", "j", "y")
        assert json.loads(copied(screen))["id"] == 812
        assert "Copied ticket" in screen.toasts()[-1]
        await screen.press("j", "Y")
        assert copied(screen) == "ticket.id"


async def test_y_in_a_text_copies_all_of_it(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n", "n", "2", "y")
        assert copied(screen) == "A summary in five words."


async def test_copying_can_be_switched_off_and_has_a_limit(open_screen: OpenScreen) -> None:
    async with open_screen(clipboard="off") as screen:
        await screen.press("n", "y")
        assert "switched off" in screen.toasts()[-1]
    async with open_screen(session_id="two", clipboard="osc52") as screen:
        screen.app.copy("x" * 80_000, "much")
        await screen.settle()
        assert "a terminal takes 74,994 bytes" in screen.toasts()[-1]


async def test_half_a_character_is_copied_as_its_escape(open_screen: OpenScreen) -> None:
    async with open_screen(clipboard="osc52") as screen:
        screen.app.copy("half \ud83d of one", "it")
        assert copied(screen) == "half \\ud83d of one"


async def test_native_copying_goes_through_the_program(
    open_screen: OpenScreen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "wl-copy"
    program.write_text(f"#!/bin/sh\ncat > {tmp_path / 'clipboard'}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    async with open_screen(clipboard="native") as screen:
        await screen.press("n", "n", "2", "y")
        assert (tmp_path / "clipboard").read_text() == "A summary in five words."


async def test_the_next_request_is_shown_whole_without_the_key(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n")
        screen.debug.action_do("view.request")
        await screen.pilot.pause()
        shown = screen.app.screen
        assert isinstance(shown, TextScreen)
        await screen.pilot.press("y")
        await screen.settle()
        text = copied(screen)
        assert text.startswith("POST http://127.0.0.1:")
        assert '"stepIndex": 1' in text
        assert "nk_test" not in text
        assert "nk_test" not in base64.b64encode(text.encode()).decode()


async def test_the_command_twin_is_copied(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        screen.debug.action_do("copy.command")
        await screen.settle()
        assert copied(screen).startswith("flowdbg run acme/support/triage-")


async def test_the_event_view_shows_the_event_under_the_cursor_as_it_came(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        await screen.press("n", "5", "g", "j", "j", "enter")
        assert screen.debug.detail.tab == "event"
        assert "executionId" in screen.lines("#event-view")
        await screen.press("j")
        assert "take" in screen.lines("#event-view")
