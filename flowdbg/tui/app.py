"""The terminal program: one debugger and its screen."""

from __future__ import annotations

from pathlib import Path

from rich.console import RenderableType
from textual.screen import Screen

from flowdbg.tui.debug import STYLE, DebugScreen
from flowdbg.tui.host import Host


class DebugApp(Host):
    """Debugs one session; ends with the file of another one when that is to be opened."""

    CSS = Host.CSS + STYLE

    def get_default_screen(self) -> Screen[None]:
        """Return the debug screen; as a mode of its own, all styles would be read twice."""
        return DebugScreen()

    async def action_quit(self) -> None:
        """Leave by Textual's own ctrl+q as by our key: it asks where something would be lost."""
        for screen in self.screen_stack:
            if isinstance(screen, DebugScreen):
                screen.action_do("app.quit")

    def exit(
        self,
        result: Path | None = None,
        return_code: int = 0,
        message: RenderableType | None = None,
    ) -> None:
        """Leave, from where the person stands."""
        for screen in self.screen_stack:
            if isinstance(screen, DebugScreen):
                screen.standing.look()
        super().exit(result, return_code, message)
