"""Edits: whole values, blocks, single leaves; taken back, undone, kept as drafts."""

from __future__ import annotations

import json

import pytest

from flowdbg.core.json_text import JsonText, join
from flowdbg.tui.widgets.edit_area import EditArea
from tests.tui.conftest import OpenScreen, Screen


def area(screen: Screen) -> EditArea:
    return screen.debug.editor.area


def said_below(screen: Screen) -> str:
    """What the editor says below the text, on one line."""
    return " ".join(screen.lines("#problem").split())


async def summarised(screen: Screen) -> None:
    """Run the first two steps and stay on the second."""
    await screen.press("n")
    await screen.press("n")


async def test_i_edits_what_later_steps_read_and_keeps_the_original(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        await summarised(screen)
        await screen.press("i")
        assert area(screen).text == "A summary in five words."
        area(screen).text = "Two words"
        await screen.press("ctrl+s")
        session = screen.debugger.session
        assert session.output_edits["summarise"].text == '{"text":"Two words"}'
        assert session.branch.outputs["summarise"].value == {"text": "A summary in five words."}
        assert "Two words" in screen.lines("#output-text")
        assert "±1" in screen.status
        screen.debug.select("count")
        await screen.press("t", "n")
        assert screen.debugger.session.branch.outputs["count"].value == {"words": 2}
        body = json.loads(join(screen.debugger.session.turns[-1].body))
        assert body["inputOverrides"] == {"summarise": {"text": "Two words"}}


async def test_an_output_can_be_given_to_a_step_that_has_not_run(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        screen.debug.select("summarise")
        await screen.press("i", *"hi", "ctrl+s")
        assert screen.debugger.session.output_edits["summarise"].text == '{"text":"hi"}'


async def test_o_opens_the_prompt_as_text_and_sends_only_what_differs(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        screen.debug.select("summarise")
        await screen.press("o")
        assert screen.debug.editor.state is not None
        assert screen.debug.editor.state.titles[0] == "prompt"
        assert area(screen).text.startswith("Summarise what this customer wants")
        await screen.press(*"again", "space", "ctrl+s")
        edits = screen.debugger.session.block_edits["summarise"]
        assert list(edits) == ["prompt"]
        await screen.press("n", "n")
        assert "The second version" in screen.lines("#output-text")


async def test_the_fields_of_a_block_are_tabs_and_the_whole_is_one_more(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        screen.debug.select("summarise")
        await screen.press("o")
        state = screen.debug.editor.state
        assert state is not None
        assert state.titles[-1] == "whole block"
        await screen.press("f7")
        block = json.loads(area(screen).text)
        assert block["model"] == "scripted/talk"
        area(screen).text = json.dumps({**block, "temprature": 1})
        await screen.until(lambda: "did you mean `temperature`?" in screen.lines("#problem"))
        area(screen).text = json.dumps({**block, "temperature": 0.5})
        await screen.press("ctrl+s")
        edits = screen.debugger.session.block_edits["summarise"]
        assert edits == {"temperature": JsonText("0.5")}


async def test_a_wrong_json_is_told_with_its_place_and_not_taken(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n", "i")
        area(screen).text = '{\n  "ticket": 1\n  "x": 2\n}'
        await screen.until(lambda: "line 3, column 3" in screen.lines("#problem"))
        await screen.press("ctrl+s")
        assert screen.debug.editor.state is not None
        assert area(screen).cursor_location == (2, 2)
        assert screen.debugger.session.output_edits == {}


async def test_what_is_left_unfinished_is_a_draft_that_survives_the_program(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        await screen.press("n", "i")
        area(screen).text = '{"ticket":'
        await screen.press("escape")
        assert screen.debugger.session.output_edits == {}
        assert screen.lines("#plan").startswith("∓✓")
    async with open_screen(resume=True) as screen:
        await screen.until(lambda: screen.lines("#plan").startswith("∓✓"))
        screen.debug.select("take")
        await screen.press("i")
        assert area(screen).text == '{"ticket":'
        await screen.press("ctrl+r")
        assert '"id": 812' in area(screen).text
        await screen.press("ctrl+s")
        assert screen.lines("#plan").startswith(" ✓")


async def test_what_is_being_typed_is_kept_before_the_editor_is_left(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        await screen.press("n", "i", "x")
        await screen.until(lambda: bool(screen.debug.drafts.steps()))
        await screen.settle()
        assert await screen.debugger.load_draft("screen") is not None


async def test_enter_on_a_leaf_edits_that_leaf_alone(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n", "2", "j", "j", "j", "enter")
        assert screen.debug.leaf.display
        assert "ticket.tier =" in screen.lines("#path")
        await screen.press(*"gold", "enter")
        edit = screen.debugger.session.output_edits["take"]
        assert edit.value["ticket"]["tier"] == "gold"
        assert '± tier: "gold"   was "silver"' in screen.lines("#output-tree")


async def test_a_leaf_keeps_its_type_unless_it_is_changed(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n", "2", "j", "j", "enter", *"99", "enter")
        assert screen.debugger.session.output_edits["take"].value["ticket"]["id"] == 99
        await screen.press("enter", *"x1", "enter")
        assert screen.debug.leaf.display
        await screen.press("ctrl+t", "enter")
        assert screen.debugger.session.output_edits["take"].value["ticket"]["id"] == "x1"


async def test_x_takes_the_edits_of_the_step_back(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await summarised(screen)
        await screen.press("i", *"x", "ctrl+s", "o", *"y", "ctrl+s")
        assert screen.lines("#plan").splitlines()[1].startswith("±✓")
        assert "±2" in screen.status
        await screen.press("x")
        session = screen.debugger.session
        assert (session.output_edits, session.block_edits) == ({}, {})
        assert "A summary in five words." in screen.lines("#output-text")


async def test_u_undoes_edits_one_by_one(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await summarised(screen)
        await screen.press("i", *"1", "ctrl+s")
        first = screen.debugger.session.output_edits["summarise"]
        await screen.press("i", *"2", "ctrl+s")
        await screen.press("x")
        await screen.press("U")
        assert screen.debugger.session.output_edits["summarise"] != first
        await screen.press("U")
        assert screen.debugger.session.output_edits["summarise"] == first
        await screen.press("U")
        assert screen.debugger.session.output_edits == {}


async def test_editing_back_to_the_original_removes_the_edit(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await summarised(screen)
        await screen.press("i", *"x", "ctrl+s")
        await screen.press("i", "ctrl+r", "ctrl+s")
        assert screen.debugger.session.output_edits == {}


async def test_a_terminal_that_cannot_be_handed_over_keeps_the_editor_here(
    open_screen: OpenScreen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR", "false")
    async with open_screen() as screen:
        await summarised(screen)
        await screen.press("i", "ctrl+e")
        assert "cannot be handed to another program" in screen.toasts()[-1]
        assert area(screen).text == "A summary in five words."


async def test_without_an_editor_the_way_out_is_told(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await summarised(screen)
        await screen.press("ctrl+e")
        assert "Neither $VISUAL nor $EDITOR is set" in screen.toasts()[-1]


async def test_a_name_that_the_step_does_not_see_is_said_and_can_be_applied(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        screen.debug.select("summarise")
        await screen.press("o")
        area(screen).text = "In short: {{ initial.mesage }}"
        await screen.until(lambda: "did you mean" in said_below(screen))
        assert said_below(screen) == (
            "line 1, column 14: `{{ initial.mesage }}`: did you mean `initial.message`?"
        )
        assert screen.debug.editor.query_one("#problem").has_class("-warning")
        await screen.press("ctrl+s")
        assert "summarise" in screen.debugger.session.block_edits


async def test_code_is_checked_while_typing_and_taken_when_asked_again(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        screen.debug.select("count")
        await screen.press("o")
        area(screen).text = "total = 1\nreturn {'words': total"
        await screen.until(lambda: "line 2, column 8" in said_below(screen))
        await screen.press("ctrl+s")
        assert screen.debug.editor.state is not None
        assert said_below(screen).endswith("^s again takes it all the same")
        assert area(screen).cursor_location == (1, 7)
        await screen.press("ctrl+s")
        edits = screen.debugger.session.block_edits["count"]
        assert edits["code"].value == "total = 1\nreturn {'words': total"


async def test_a_prompt_is_coloured_up_to_a_size_that_keeps_keys_quick(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        screen.debug.select("summarise")
        await screen.press("o")
        assert area(screen).language == "markdown"
        styles = {str(span.style) for span in area(screen).get_line(2).spans}
        assert styles  # the template's names
        area(screen).insert("x" * 70_000)
        assert area(screen).language is None
        assert len(area(screen).text) > 70_000


async def test_what_the_external_editor_gave_and_was_not_taken_stays_to_be_seen(
    open_screen: OpenScreen, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited = '{"ticket": '

    async def edit(*_: object) -> str:
        return edited

    monkeypatch.setattr("flowdbg.tui.parts.editing.edit_externally", edit)
    async with open_screen() as screen:
        await screen.press("n")
        screen.debug.select("take")
        await screen.press("ctrl+e")
        assert screen.lines("#plan").startswith("∓✓")
        assert "∓ Take ticket  not taken: li" in screen.lines("#edits")
        note = str(screen.debug.detail.border_subtitle)
        assert note == ("∓ not taken: line 1, column 12: a value is expected here")
        screen.debug.select("count")
        await screen.settle()
        assert not screen.debug.detail.border_subtitle
        screen.debug.select("take")
        await screen.press("i")
        assert area(screen).text == edited
        area(screen).text = '{"ticket": 1}'
        await screen.press("ctrl+s")
        assert not screen.debug.detail.border_subtitle
        assert "∓" not in screen.lines("#plan")


async def test_what_is_typed_into_an_empty_output_takes_its_place(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("i")
        assert screen.debug.editor.area.text == "{}"
        await screen.press(*'{"x": 1}', "ctrl+s")
        assert screen.debugger.session.output_edits["take"].value == {"x": 1}
