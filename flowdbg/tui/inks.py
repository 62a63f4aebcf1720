"""The colours of rows, kept once on each screen instead of on every list.

Textual makes a node for each component class of each widget whenever it applies styles; with the
classes on nine lists, that was two thirds of the time to the first frame.
"""

from __future__ import annotations

from rich.style import Style as RichStyle
from textual.style import Style
from textual.widget import Widget

from flowdbg.tui.styles import stylesheet

TONES = ("plain", "muted", "accent", "running", "good", "warning", "bad", "edit")

INKS = {
    *(f"tone--{tone}" for tone in TONES),
    "line--cursor", "line--cursor-blurred", "line--match", "line--match-current",
    "json--key", "json--string", "json--number", "json--word", "json--text", "json--size",
    "diff--added", "diff--added-word", "diff--removed", "diff--removed-word",
    "plan--next",
}  # fmt: skip
"""Component classes that a screen with lists must have."""

INKS_CSS = stylesheet(__file__)
"""What the inks look like; part of the program's style."""


def ink(widget: Widget, name: str) -> RichStyle:
    """Return the style of an ink on the widget's screen; plain where the screen has none."""
    return widget.screen.get_component_rich_style(name, default=RichStyle())


def tone(widget: Widget, name: str) -> Style:
    """Return a tone as the colour of text in content."""
    rich = ink(widget, f"tone--{name}")
    if not rich.color:
        return Style(bold=rich.bold, dim=rich.dim)
    shown = widget.screen.get_visual_style(f"tone--{name}")
    return Style(foreground=shown.foreground, bold=rich.bold, dim=rich.dim)


def badge(widget: Widget, name: str) -> Style:
    """Return a tone as the background of text; reversed where there are no colours."""
    if widget.app.no_color:
        return Style(bold=True, reverse=True)
    shown = tone(widget, name).foreground
    behind = widget.background_colors[1]
    return Style(background=shown, foreground=behind if behind.a else None, bold=True)
