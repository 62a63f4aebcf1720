"""One line that says what to do next: to a newcomer, and to everybody in trouble."""

from __future__ import annotations

from textual.widgets import Static

from flowdbg.tui.styles import plain, stylesheet


class TipsLine(Static):
    """Shows a sentence or two; takes no space without them."""

    DEFAULT_CSS = stylesheet(__file__)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # Textual's own name for it
        super().__init__("", id=id, markup=False)
        self._shown = ("", "")

    @property
    def said(self) -> str:
        """What stands there."""
        return self._shown[1]

    def show_text(self, glyph: str, text: str, *, trouble: bool = False) -> None:
        """Show a text behind a glyph, or nothing."""
        if (glyph, text) != self._shown:
            self._shown = (glyph, text)
            self.display = bool(text)
            self.set_class(trouble, "-trouble")
            self.update(plain(f"{glyph} {text}" if text else ""))
