"""Branches: what there are, looking at one, going on from it, comparing it with another."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowdbg.config import paths
from flowdbg.core.json_text import JsonText
from flowdbg.store import SessionStore, session_path
from flowdbg.tui.screens.branches import BranchesScreen
from flowdbg.tui.screens.compare import CompareScreen
from flowdbg.tui.screens.sessions import SessionsScreen
from flowdbg.tui.screens.text import TextScreen
from flowdbg.tui.widgets.branches_view import BranchesView
from flowdbg.tui.widgets.footer_bar import FooterBar
from flowdbg.tui.widgets.line_view import LineView
from tests.tui.conftest import OpenScreen, Screen


def branches(screen: Screen) -> BranchesScreen:
    """The list of branches, which must be seen."""
    shown = screen.app.screen
    assert isinstance(shown, BranchesScreen)
    return shown


async def compared(screen: Screen) -> CompareScreen:
    """The comparison, which must be seen, once it is made."""
    shown = screen.app.screen
    assert isinstance(shown, CompareScreen)
    await screen.until(lambda: shown.step is not None)
    await screen.pilot.pause()
    return shown


def text_of(view: LineView) -> list[str]:
    """The rows of a list."""
    return [view.row_text(at).strip() for at in range(view.row_count())]


def listed(screen: Screen) -> list[str]:
    """What the list of branches says."""
    return text_of(branches(screen).query_one(BranchesView))


def against(screen: CompareScreen) -> str:
    """What is said below the difference."""
    return str(screen.query_one("#difference").border_subtitle)


async def forked(screen: Screen) -> None:
    """Run three steps, then two of them again with another prompt on a branch."""
    await screen.press("n", "n", "n", "g", "j", "o", *"again", "space", "ctrl+s")
    await screen.press("F", "n", "n")
    assert screen.debugger.session.branch.parent == 0


async def test_b_lists_the_branches_with_why_they_began(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await forked(screen)
        await screen.press("B")
        first, second = listed(screen)
        assert first.startswith("▶ #0 start")
        assert "‖ paused" in first
        assert second.startswith("→  └ ▶ #1 fork before 2 Summarise")
        assert "±1" in second
        steps = text_of(branches(screen).query_one("#steps", LineView))
        assert [step[:1] for step in steps] == ["✓", "≠", "≠", "·", "·"]
        assert "against #0: 2 of 5 steps differ" in str(
            branches(screen).query_one("#said").border_subtitle
        )
        await screen.pilot.press("escape")
        await screen.until(lambda: screen.app.screen is screen.debug)


async def test_enter_looks_at_a_branch_as_it_was_left(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await forked(screen)
        await screen.press("B", "k", "enter")
        assert screen.status.startswith("VIEWING  before 4/5 Count  turn 3 of 5, branch #0")
        assert "#0 as it was" in str(screen.debug.flow_pane.border_title)
        assert "±" not in screen.lines("#plan")
        screen.debug.select("summarise")
        await screen.settle()
        assert "A summary in five words." in screen.lines("#output-text")
        await screen.press("H")
        assert "VIEWING" not in screen.status
        assert "±1" in screen.lines("#plan")


async def test_f_forks_from_the_branch_that_is_looked_at(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await forked(screen)
        left = screen.debugger.session.branches[0]
        await screen.press("B", "k", "enter")
        screen.debug.select("each")
        await screen.press("F")
        branch = screen.debugger.session.branch
        assert (branch.number, branch.parent, branch.cursor) == (2, 0, 2)
        assert branch.outputs["summarise"] == left.outputs["summarise"]
        assert "Branch of #0 before step 3" in screen.toasts()[-1]
        assert "VIEWING" not in screen.status


async def test_f_does_not_fork_before_a_step_that_the_branch_did_not_reach(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        await screen.press("n", "F", "n", "n", "n", "left_square_bracket")
        await screen.press("left_square_bracket", "left_square_bracket")
        assert "turn 1 of 4" in screen.status
        screen.debug.select("count")
        await screen.press("F")
        assert "not reached" in screen.toasts()[-1]
        assert len(screen.debugger.session.branches) == 2


@pytest.mark.parametrize("key", ["n", "c", "E", "t", "r", "i", "o", "x", "X", "U", "ctrl+e", "a"])
async def test_nothing_runs_and_nothing_is_edited_while_an_earlier_turn_is_looked_at(
    open_screen: OpenScreen, key: str
) -> None:
    async with open_screen() as screen:
        await screen.press("n", "n", "left_square_bracket", key)
        assert "F forks from here, H goes back to the present" in screen.toasts()[-1]
        assert screen.debug.editor.state is None
        assert len(screen.debugger.session.turns) == 2
        labels = [hint.label for hint in screen.debug.footer.shown]
        assert labels[:2] == ["Fork", "Present"]


async def test_f_in_the_list_goes_on_from_the_end_of_a_branch(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await forked(screen)
        left = screen.debugger.session.branches[0]
        await screen.press("B", "k")
        await screen.pilot.press("F")
        await screen.until(lambda: len(screen.debugger.session.branches) == 3)
        await screen.settle()
        branch = screen.debugger.session.branch
        assert (branch.parent, branch.cursor) == (0, 3)
        assert branch.outputs == left.outputs
        assert screen.debug.step_id == "count"
        await screen.press("n")
        assert screen.debugger.session.cursor == 4


async def test_a_branch_at_its_end_or_in_hand_is_not_gone_on_from(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("E", "F", "B", "F")
        assert "n goes on" in screen.toasts()[-1]
        await screen.press("k", "F")
        assert "at its end" in screen.toasts()[-1]
        assert len(screen.debugger.session.branches) == 2


async def test_a_branch_on_which_nothing_ran_can_be_looked_at(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n", "n", "g", "F", "F", "B")
        branches(screen).query_one(BranchesView).stand_on_branch(1)
        await screen.press("enter")
        assert "fork #1, nothing ran on it" in screen.status
        await screen.press("left_square_bracket")
        assert "turn 2 of 2" in screen.status
        await screen.press("right_square_bracket")
        assert "VIEWING" not in screen.status


async def test_l_unfolds_a_branch_to_its_turns_and_enter_goes_to_one(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        await forked(screen)
        await screen.press("B", "k", "l")
        turns = [row for row in listed(screen) if "turn" in row]
        assert [row.split("  ")[0].strip("│ ") for row in turns] == [
            "turn 1: 1 Take ticket", "turn 2: 2 Summarise", "turn 3: 3 Each document",
        ]  # fmt: skip
        await screen.press("j", "j", "h")
        assert len(listed(screen)) == 2
        assert branches(screen).query_one(BranchesView).cursor == 0
        await screen.press("l", "j", "j", "enter")
        assert "turn 2 of 5" in screen.status


async def test_the_newest_turn_is_the_present(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n", "n", "B", "l", "G", "enter")
        assert "VIEWING" not in screen.status
        assert screen.debug.step_id == "each"


async def test_d_compares_a_branch_with_the_one_it_left(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await forked(screen)
        await screen.press("B", "D")
        shown = await compared(screen)
        assert against(shown) == "output: #0 attempt 1 → #1 attempt 1"
        assert shown.step is not None
        assert shown.step.step_id == "summarise"
        assert str(shown.query_one("#steps").border_subtitle) == "2 of 5 steps differ"
        await screen.press("v", "v")
        assert against(shown) == "block: #0 attempt 1 → #1 attempt 1"
        await screen.press("escape")
        assert isinstance(screen.app.screen, BranchesScreen)


async def test_each_step_opens_on_what_differs_there(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await forked(screen)
        await screen.press("B", "D")
        shown = await compared(screen)
        assert against(shown).startswith("output:")
        await screen.press("j")
        assert shown.step is not None
        assert shown.step.said.startswith("input")
        assert against(shown).startswith("input:")
        await screen.press("v", "v")
        assert against(shown).startswith("output:")
        await screen.press("k")
        assert against(shown).startswith("output:")


async def test_space_marks_what_others_are_compared_with(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await forked(screen)
        await screen.press("R", "n", "B")
        branches(screen).query_one(BranchesView).stand_on_branch(1)
        await screen.press("space")
        assert listed(screen)[1].startswith("≠")
        branches(screen).query_one(BranchesView).stand_on_branch(2)
        await screen.press("D")
        shown = await compared(screen)
        said = str(shown.query_one("#versus").render())
        assert "#1 fork before 2 Summarise" in said
        assert "#2 restart" in said
        await screen.press("escape", "k", "space")
        assert not any(row.startswith("≠") for row in listed(screen)[:1])


async def test_one_branch_alone_has_nothing_to_compare_with(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n", "C")
        assert "There is one branch" in screen.toasts()[-1]
        await screen.press("B", "D")
        assert "no other branch" in screen.toasts()[-1]


async def test_c_compares_from_the_selected_step(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await forked(screen)
        screen.debug.select("summarise")
        await screen.press("C")
        shown = await compared(screen)
        assert [row.split()[0] for row in text_of(shown.query_one("#compared", LineView))] == [
            "=", "=", "≠", "≠", "·", "·",
        ]  # fmt: skip
        rows = text_of(shown.query_one("#diff", LineView))
        assert rows == ['± text: "A summary in five words." → "The second version of the summary."']


async def test_sides_go_through_the_attempts_and_are_swapped(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n", "n", "r", "r")
        screen.debug.select("summarise")
        await screen.press("C")
        shown = await compared(screen)
        assert against(shown) == "output: #1 attempt 2 → #2 attempt 3"
        await screen.press("left_square_bracket")
        assert against(shown) == "output: #0 attempt 1 → #2 attempt 3"
        await screen.press("left_square_bracket")
        assert "no other attempt" in screen.toasts()[-1]
        await screen.press("left_curly_bracket", "right_square_bracket")
        assert against(shown) == "output: #1 attempt 2 → #1 attempt 2"
        await screen.press("right_curly_bracket", "s")
        await screen.until(lambda: shown.step is not None)
        await screen.pilot.pause()
        assert against(shown) == "output: #2 attempt 3 → #1 attempt 2"


async def test_only_what_differs_can_be_listed_and_gone_through(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n", "n", "n", "n", "g", "i")
        screen.debug.editor.area.text = '{"ticket": {"text": "x"}, "documents": ["other"]}'
        await screen.press("ctrl+s", "j", "F", "n", "n", "C")
        shown = await compared(screen)
        rows = shown.query_one("#compared", LineView)
        whole = rows.row_count()
        assert whole == 8  # the run, its five steps, and two inside the loop that differ
        await screen.press("o")
        assert all(row.startswith(("≠", "−", "+")) for row in text_of(rows))
        before = shown.step
        await screen.press("n")
        assert shown.step != before
        await screen.press("N", "o")
        assert shown.step == before
        assert rows.row_count() == whole


async def test_the_difference_is_copied_with_its_title(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await forked(screen)
        await screen.press("C")
        await compared(screen)
        await screen.press("n", "y")
        assert screen.app.clipboard.startswith("output: #0 attempt 1 → #1 attempt 1\n")


async def test_the_mouse_opens_what_the_keys_open(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await forked(screen)
        await screen.press("B")
        footer = branches(screen).query_one(FooterBar)
        at = next(end for end, name in footer._ends if name == "branches.compare") - 2
        await screen.pilot.click(footer, offset=(at, 0))
        await screen.pilot.pause()
        shown = await compared(screen)
        await screen.pilot.click(shown.query_one("#views"), offset=(14, 0))
        await screen.pilot.pause()
        assert against(shown).startswith("input: ")
        await screen.press("escape")
        await screen.pilot.click(branches(screen).query_one(BranchesView), offset=(8, 0), times=2)
        await screen.settle()
        assert "branch #0" in screen.status


@pytest.mark.parametrize(("keys", "says"), [("B", "BRANCHES"), ("C", "COMPARE")])
async def test_help_is_about_the_screen(open_screen: OpenScreen, keys: str, says: str) -> None:
    async with open_screen() as screen:
        await screen.press("n", "r", keys)
        await screen.press("question_mark")
        shown = screen.app.screen
        assert isinstance(shown, TextScreen)
        assert shown._text.startswith(says)


async def test_the_keys_of_the_lists_can_be_changed(open_screen: OpenScreen) -> None:
    async with open_screen(keys={"branches.compare": "x", "compare.back": "w"}) as screen:
        await screen.press("n", "r", "B", "x")
        await compared(screen)
        await screen.press("w")
        assert isinstance(screen.app.screen, BranchesScreen)


async def test_a_session_that_goes_on_is_listed_as_it_goes(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n", "B")
        await screen.debugger.step()
        await screen.until(lambda: "2/5" in listed(screen)[0])


async def test_lists_and_differences_are_searched(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await forked(screen)
        await screen.press("B", "slash", *"start", "enter")
        assert branches(screen).query_one(BranchesView).cursor == 0
        await screen.press("slash", *"q", "escape")
        await screen.press("j", "D")
        shown = await compared(screen)
        await screen.press("slash", *"count")
        assert "1/1" in str(shown.query_one("#count").render())
        await screen.press("enter")
        assert shown.step is not None
        assert shown.step.step_id == "count"
        await screen.press("full_stop", "comma", "n", "tab", "slash", *"version", "enter")
        diff = shown.query_one("#diff", LineView)
        assert diff.hits is not None
        assert diff.hits.label == "1/1"
        await screen.press("escape")
        assert isinstance(screen.app.screen, BranchesScreen)


async def test_large_outputs_are_compared_while_the_keys_are_answered(
    open_screen: OpenScreen,
) -> None:
    large = {"text": "One sentence of many. " * 20_000, "id": 1}
    other = {"text": "One sentence of many. " * 19_999 + "The end.", "id": 2}
    async with open_screen() as screen:
        await screen.press("n")
        await screen.debugger.edit_output("take", JsonText.of(large))
        await screen.press("n", "R")
        await screen.debugger.edit_output("take", JsonText.of(other))
        await screen.press("B")
        steps = branches(screen).query_one("#steps", LineView)
        await screen.until(lambda: "≠" in steps.row_text(0))
        await screen.press("D")
        shown = await compared(screen)
        diff = shown.query_one("#diff", LineView)
        await screen.until(lambda: diff.row_count() > 1)
        rows = text_of(diff)
        assert "▶ 19,998 unchanged sentences" in rows
        assert "+ The end." in rows
        assert "± id: 1 → 2" in rows


def keep_beside(screen: Screen, tmp_path: Path, name: str) -> None:
    """Put a copy of the session, with another id, among the sessions of this machine."""
    source = SessionStore.open(session_path(tmp_path / "sessions", "one"), read_only=True)
    folder = paths.sessions_dir()
    folder.mkdir(parents=True, exist_ok=True)
    copy = SessionStore.create(folder, session_id=name, meta=source.meta)
    copy.append([stored.record for stored in source.read()])
    copy.close()
    source.close()


async def test_another_session_of_the_flow_is_compared_without_being_opened(
    open_screen: OpenScreen, tmp_path: Path
) -> None:
    async with open_screen() as screen:
        screen.debug.action_do("view.compare-session")
        await screen.settle()
        assert "no other session" in screen.toasts()[-1]
        await screen.press("n", "n")
        keep_beside(screen, tmp_path, "20260101-000000-other1")
        kept = session_path(paths.sessions_dir(), "20260101-000000-other1")
        before = kept.read_bytes()
        await screen.debugger.edit_block("summarise", {"prompt": JsonText('"again"')})
        await screen.press("r")
        screen.debug.action_do("view.compare-session")
        await screen.until(lambda: isinstance(screen.app.screen, SessionsScreen))
        await screen.press("enter")
        await screen.until(lambda: isinstance(screen.app.screen, CompareScreen))
        shown = await compared(screen)
        assert against(shown).startswith("output: ")
        assert "→" in against(shown)
        assert shown.step is not None
        assert shown.step.step_id == "summarise"
        assert kept.read_bytes() == before


async def test_from_a_comparison_one_goes_on_to_another_session(
    open_screen: OpenScreen, tmp_path: Path
) -> None:
    async with open_screen() as screen:
        await screen.press("n", "n", "r", "C")
        shown = await compared(screen)
        keep_beside(screen, tmp_path, "20260101-000000-other1")
        await screen.press("S")
        await screen.until(lambda: isinstance(screen.app.screen, SessionsScreen))
        await screen.press("enter")
        await screen.until(lambda: ": one #1 attempt" in against(shown))
        await screen.press("escape", "B", "S")
        await screen.until(lambda: isinstance(screen.app.screen, SessionsScreen))
        await screen.press("escape")
        assert isinstance(screen.app.screen, BranchesScreen)
