"""What the program asks: inputs, a plan that changed, which session, whether to leave."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flowdbg.core.json_text import join
from flowdbg.core.session import State
from flowdbg.store import list_sessions
from flowdbg.tui.debug import DebugScreen
from flowdbg.tui.picker import PickerApp
from flowdbg.tui.screens.confirm import ConfirmScreen
from flowdbg.tui.screens.inputs import InputsScreen
from flowdbg.tui.screens.sessions import SessionsScreen
from flowdbg.tui.screens.stale import ChangesView, StaleScreen
from flowdbg.tui.widgets.edit_area import EditArea
from tests.tui.conftest import Flow, OpenScreen, Screen
from tests.tui.flows import FLOW

RENAMED = FLOW.replace("name: Summarise", "name: Sum up").replace("in five words", "in brief")
INSERTED = FLOW.replace("  - id: count\n", "  - {id: check, kind: passthrough}\n  - id: count\n")


async def test_without_a_message_the_program_asks_with_a_form(open_screen: OpenScreen) -> None:
    async with open_screen(message=None) as screen:
        form = screen.app.screen
        assert isinstance(form, InputsScreen)
        await screen.press("ctrl+s")
        assert isinstance(screen.app.screen, InputsScreen)
        form.query_one("#field-0", EditArea).text = "It is broken"
        await screen.press("ctrl+s")
        assert isinstance(screen.app.screen, DebugScreen)
        session = screen.debugger.session
        assert session.message == "It is broken"
        assert session.parameters.value == {"tone": "friendly"}
        await screen.press("n")
        body = json.loads(join(screen.debugger.session.turns[0].body))
        assert (body["message"], body["parameters"]) == ("It is broken", {"tone": "friendly"})


async def test_with_a_message_nothing_is_asked_and_m_changes_it(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        assert isinstance(screen.app.screen, DebugScreen)
        await screen.press("m")
        form = screen.app.screen
        assert isinstance(form, InputsScreen)
        assert form.query_one("#field-0", EditArea).text == "I was charged twice"
        await screen.press("escape")
        assert screen.debugger.session.message == "I was charged twice"


@pytest.mark.parametrize("text", [RENAMED, INSERTED], ids=["renamed", "inserted"])
async def test_a_plan_that_changed_is_shown_beside_the_old_one(
    open_screen: OpenScreen, flow: Flow, text: str
) -> None:
    async with open_screen() as screen:
        await screen.press("n")
        flow.publish(text)
        await screen.press("n")
        stale = screen.app.screen
        assert isinstance(stale, StaleScreen)
        view = stale.query_one(ChangesView)
        rows = [view.row_text(at) for at in range(view.row_count())]
        if text == RENAMED:
            assert "2 Summarise" in rows[1]
            assert "2 Sum up" in rows[1]
            assert "changed" in rows[1]
            assert "renamed, prompt" in rows[1]
        else:
            assert "4 check" in rows[3]
            assert "new" in rows[3]
        await screen.press("escape")
        assert screen.status.startswith("PLAN CHANGED")
        assert "take" in screen.lines("#outputs")
        assert "Summarise" in screen.lines("#plan")


async def test_one_key_starts_again_on_the_new_plan(open_screen: OpenScreen, flow: Flow) -> None:
    async with open_screen() as screen:
        await screen.press("n")
        flow.publish(RENAMED)
        await screen.press("n", "R")
        session = screen.debugger.session
        assert (session.state, session.cursor, session.version) == (State.PAUSED, 0, 2)
        assert "Sum up" in screen.lines("#plan")


async def test_another_key_goes_on_pinned_to_the_old_version(
    open_screen: OpenScreen, flow: Flow
) -> None:
    async with open_screen() as screen:
        await screen.press("n")
        flow.publish(RENAMED)
        await screen.press("n", "P")
        session = screen.debugger.session
        assert (session.state, session.cursor, session.pinned) == (State.PAUSED, 1, 1)
        await screen.press("c")
        assert screen.debugger.session.state is State.DONE


async def test_n_shows_the_new_plan_again(open_screen: OpenScreen, flow: Flow) -> None:
    async with open_screen() as screen:
        await screen.press("n")
        flow.publish(INSERTED)
        await screen.press("n", "escape", "N")
        assert isinstance(screen.app.screen, StaleScreen)


async def test_a_session_goes_on_where_it_stood(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n", "2", "j", "j", "enter", *"7", "enter", "1", "j", "b")
        await screen.press("q")
    async with open_screen(resume=True) as screen:
        assert screen.status.startswith("PAUSED  before 2/5 Summarise")
        plan = screen.lines("#plan").splitlines()
        assert plan[0].startswith("±✓")
        assert plan[1].startswith("●▶")
        assert screen.debug.step_id == "summarise"  # as it was left
        screen.debug.select("take")
        await screen.settle()
        assert "± id: 7" in screen.lines("#output-tree")
        await screen.press("n")
        assert screen.debugger.session.cursor == 2


async def test_the_picker_lists_sessions_and_gives_the_chosen_one(
    open_screen: OpenScreen, tmp_path: Path
) -> None:
    async with open_screen() as screen:
        await screen.press("n")
    stored = list_sessions(tmp_path / "sessions")
    app = PickerApp(stored)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, SessionsScreen)
        row = app.screen.query_one("SessionsView").render_line(0).text
        assert "paused" in row
        assert "/triage-" in row
        assert "1/5" in row
        assert "just now" in row
        await pilot.press("enter")
    assert app.return_value == stored[0].path


async def test_an_empty_picker_says_how_to_start() -> None:
    app = PickerApp([])
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        first = app.screen.query_one("#first")
        assert "flowdbg demo" in "\n".join(
            first.render_line(y).text for y in range(first.size.height)
        )
        await pilot.press("q")
    assert app.return_value is None


async def test_capital_s_leaves_for_another_session(
    open_screen: OpenScreen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with open_screen(session_id="older") as screen:
        await screen.press("n")
    monkeypatch.setattr("flowdbg.config.paths.sessions_dir", lambda: tmp_path / "sessions")
    async with open_screen(session_id="newer") as screen:
        await screen.press("S")
        chosen = screen.app.screen
        assert isinstance(chosen, SessionsScreen)
        rows = chosen.query_one("SessionsView")
        assert "open here" in rows.render_line(0).text
        assert "paused" in rows.render_line(1).text
        await screen.pilot.press("G", "enter")
        await screen.pilot.pause()
        assert screen.app.return_value == tmp_path / "sessions" / "older.flowdbg"


async def test_q_leaves_at_once_when_nothing_runs(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.pilot.press("q")
        await screen.pilot.pause()
        assert screen.app._exit


async def slow(screen: Screen) -> None:
    await screen.press("n")
    screen.debug.select("summarise")
    await screen.press("o", *"slowly", "ctrl+s")
    await screen.pilot.press("n")
    await screen.until(lambda: screen.debug.session.running is not None)


async def test_ctrl_c_on_a_screen_over_the_debugger_says_how_to_go_back(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        await screen.press("n", "B", "ctrl+c")
        await screen.until(lambda: screen.toasts() == ["esc goes back from here."])


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_q_asks_while_a_step_runs(open_screen: OpenScreen, key: str) -> None:
    async with open_screen() as screen:
        await slow(screen)
        await screen.pilot.press(key)
        await screen.until(lambda: screen.app.screen is not screen.debug)
        assert isinstance(screen.app.screen, ConfirmScreen)
        await screen.pilot.press("n")
        await screen.pilot.pause()
        assert isinstance(screen.app.screen, DebugScreen)
        assert screen.debugger.session.running is not None
        await screen.press("ctrl+c")
