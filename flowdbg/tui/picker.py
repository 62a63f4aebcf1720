"""The list of sessions as a program of its own, for `flowdbg` without a command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.screen import Screen

from flowdbg.present.session_rows import Stored
from flowdbg.tui.host import FlowdbgApp
from flowdbg.tui.screens.sessions import SessionsScreen


class PickerApp(FlowdbgApp):
    """Asks which stored session to open; ends with its file, or None."""

    def __init__(
        self,
        stored: Sequence[Stored],
        *,
        theme: str = "",
        ascii_only: bool = False,
        keys: Mapping[str, str | list[str]] | None = None,
        keymap: str = "default",
    ) -> None:
        super().__init__(theme=theme, ascii_only=ascii_only)
        self.take_keys(keys, keymap)
        self._stored = stored

    def get_default_screen(self) -> Screen[object]:
        """Return an empty screen below the list."""
        return Screen()

    def on_mount(self) -> None:
        """Show the list."""
        self.push_screen(SessionsScreen(self._stored), self.exit)
