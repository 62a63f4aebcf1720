"""One widget in a program of its own, to be looked at and typed into."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widget import Widget

from flowdbg.tui.widgets.json_view import JsonView
from flowdbg.tui.widgets.line_view import LineView

Shown = TypeVar("Shown", bound=Widget)


class Viewer(App[None]):
    """A program that is nothing but one widget."""

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self._widget = widget
        self.messages: list[Any] = []
        """What the widget asked for."""

    def compose(self) -> ComposeResult:
        yield self._widget

    def on_json_view_leaf_chosen(self, event: JsonView.LeafChosen) -> None:
        self.messages.append((event.path, event.value))


@asynccontextmanager
async def showing(widget: Widget, size: tuple[int, int] = (60, 20)) -> AsyncIterator[Pilot[None]]:
    """Show one widget, with the keys."""
    app = Viewer(widget)
    async with app.run_test(size=size) as pilot:
        widget.focus()
        await pilot.pause()
        yield pilot


def lines(view: LineView) -> list[str]:
    """What a list shows."""
    return [view.render_line(y).text.rstrip() for y in range(view.size.height)]
