"""Sentences name the keys that are bound: those of the configuration, not the first ones."""

from __future__ import annotations

import pytest
from textual.widgets import Static

from flowdbg.core.entries import Body
from flowdbg.examples import demo_tips
from flowdbg.present.advice import advice
from flowdbg.present.tips import Tip
from flowdbg.tui.actions import BY_ID, first_key
from flowdbg.tui.help_text import ABOUT, help_text
from flowdbg.tui.keymap import resolve
from tests.tui.conftest import OpenScreen
from tests.tui.still_lives import FAILED, OFFLINE, STALE, TOOLS, UNKNOWN, folded

OTHER = {
    "run.step": "f2", "run.restart": "f3", "run.retry": "f4", "run.fork": "f6", "run.pin": "f7",
    "edit.output": "f9", "edit.block": "f10", "edit.clear": "f11", "view.goto-next": "f12",
    "view.plan-change": "ctrl+n", "tools.answer": "ctrl+a",
}  # fmt: skip


def other_key(action_id: str) -> str:
    return first_key(action_id, resolve(OTHER)[action_id])


async def test_what_a_step_can_have_done_is_said_with_its_keys(open_screen: OpenScreen) -> None:
    async with open_screen(keys=OTHER) as screen:
        assert "F2 runs it" in screen.lines("#output-text")
        assert "F9 gives it an output to go on with" in screen.lines("#output-text")
        assert "F9 edits an output" in screen.lines("#edits")


async def test_a_refusal_names_the_keys_that_are_bound(open_screen: OpenScreen) -> None:
    async with open_screen(keys=OTHER) as screen:
        await screen.press("f4")
        assert screen.toasts()[-1] == "Nothing has run yet; step first (F2)."
        await screen.press("f2", "f2", "[", "f9")
        assert "F6 forks from here, F12 goes back to the present" in screen.toasts()[-1]
        await screen.press("f12", "E", "f2")
        assert "restart it (F3) or fork (F6) from a step" in screen.toasts()[-1]


async def test_the_palette_says_the_keys_that_are_bound(open_screen: OpenScreen) -> None:
    async with open_screen(keymap="vscode") as screen:
        assert "F10 runs it" in screen.lines("#output-text")


async def test_a_tip_names_the_key_that_is_bound(open_screen: OpenScreen) -> None:
    async with open_screen(keys=OTHER, tips=[Tip("Press {run.step}, not {this}.")]) as screen:
        assert "Press F2, not {this}." in screen.debug.tips.said


def test_the_tips_of_the_demo_name_actions_that_exist() -> None:
    for tip in demo_tips():
        for named in tip.text.split("{")[1:]:
            assert named.partition("}")[0] in BY_ID


@pytest.mark.parametrize(
    ("bodies", "words"),
    [
        (UNKNOWN, ("F4 runs it again", "F3 starts anew")),
        (OFFLINE, ("F2 tries again",)),
        (TOOLS, ("^a answers", "F2 goes on then", "F4 runs it")),
        (FAILED, ("F9 gives", "F10 changes", "F4 runs it again")),
        (STALE, ("F3 starts on the new", "F7 stays", "^n shows both")),
    ],
    ids=["unknown", "offline", "tools", "failed", "stale"],
)
def test_the_advice_in_trouble_names_them(bodies: list[Body], words: tuple[str, ...]) -> None:
    said = advice(folded(bodies), other_key)
    assert all(word in said for word in words)


def test_the_help_names_them() -> None:
    assert "F11 takes its edits back" in help_text("edits", resolve(OTHER))
    assert "F6 forks from there" in help_text("branches", resolve(OTHER))
    for pane in ABOUT:
        assert "{" not in help_text(pane, resolve()).partition("\n\n")[0]


def test_an_action_without_a_key_is_said_as_it_is_found_in_the_palette() -> None:
    assert first_key("run.step", ()) == ":step"


async def test_dialogs_have_the_keys_of_what_they_do(open_screen: OpenScreen) -> None:
    keys = {"copy.value": "f2", "editor.apply": "f3"}
    async with open_screen(keys=keys) as screen:
        await screen.press("?")
        assert "F2 copy" in str(screen.app.screen.query_one("#keys", Static).content)
        await screen.press("f2")
        assert "MOVING" in screen.app.clipboard
        await screen.press("m")
        assert "F3 take" in str(screen.app.screen.query_one("#keys", Static).content)
        await screen.press("f3")
        assert screen.app.screen is screen.debug
