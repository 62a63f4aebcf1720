"""The status line: the state in words first, then as much more as fits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.content import Content
from textual.style import Style
from textual.widget import Widget

from flowdbg.present.status_line import Part, fitted
from flowdbg.tui.inks import badge, tone
from flowdbg.tui.styles import stylesheet, visual

_BOLD = Style(bold=True)


class StatusBar(Widget):
    """One line that says how the session stands."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"status--danger"}
    DEFAULT_CSS = stylesheet(__file__)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # Textual's own name for it
        super().__init__(id=id)
        self._glyph = ""
        self._parts: tuple[Part, ...] = ()

    @property
    def said(self) -> str:
        """The whole line, whether it fits or not."""
        return "  ".join(part.text for part in self._parts)

    def show_parts(self, glyph: str, parts: Sequence[Part]) -> None:
        """Show the state, told by a glyph and its first part, and what else fits."""
        if (glyph, tuple(parts)) != (self._glyph, self._parts):
            self._glyph, self._parts = glyph, tuple(parts)
            self.refresh()

    def render(self) -> Content:
        """Draw the parts that fit."""
        if not self._parts:
            return Content("")
        pieces: list[Content] = []
        for part in fitted(self._parts, self.size.width - 4):
            if not pieces:
                text = f" {self._glyph} {part.text} "
                pieces.append(Content.styled(text, badge(self, part.tone)))
            elif part.badge:
                pieces.append(Content("  "))
                pieces.append(Content.styled(f" {part.text} ", visual(self, "status--danger")))
            else:
                style = tone(self, part.tone)
                style = style + _BOLD if part.strong else style
                pieces.append(Content.styled(f"  {part.text}", style))
        return Content.assemble(*pieces)
