"""Styles that stand in files beside their widgets, and foreign text made safe to draw."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from textual.content import Content

from flowdbg.present.safe_text import safe_line, safe_text


@cache
def stylesheet(module_file: str) -> str:
    """Return the style that stands beside a module: `json_view.tcss` for `json_view.py`."""
    return Path(module_file).with_suffix(".tcss").read_text("utf-8")


def plain(text: str, style: str = "") -> Content:
    """Return foreign text as content: no markup is read, no control character gets through."""
    return Content.styled(safe_text(text), style) if style else Content(safe_text(text))


def plain_line(text: str, limit: int = 0) -> Content:
    """Return foreign text as content on one line, for titles and labels."""
    return Content(safe_line(text, limit))
