"""The text area of the editor: JSON in colours up to a size, and nothing that a terminal obeys."""

from __future__ import annotations

import re
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.document._document import EditResult
from textual.document._edit import Edit
from textual.widgets import TextArea
from textual.widgets.text_area import TextAreaTheme

from flowdbg.present.edit_document import HIGHLIGHT_LIMIT, Language
from flowdbg.present.safe_text import UNSAFE
from flowdbg.tui.styles import stylesheet

_SYNTAX = {
    "json.label": "edit--key",
    "string": "edit--string",
    "number": "edit--number",
    "boolean": "edit--word",
    "json.null": "edit--word",
    "json.error": "edit--error",
    "string.escape": "edit--number",
    "heading": "edit--key",
    "heading.marker": "edit--key",
    "list.marker": "edit--word",
    "text.literal": "edit--string",
    "punctuation.delimiter": "edit--word",
    "punctuation.special": "edit--word",
    "link.uri": "edit--number",
    "link.label": "edit--number",
}
_TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}")
"""What a template language reads in a line of text."""

THEME = "flowdbg"


class EditArea(TextArea):
    """Edits plain text or JSON."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {*_SYNTAX.values(), "edit--name"}
    DEFAULT_CSS = stylesheet(__file__)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # Textual's own name for it
        super().__init__(
            id=id, show_line_numbers=True, tab_behavior="indent", soft_wrap=True, compact=True
        )
        self.indent_width = 2
        self._kind: Language = ""

    def on_mount(self) -> None:
        """Take the colours of the program's theme, and follow it."""
        self.watch(self.app, "theme", self._take_colours)

    def load(self, text: str, *, language: Language) -> None:
        """Show a text; it is coloured up to a size that keeps keys quick."""
        self._kind = language
        known = language if language in ("json", "markdown") else None
        self.language = known if len(text) <= HIGHLIGHT_LIMIT else None
        self.load_text(text)
        self.move_cursor((0, 0))

    def edit(self, edit: Edit) -> EditResult:
        """Take an edit; a text that grows too long for colours loses them first."""
        if self.language is not None:
            length = sum(len(line) + 1 for line in self.document.lines)
            if length + len(edit.text) > HIGHLIGHT_LIMIT:
                where = self.selection
                self.language = None
                self.selection = where
        return super().edit(edit)

    def get_line(self, line_index: int) -> Text:
        """Return a line to draw, with a sign for each character that must not reach a terminal."""
        line = super().get_line(line_index)
        if self._kind in ("template", "markdown"):
            style = self.get_component_rich_style("edit--name", partial=True)
            for match in _TEMPLATE.finditer(line.plain):
                line.stylize(style, *match.span())
        if UNSAFE.search(line.plain):
            line.plain = UNSAFE.sub("�", line.plain)
        return line

    async def _on_key(self, event: events.Key) -> None:
        """Escape leaves the editor and not only the text."""
        if event.key != "escape":
            await super()._on_key(event)

    def _take_colours(self) -> None:
        styles = {}
        for name, component in _SYNTAX.items():
            full = self.get_component_rich_style(component)
            styles[name] = full.without_color if full.color is None else full.from_color(full.color)
        self.register_theme(TextAreaTheme(THEME, syntax_styles=styles))
        if self.theme == THEME:
            self._set_theme(THEME)
        else:
            self.theme = THEME
