"""One row of tabs, each with a mark of what is in it; clicked or moved by key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from flowdbg.tui.styles import stylesheet, visual


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab: its id, its label, and a short one for narrow screens."""

    id: str
    label: str
    short: str = ""
    mark: str = ""
    """What stands behind the label: a count of edits, for example."""


class ViewTabs(Widget):
    """A row of tabs; shows the short labels where the long ones do not fit."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"tabs--tab", "tabs--active", "tabs--mark"}
    DEFAULT_CSS = stylesheet(__file__)

    class Picked(Message):
        """A tab was clicked."""

        def __init__(self, tabs: ViewTabs, tab: str) -> None:
            super().__init__()
            self.tabs = tabs
            self.tab = tab

        @property
        def control(self) -> ViewTabs:
            """The row of tabs."""
            return self.tabs

    def __init__(self, tabs: tuple[Tab, ...] = (), *, id: str | None = None) -> None:  # noqa: A002 # Textual's own name for it
        super().__init__(id=id)
        self._tabs = tabs
        self._active = tabs[0].id if tabs else ""
        self._ends: list[tuple[int, str]] = []

    def show_tabs(self, tabs: tuple[Tab, ...], active: str) -> None:
        """Show tabs with one of them active."""
        if (tabs, active) != (self._tabs, self._active):
            self._tabs, self._active = tabs, active
            self.refresh()

    def render(self) -> Content:
        """Draw the tabs; where they do not fit, short ones, and as many as do around the active."""
        labels = [tab.label for tab in self._tabs]
        if sum(self._widths(labels)) > self.size.width:
            labels = [tab.short or tab.label for tab in self._tabs]
        widths = self._widths(labels)
        first, last = self._seen(widths)
        pieces: list[Content] = []
        self._ends = []
        at = 0
        if first:
            pieces.append(Content.styled("‹", visual(self, "tabs--mark")))
            at = 1
        for tab, label, width in list(zip(self._tabs, labels, widths, strict=True))[first:last]:
            style = "tabs--active" if tab.id == self._active else "tabs--tab"
            pieces.append(Content.styled(f" {label} ", visual(self, style)))
            if tab.mark:
                pieces.append(Content.styled(f"{tab.mark} ", visual(self, "tabs--mark")))
            at += width
            self._ends.append((at, tab.id))
        if last < len(self._tabs):
            pieces.append(Content.styled("›", visual(self, "tabs--mark")))
        return Content.assemble(*pieces)

    def on_click(self, event: events.Click) -> None:
        """Pick the tab under the mouse."""
        for end, tab in self._ends:
            if event.x - self.gutter.left < end:
                self.post_message(self.Picked(self, tab))
                return

    def _widths(self, labels: list[str]) -> list[int]:
        return [
            cell_len(label) + 2 + (cell_len(tab.mark) + 1 if tab.mark else 0)
            for tab, label in zip(self._tabs, labels, strict=True)
        ]

    def _seen(self, widths: list[int]) -> tuple[int, int]:
        """The first tab that is seen and the one after the last: the active one is among them."""
        room = self.size.width
        if sum(widths) <= room:
            return 0, len(widths)
        active = next((at for at, tab in enumerate(self._tabs) if tab.id == self._active), 0)
        first, last, used = active, active + 1, widths[active] + 2
        while last < len(widths) and used + widths[last] <= room:
            used += widths[last]
            last += 1
        while first and used + widths[first - 1] <= room:
            first -= 1
            used += widths[first]
        return first, last
