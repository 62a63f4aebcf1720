"""One line that tells a newcomer what to do next."""

from __future__ import annotations

from textual.widgets import Static

from flowdbg.present.tips import Tip
from flowdbg.tui.styles import plain, stylesheet


class TipsLine(Static):
    """Shows the current tip; takes no space without one."""

    DEFAULT_CSS = stylesheet(__file__)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # Textual's own name for it
        super().__init__("", id=id, markup=False)
        self._shown: Tip | None = None

    def show_tip(self, tip: Tip | None) -> None:
        """Show a tip, or nothing."""
        if tip != self._shown:
            self._shown = tip
            self.display = tip is not None
            self.update(plain(f"➜ {tip.text}" if tip else ""))
