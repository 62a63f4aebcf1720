"""The screen: it is drawn on stderr, keys come from stdin, and all of it is checked at first."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from flowdbg.cli.opening import open_stored
from flowdbg.config import paths
from flowdbg.config.settings import load_settings
from flowdbg.debugger import Debugger
from flowdbg.errors import UsageError
from flowdbg.present.tips import Tip
from flowdbg.store import list_sessions
from flowdbg.tui.app import DebugApp
from flowdbg.tui.keymap import resolve
from flowdbg.tui.picker import PickerApp
from flowdbg.tui.themes import chosen_theme

_WITHOUT = "Leave it alone, or run without a screen: flowdbg run."


class Screen:
    """The screen as flags and settings want it; sessions are shown on it, one after another."""

    def __init__(self, theme: str = "", *, ascii_only: bool = False) -> None:
        """Check the terminal, the theme and the keys, before anything is opened or made.

        Raises:
            UsageError: There is no terminal.
            ConfigError: The settings, the theme or the keys are wrong.
        """
        _check_terminal()
        self._settings = load_settings(paths.config_file(), os.environ).settings
        self._theme = theme or self._settings.theme
        self._ascii = ascii_only or self._settings.ascii
        chosen_theme(self._theme)
        resolve(self._settings.keys, self._settings.keymap)

    def show(self, opened: AbstractAsyncContextManager[Debugger], tips: Sequence[Tip] = ()) -> None:
        """Show a session, then each other one that the person goes over to, until they quit."""
        asyncio.run(self._show(opened, tips))

    def pick(self) -> None:
        """Let the person choose a stored session, and show it."""
        asyncio.run(self._pick())

    async def _show(
        self, opened: AbstractAsyncContextManager[Debugger], tips: Sequence[Tip] = ()
    ) -> None:
        while True:
            async with opened as debugger:
                app = DebugApp(
                    debugger,
                    theme=self._theme,
                    ascii_only=self._ascii,
                    tips=tips,
                    keys=self._settings.keys,
                    keymap=self._settings.keymap,
                    clipboard=self._settings.clipboard,
                )
                _read_keys()
                chosen = await app.run_async()
            if chosen is None:
                return
            opened, tips = open_stored(chosen), ()

    async def _pick(self) -> None:
        app = PickerApp(
            list_sessions(paths.sessions_dir()),
            theme=self._theme,
            ascii_only=self._ascii,
            keys=self._settings.keys,
            keymap=self._settings.keymap,
        )
        chosen = await app.run_async()
        if chosen is not None:
            await self._show(open_stored(chosen))


def _check_terminal() -> None:
    if not os.isatty(2):
        raise UsageError("The screen is drawn on stderr, which is no terminal here.", _WITHOUT)
    if not os.isatty(0):
        try:
            os.close(os.open("/dev/tty", os.O_RDWR))
        except OSError as error:
            raise UsageError("There is no terminal to read keys from.", _WITHOUT) from error


def _read_keys() -> None:
    """Read keys from the terminal also where something else was piped in; that has been read."""
    if not os.isatty(0):
        terminal = os.open("/dev/tty", os.O_RDWR)
        os.dup2(terminal, 0)
        os.close(terminal)
