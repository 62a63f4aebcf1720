"""The real screen on a terminal that reads what it is sent: it never shows anything else."""

from __future__ import annotations

from typing import ClassVar

import pytest
from textual._compositor import LayoutUpdate
from textual.drivers.headless_driver import HeadlessDriver

from flowdbg.tui import memory
from tests.tui.conftest import OpenScreen, Screen
from tests.tui.test_lean import Terminal

KEYS = ("j", "n", "nn", "2vv", "5kg", "z", "z", "3l*", "1bG", "4", "1i", "o", "?", ":")


class ReadDriver(HeadlessDriver):
    """Gives everything that is written to a terminal that can be read."""

    terminal: ClassVar[Terminal]
    sent: ClassVar[int] = 0

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        type(self).terminal.feed(data)
        type(self).sent += len(data)


@pytest.fixture(autouse=True)
def reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "rest", lambda: None)


async def shows_everything(screen: Screen) -> None:
    """Wait until the terminal shows what Textual would draw on an empty one."""

    def same() -> bool:
        shown = screen.app.screen
        whole = Terminal(*shown.size)
        rows = [[strip] for strip in shown._compositor.render_strips()]
        whole.feed(LayoutUpdate(list(rows), shown.size.region).render_segments(screen.app.console))
        return ReadDriver.terminal.cells == whole.cells

    await screen.until(same)


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
@pytest.mark.parametrize("theme", ["", "ansi"])
async def test_whatever_is_pressed_the_terminal_shows_the_whole_screen(
    open_screen: OpenScreen, size: tuple[int, int], theme: str
) -> None:
    ReadDriver.terminal = Terminal(*size)
    async with open_screen(size=size, theme=theme, driver=ReadDriver) as screen:
        for keys in KEYS:
            await screen.press(*keys)
            await shows_everything(screen)
            if screen.debug.typing is not None or screen.app.screen is not screen.debug:
                await screen.press("escape")
                await shows_everything(screen)


async def test_a_move_of_the_cursor_sends_little_and_a_redraw_everything(
    open_screen: OpenScreen,
) -> None:
    ReadDriver.terminal = Terminal(120, 36)
    async with open_screen(driver=ReadDriver) as screen:
        await screen.press("j", "k")
        ReadDriver.sent = 0
        await screen.press("j")
        assert 0 < ReadDriver.sent < 1500
        ReadDriver.terminal = Terminal(120, 36)
        await screen.press("ctrl+l")
        await shows_everything(screen)


async def test_after_another_size_everything_is_sent(open_screen: OpenScreen) -> None:
    ReadDriver.terminal = Terminal(120, 36)
    async with open_screen(driver=ReadDriver) as screen:
        await screen.press("n", "n")
        for size in ((80, 24), (120, 36)):
            ReadDriver.terminal = Terminal(*size)  # a terminal forgets what it showed
            await screen.pilot.resize_terminal(*size)
            await screen.settle()
            await shows_everything(screen)
