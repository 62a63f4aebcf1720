"""Panes: keys that go to them, what is seen at which size, the footer, the mouse."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.widgets import Static

from flowdbg.present.tips import Tip
from flowdbg.tui.host import FlowdbgApp
from tests.tui.conftest import Flow, OpenScreen, Screen
from tests.tui.flows import FLOW

PANES = {"1": "flow", "2": "detail", "3": "outputs", "4": "edits", "5": "events"}


def seen(screen: Screen) -> set[str]:
    """The panes that take space on the screen."""
    return {name for name in PANES.values() if screen.debug.query_one(f"#{name}").region.area > 0}


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (100, 30), (200, 60), (50, 20), (40, 10)])
async def test_each_number_goes_to_its_pane_at_any_size(
    open_screen: OpenScreen, size: tuple[int, int]
) -> None:
    async with open_screen(size=size) as screen:
        for key, pane in PANES.items():
            await screen.press(key)
            assert screen.debug.pane == pane
            assert pane in seen(screen)


async def test_a_wide_screen_shows_everything_and_a_narrow_one_two_panes(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        assert seen(screen) == set(PANES.values())
        await screen.pilot.resize_terminal(80, 24)
        await screen.until(lambda: seen(screen) == {"flow", "detail"})
        await screen.press("5")
        await screen.until(lambda: seen(screen) == {"flow", "events"})
        await screen.pilot.resize_terminal(50, 24)
        await screen.until(lambda: seen(screen) == {"events"})
        await screen.pilot.resize_terminal(120, 36)
        await screen.until(lambda: seen(screen) == set(PANES.values()))


async def test_below_the_least_size_the_screen_says_so_and_comes_back(
    open_screen: OpenScreen,
) -> None:
    async with open_screen() as screen:
        await screen.pilot.resize_terminal(30, 8)
        await screen.until(lambda: seen(screen) == set())
        assert "Too small" in screen.lines("#too-small")
        await screen.pilot.resize_terminal(1, 1)
        await screen.pilot.resize_terminal(120, 36)
        await screen.until(lambda: seen(screen) == set(PANES.values()))


async def test_two_again_goes_to_the_next_view(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("2", "2")
        assert screen.debug.detail.tab == "input"


async def test_z_zooms_the_pane_and_back(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("5", "z")
        assert seen(screen) == {"events"}
        await screen.press("2")
        assert seen(screen) == {"detail"}
        await screen.press("z")
        assert seen(screen) == set(PANES.values())


async def test_the_width_of_the_flow_is_kept_for_the_next_time(
    open_screen: OpenScreen, tmp_path: Path
) -> None:
    async with open_screen() as screen:
        before = screen.debug.flow_pane.outer_size.width
        await screen.press("plus", "plus", "minus", "plus")
        assert screen.debug.flow_pane.outer_size.width == before + 4
    async with open_screen(session_id="two") as screen:
        assert screen.debug.flow_pane.outer_size.width == before + 4
        await screen.press("equals_sign")
        assert screen.debug.flow_pane.outer_size.width == before


async def test_ctrl_o_jumps_by_letter(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("ctrl+o")
        asks = screen.app.screen.query_one("#asks", Static)
        assert "Press a letter to go to its pane: a s d f g   esc back" in str(asks.content)
        await screen.press("g")
        assert screen.debug.pane == "events"
        await screen.press("ctrl+o", "escape")
        assert screen.debug.pane == "events"


async def test_tabs_of_a_narrow_screen_can_be_clicked(open_screen: OpenScreen) -> None:
    async with open_screen(size=(80, 24)) as screen:
        tabs = screen.debug.all_tabs
        text = tabs.render_line(0).text
        await screen.pilot.click(tabs, offset=(text.index("Log") + 1, 0))
        await screen.settle()
        assert screen.debug.pane == "events"
        await screen.pilot.click(tabs, offset=(text.index("Blk") + 1, 0))
        await screen.settle()
        assert screen.debug.detail.tab == "block"


async def test_hints_of_the_footer_can_be_clicked(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        text = screen.debug.footer.render_line(0).text
        await screen.pilot.click(screen.debug.footer, offset=(text.index("Step") + 1, 0))
        await screen.settle()
        assert screen.debugger.session.cursor == 1


async def test_the_mouse_selects_steps_and_sets_breakpoints(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.pilot.click(screen.debug.plan, offset=(10, 2))
        await screen.settle()
        assert screen.debug.step_id == "each"
        await screen.pilot.click(screen.debug.plan, offset=(0, 1))
        await screen.settle()
        assert list(screen.debugger.session.breakpoints) == ["summarise"]


async def test_the_mouse_folds_values(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("n")
        before = screen.lines("#output-tree")
        assert "id: 812" in before
        await screen.pilot.click("#output-tree", offset=(2, 1))
        await screen.settle()
        assert "id: 812" not in screen.lines("#output-tree")


@pytest.mark.parametrize("width", range(40, 131, 15))
async def test_no_hint_of_the_footer_is_ever_cut(open_screen: OpenScreen, width: int) -> None:
    async with open_screen(size=(width, 24)) as screen:
        shown = screen.debug.footer.shown
        assert shown[0].label == "Step"
        assert "?" in [hint.key for hint in shown]
        used = sum(cell_len(f" {hint.key} {hint.label} ") for hint in shown)
        assert used <= width


async def test_hints_change_with_the_pane_and_while_running(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        flow_hints = {hint.label for hint in screen.debug.footer.shown}
        await screen.press("n", "i")
        assert [hint.label for hint in screen.debug.footer.shown][:2] == ["Apply", "Back"]
        await screen.press("escape")
        assert "Step" in flow_hints


async def test_a_container_folds_with_h_and_l(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        screen.debug.select("note")
        await screen.press("h", "h")
        assert "Note" not in screen.lines("#plan")
        await screen.press("l")
        assert "Note" in screen.lines("#plan")


async def test_vim_keys_move(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("j", "j")
        assert screen.debug.step_id == "each"
        await screen.press("G")
        assert screen.debug.step_id == "reply"
        await screen.press("k")
        assert screen.debug.step_id == "count"
        await screen.press("g")
        assert screen.debug.step_id == "take"


async def test_the_footer_of_a_small_screen_offers_what_helps_in_each_state(
    open_screen: OpenScreen, flow: Flow
) -> None:
    def first(screen: Screen) -> str:
        return " ".join(f"{hint.key} {hint.label}" for hint in screen.debug.footer.shown)

    async with open_screen(size=(80, 24)) as screen:
        assert first(screen).startswith(
            "n Step c Continue i Output o Block b Break : Command ? Help"
        )
        await screen.press("E")
        assert first(screen).startswith("R Restart r Retry F Fork")
        assert first(screen).endswith("q Quit")
    async with open_screen(size=(80, 24), session_id="two", message="it fails") as screen:
        await screen.press("n", "n")
        assert first(screen).startswith("r Retry i Output o Block R Restart")
        assert first(screen).endswith("q Quit")
    async with open_screen(size=(80, 24), session_id="three") as screen:
        await screen.press("n")
        flow.publish(
            FLOW.replace("  - id: count\n", "  - {id: check, kind: passthrough}\n  - id: count\n")
        )
        await screen.press("n")
        await screen.pilot.press("escape")
        await screen.settle()
        assert first(screen).startswith("R Restart P Pin N New plan")


async def test_a_tip_is_never_cut_on_a_screen_of_the_usual_size(open_screen: OpenScreen) -> None:
    text = f"{'word ' * 40}and press i."
    async with open_screen(size=(80, 24), tips=[Tip(text)]) as screen:
        assert screen.lines("#tips").endswith("and press i.")


@pytest.mark.parametrize("size", [(120, 36), (200, 50)])
async def test_long_names_of_steps_are_whole_where_there_is_room(
    open_screen: OpenScreen, flow: Flow, size: tuple[int, int]
) -> None:
    flow.publish(FLOW.replace("name: Take ticket", "name: Take a customer ticket now"))
    async with open_screen(size=size) as screen:
        assert "Take a customer ticket now" in screen.lines("#plan")
        await screen.press("n")
        assert "Take a customer ticket now" in screen.lines("#plan")
        assert screen.debug.flow_pane.outer_size.width <= size[0] // 3
        assert ("code" in screen.lines("#plan")) == (size[0] == 200)


async def test_the_same_toast_takes_the_place_of_the_former_one(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("r", "r", "r")
        assert len(screen.shown_toasts()) == 1


async def test_at_most_two_toasts_stand_at_once(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("r", "x", "U", "N")
        assert len(screen.shown_toasts()) == 2
        assert screen.toasts()[-1].startswith("The plan did not change")


async def test_hidden_events_are_at_their_end_when_they_are_seen_again(
    open_screen: OpenScreen,
) -> None:
    async with open_screen(size=(80, 24)) as screen:
        await screen.press("c")
        await screen.press("5")
        assert "end" in screen.lines("#events").splitlines()[-1]
        await screen.press("1", "2", "R", "c", "5")
        assert "end" in screen.lines("#events").splitlines()[-1]


def test_an_input_that_is_there_before_its_screen_clears_no_selection() -> None:
    FlowdbgApp().clear_selection()  # from Python 3.12 on, inputs are mounted so early
