"""Where a person stands: kept with the session, so that it opens as it was left, by a crash too.

Looked at twice a second and written only when it changed; that is a small row in the session's own
file. What cannot be read, or does not fit the session any more, is left out.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from flowdbg.errors import FlowdbgError
from flowdbg.tui.parts.panes import RIGHT
from flowdbg.tui.parts.part import Handlers, Part
from flowdbg.tui.widgets.detail_pane import TABS
from flowdbg.tui.widgets.line_view import LineView

if TYPE_CHECKING:
    from flowdbg.tui.screens.debug import DebugScreen

PLACE = "place"
"""The key under which the session's store keeps it."""

EVERY = 0.5
"""Seconds between two looks."""


class Standing(Part):
    """Keeps the selected step, the pane with the keys, its view, and how far all are scrolled."""

    def __init__(self, screen: DebugScreen) -> None:
        super().__init__(screen)
        self._kept: str | None = None
        self._now = ""

    def handlers(self) -> Handlers:
        """It does no action of its own."""
        return {}

    def watch(self) -> None:
        """Begin to look: everything is where it belongs."""
        self.look()
        self._kept = self._now
        self.screen.set_interval(EVERY, self._keep_when_it_changed)

    def look(self) -> None:
        """Remember how it is now."""
        screen = self.screen
        if not screen.panels.has_log or screen.history.label:
            return  # what is seen of another time or run is not where the session stands
        place = {
            "step": screen.step_id,
            "pane": screen.pane if screen.pane in ("flow", *RIGHT) else "detail",
            "right": screen.panes.right,
            "tab": screen.detail.tab,
            "folded": sorted(screen.folded),
            "views": {name: view.place for name, view in self._views().items()},
        }
        self._now = json.dumps(place)

    async def keep(self) -> None:
        """Write what was last looked at, when that is not what was written before."""
        if self._kept is not None and self._now != self._kept:
            self._kept = self._now
            with suppress(FlowdbgError):  # a disk that fails costs this, and nothing else
                await self.debugger.save_draft(PLACE, self._now)

    def restore(self, text: str | None) -> None:
        """Go where the person stood, as far as that is still there."""
        with suppress(ValueError, TypeError, AttributeError, LookupError):
            self._go(json.loads(text or "{}"))

    def _keep_when_it_changed(self) -> None:
        before = self._now
        self.look()
        if self._now == before != self._kept:  # it has come to rest
            self.launch("place", self.keep())

    def _go(self, place: dict[str, Any]) -> None:
        screen = self.screen
        screen.folded = set(map(str, place["folded"]))
        screen.panels.refresh()
        screen.select(place["step"])
        screen.panels.refresh_step()  # now, for its rows are to be scrolled
        if place["tab"] in TABS:
            screen.looking.show_tab(place["tab"])
        if place["right"] in RIGHT:
            screen.panes.show_right(place["right"])
        if place["pane"] in ("flow", *RIGHT):
            screen.panes.go(place["pane"])
        views = self._views()
        for name, at in place["views"].items():
            if name in views:
                views[name].go_to(at)

    def _views(self) -> dict[str, LineView]:
        screen = self.screen
        return {
            "plan": screen.plan,
            f"detail {screen.detail.tab}": screen.detail.shown,
            "outputs": screen.outputs,
            "edits": screen.edits,
            "events": screen.events,
        }
