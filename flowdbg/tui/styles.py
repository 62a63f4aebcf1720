"""Styles that stand in files beside their widgets, and foreign text made safe to draw."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from textual.content import Content
from textual.style import Style
from textual.widget import Widget

from flowdbg.present.safe_text import safe_line, safe_text


def visual(widget: Widget, component: str) -> Style:
    """Return the style of a component class for content, with its reverse, which Textual drops."""
    style = widget.get_visual_style(component)
    if widget.get_component_rich_style(component).reverse:
        style += Style(reverse=True)
    return style


@cache
def stylesheet(module_file: str) -> str:
    """Return the style that stands beside a module: `json_view.tcss` for `json_view.py`."""
    return Path(module_file).with_suffix(".tcss").read_text("utf-8")


def plain(text: str, style: str = "") -> Content:
    """Return foreign text as content: no markup is read, no control character gets through."""
    return Content.styled(safe_text(text), style) if style else Content(safe_text(text))


def title(widget: Widget, text: str, limit: int = 100) -> None:
    """Put foreign text on a widget's border; nothing is drawn when it stands there already."""
    shown = plain_line(text, limit)
    if str(widget.border_title or "") != shown.plain:
        widget.border_title = shown


def subtitle(widget: Widget, text: str, limit: int = 100) -> None:
    """Put foreign text below a widget; nothing is drawn when it stands there already."""
    shown = plain_line(text, limit)
    if str(widget.border_subtitle or "") != shown.plain:
        widget.border_subtitle = shown


def plain_line(text: str, limit: int = 0) -> Content:
    """Return foreign text as content on one line, for titles and labels."""
    return Content(safe_line(text, limit))
