"""One registry: every action has its key, its handler, its help and its place in the palette."""

from __future__ import annotations

import html
import re

import pytest
from textual.widgets import OptionList

from flowdbg.errors import ConfigError
from flowdbg.tui.actions import ACTIONS, BY_ID, GROUPS
from flowdbg.tui.app import DebugApp
from flowdbg.tui.help_text import help_text, key_table
from flowdbg.tui.keymap import NEVER, resolve
from flowdbg.tui.screens.choose import ChooseScreen
from flowdbg.tui.themes import OURS
from tests.tui.conftest import OpenScreen


async def test_every_action_can_be_done_by_the_screen(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        assert screen.debug.action_ids() == {action.id for action in ACTIONS}


def test_ids_are_unique_and_everything_has_its_words() -> None:
    assert len(BY_ID) == sum(map(len, GROUPS.values()))
    for action in BY_ID.values():
        assert action.help.endswith(".")
        assert bool(action.weight) <= bool(action.label)


def test_no_default_key_is_one_that_does_not_arrive() -> None:
    for action in BY_ID.values():
        assert not set(action.keys) & set(NEVER)


@pytest.mark.parametrize("base", ["default", "vscode"])
def test_the_ready_made_maps_have_no_clash(base: str) -> None:
    keys = resolve({}, base)
    assert set(keys) == set(BY_ID)


def test_a_clash_names_both_actions() -> None:
    with pytest.raises(ConfigError, match=r"(?s)'run\.step' and 'run\.continue'.*under \[keys\]"):
        resolve({"run.step": "c"})


def test_an_unknown_action_or_map_meets_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match=r"did you mean `run\.step`"):
        resolve({"run.stop": "n"})
    with pytest.raises(ConfigError, match="no keymap 'emacs'"):
        resolve({}, "emacs")


@pytest.mark.parametrize("key", [*NEVER, "alt+1"])
def test_a_key_that_does_not_arrive_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match="Choose another key"):
        resolve({"run.step": key})


def test_a_wrong_key_is_told_before_the_screen_opens() -> None:
    with pytest.raises(ConfigError):
        DebugApp(None, keys={"run.step": "c"})  # type: ignore[arg-type] # never reached
    with pytest.raises(ConfigError, match="no theme 'drak'"):
        DebugApp(None, theme="drak")  # type: ignore[arg-type] # never reached


async def test_keys_of_the_configuration_win(open_screen: OpenScreen) -> None:
    async with open_screen(keys={"run.step": ["f4", "w"], "run.continue": "n"}) as screen:
        await screen.press("w")
        assert screen.debugger.session.cursor == 1
        await screen.press("f4")
        assert screen.debugger.session.cursor == 2
        await screen.press("n")
        assert screen.debugger.session.cursor == 5
        assert "n" in [hint.key for hint in screen.debug.footer._hints if hint.label == "Continue"]


async def test_the_vscode_map_works(open_screen: OpenScreen) -> None:
    async with open_screen(keymap="vscode") as screen:
        await screen.press("f10")
        assert screen.debugger.session.cursor == 1
        await screen.press("f9", "f5")
        assert screen.debugger.session.cursor == 5


async def test_keys_of_the_editor_can_be_changed(open_screen: OpenScreen) -> None:
    async with open_screen(keys={"editor.apply": "f2"}) as screen:
        await screen.press("n", "i")
        screen.debug.editor.area.text = '{"x": 1}'
        await screen.press("f2")
        assert screen.debugger.session.output_edits["take"].text == '{"x": 1}'


@pytest.mark.parametrize(
    "pane", ["flow", "detail", "outputs", "edits", "events", "editor", "branches", "compare"]
)
def test_help_has_a_line_for_each_action(pane: str) -> None:
    text = help_text(pane, resolve())
    for action in GROUPS.get(pane, ACTIONS):
        assert action.help in text


def test_the_key_table_has_each_action_once() -> None:
    table = key_table(resolve())
    for action_id in BY_ID:
        assert table.count(f"`{action_id}`") == 1


async def test_the_palette_has_every_action_and_the_reason_when_one_is_off(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        await screen.press("colon")
        palette = screen.app.screen
        assert isinstance(palette, ChooseScreen)
        options = palette.query_one(OptionList)
        assert {option.id for option in options.options} == {
            action.id for action in ACTIONS if action.id != "app.palette"
        }
        shown = {option.id: str(option.prompt) for option in options.options}
        assert "nothing has run yet; step first" in shown["run.retry"]
        assert "nothing has run yet" not in shown["run.step"]


async def test_the_palette_does_what_is_chosen(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("ctrl+p", *"run the next", "enter")
        assert screen.debugger.session.cursor == 1


async def test_the_palette_refuses_what_is_off(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("colon", *"run the last step again", "enter")
        assert "Nothing has run yet" in screen.toasts()[-1].capitalize()
        assert isinstance(screen.app.screen, ChooseScreen)


@pytest.mark.parametrize("theme", [theme.name for theme in OURS] + ["ansi", "nord", "light"])
async def test_each_theme_draws(open_screen: OpenScreen, theme: str) -> None:
    async with open_screen(theme=theme) as screen:
        await screen.press("n", "i")
        assert screen.lines("#text")


@pytest.mark.parametrize("key", ["", "i", "colon", "question_mark", "D", "m", "slash"])
async def test_with_ascii_nothing_else_is_drawn(open_screen: OpenScreen, key: str) -> None:
    async with open_screen(ascii_only=True) as screen:
        await screen.press("n", "b")
        if key:
            await screen.press(key)
        svg = screen.app.export_screenshot()
        texts = html.unescape("".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg)))
        assert texts.replace("\xa0", " ").isascii()
        assert "PAUSED" in texts
