"""Every verb by its key: what it does to the session, and what the screen says."""

from __future__ import annotations

import asyncio

import pytest

from flowdbg.core.entries import Outcome, StopReason
from flowdbg.core.session import State
from tests.tui.conftest import Flow, OpenScreen, Screen


def ran(screen: Screen) -> list[str]:
    """The steps that have an output on the current branch."""
    return list(screen.debugger.session.branch.outputs)


async def change_prompt(screen: Screen, word: str) -> None:
    """Select the second step and put a word before its prompt."""
    screen.debug.select("summarise")
    await screen.press("o", *word, "space", "ctrl+s")


async def test_the_screen_opens_paused_before_the_first_step(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        assert screen.status.startswith("PAUSED  before 1/5 Take ticket  triage-")
        assert screen.debug.step_id == "take"


async def test_n_runs_one_step_and_shows_what_it_produced(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n")
        assert ran(screen) == ["take"]
        assert screen.status.startswith("PAUSED  before 2/5 Summarise")
        assert "id: 812" in screen.lines("#output-tree")
        await screen.press("n")
        assert screen.debug.step_id == "summarise"
        assert "A summary in five words." in screen.lines("#output-text")


async def test_c_continues_to_the_end(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("c")
        assert screen.debugger.session.state is State.DONE
        assert len(screen.debugger.session.turns) == 5
        assert screen.status.startswith("DONE  after 5/5 steps")


async def test_c_stops_at_a_breakpoint_and_says_so(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        screen.debug.select("count")
        await screen.press("b")
        assert screen.lines("#plan").splitlines()[4].startswith("●")
        await screen.press("c")
        assert ran(screen) == ["take", "summarise", "each"]
        assert screen.debugger.session.stop.reason is StopReason.BREAKPOINT
        assert screen.status.startswith("PAUSED  breakpoint before 4/5 Count")
        screen.debug.select("count")
        await screen.press("b")
        assert screen.debugger.session.breakpoints == {}


async def test_capital_e_runs_everything_in_one_call(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("E")
        assert screen.debugger.session.state is State.DONE
        assert len(screen.debugger.session.turns) == 1


async def test_t_stops_before_the_selected_step_and_keeps_it_selected(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        screen.debug.select("each")
        await screen.press("t")
        assert ran(screen) == ["take", "summarise"]
        assert screen.debug.step_id == "each"


async def test_r_runs_the_last_step_again_on_a_branch_of_its_own(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n", "n")
        await screen.press("n")
        await screen.press("r")
        session = screen.debugger.session
        assert session.current == 1
        assert "retry #1" in screen.status
        assert len(session.attempts("each")) == 2


async def test_capital_r_begins_a_new_run_and_keeps_the_edits(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n")
        await change_prompt(screen, "again")
        await screen.press("R")
        session = screen.debugger.session
        assert (session.cursor, session.branch.execution_id) == (0, "")
        assert "summarise" in session.block_edits
        assert screen.debug.step_id == "take"
        assert any("with your edits" in toast for toast in screen.toasts())


async def test_capital_f_forks_before_the_selected_step(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("c")
        screen.debug.select("summarise")
        await screen.press("F")
        session = screen.debugger.session
        assert (session.current, session.cursor) == (1, 1)
        assert list(session.branch.outputs) == ["take"]
        assert len(session.branches[0].outputs) == 5


async def test_ctrl_c_cancels_and_keeps_what_came(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n")
        await change_prompt(screen, "slowly")
        await screen.pilot.press("n")
        await screen.until(lambda: "one" in screen.lines("#output-text"))
        assert screen.status.startswith("RUNNING  2/5 Summarise")
        await screen.press("ctrl+c")
        assert screen.debugger.session.turns[-1].outcome is Outcome.CANCELLED
        assert screen.status.startswith("CANCELLED")
        assert "one" in screen.lines("#output-text")


async def test_ctrl_c_gives_up_a_restart_that_a_silent_server_holds_up(
    open_screen: OpenScreen, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_screen() as screen:
        await screen.press("n")
        asked = asyncio.Event()

        async def silent(version: int | None) -> None:
            del version
            asked.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(screen.debugger.target, "fetch_plan", silent)
        await screen.pilot.press("R")
        await screen.until(asked.is_set)
        await screen.press("ctrl+c")
        assert screen.debugger.session.cursor == 1
        assert not screen.debug.moves.is_under_way
        monkeypatch.undo()
        await screen.press("n")
        assert screen.debugger.session.cursor == 2


async def test_a_second_verb_is_refused_while_one_runs(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n")
        await change_prompt(screen, "slowly")
        await screen.pilot.press("n")
        await screen.until(lambda: screen.debug.session.running is not None)
        for key in "ncR":
            await screen.pilot.press(key)
            await screen.pilot.pause()
            assert "is running" in screen.toasts()[-1]
        await screen.press("ctrl+c")
        assert len(screen.debugger.session.turns) == 2


async def test_a_failed_step_says_why_and_can_be_retried(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n")
        await change_prompt(screen, "fails")
        await screen.press("n")
        assert screen.status.startswith("FAILED  in 2/5 Summarise")
        assert "FAILED: the model is [/out] of order" in screen.lines("#output-text")
        assert screen.lines("#plan").splitlines()[1].startswith("±✗")
        screen.debug.select("summarise")
        await screen.press("x", "r")
        assert screen.debugger.session.cursor == 2
        assert len(screen.debugger.session.attempts("summarise")) == 2


async def test_capital_p_pins_the_version_that_runs(open_screen: OpenScreen, flow: Flow) -> None:
    async with open_screen() as screen:
        await screen.press("n", "P")
        flow.publish()
        await screen.press("c")
        assert screen.debugger.session.state is State.DONE
        assert "@1 pinned" in screen.status


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("r", "Nothing has run yet"),
        ("ctrl+c", "Nothing is running"),
        ("x", "The selected step has no edits"),
        ("t", "The selected step does not lie ahead"),
        ("left_square_bracket", "Nothing has run yet"),
        ("U", "No edit was made"),
        ("full_stop", "Nothing was searched in this pane"),
        ("N", "The plan did not change"),
    ],
)
async def test_a_key_that_cannot_act_says_why(open_screen: OpenScreen, key: str, said: str) -> None:
    async with open_screen() as screen:
        await screen.press(key)
        assert screen.toasts()[-1].startswith(said)


async def test_s_goes_past_a_failed_step_with_an_output_of_ones_own(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        await screen.press("n", "s")
        assert "has no output of yours to go on with; give it one first (i)" in screen.toasts()[-1]
        await change_prompt(screen, "fails")
        await screen.press("n")
        assert screen.status.startswith("FAILED")
        assert "i gives it an output to go on with" in screen.debug.tips.said
        await screen.press("i")
        screen.debug.editor.area.text = "my own words"
        await screen.press("ctrl+s")
        assert "s goes on with your output" in screen.debug.tips.said
        assert screen.debug.footer.shown[0].action_id == "run.skip"
        await screen.press("s")
        assert screen.status.startswith("PAUSED  before 3/5 Each document")
        assert screen.debug.step_id == "each"
        assert "Step 2 skipped; your output stands in for it" in screen.toasts()
        await screen.press("c")
        assert screen.debugger.session.branch.outputs["count"].value == {"words": 3}
        assert screen.debugger.session.state is State.DONE
