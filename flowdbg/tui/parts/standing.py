"""Where a person stands: kept with the session, so that it opens as it was left, by a crash too.

Looked at twice a second and written only when it changed; that is a small row in the session's own
file. What cannot be read, or does not fit the session any more, is left out.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from flowdbg.errors import FlowdbgError
from flowdbg.tui.desk import RIGHT, Desk
from flowdbg.tui.parts.history import History
from flowdbg.tui.parts.looking import Looking
from flowdbg.tui.parts.panels import Panels
from flowdbg.tui.parts.panes import Panes
from flowdbg.tui.parts.part import Part
from flowdbg.tui.widgets.detail_pane import TABS
from flowdbg.tui.widgets.line_view import LineView

PLACE = "place"
"""The key under which the session's store keeps it."""

EVERY = 0.5
"""Seconds between two looks."""


class Standing(Part):
    """Keeps the selected step, the pane with the keys, its zoom and view, and what is scrolled."""

    def __init__(
        self, screen: Desk, history: History, panels: Panels, looking: Looking, panes: Panes
    ) -> None:
        super().__init__(screen)
        self._history = history
        self._panels = panels
        self._looking = looking
        self._panes = panes
        self._kept: str | None = None
        self._now = ""

    def watch(self) -> None:
        """Begin to look: everything is where it belongs."""
        self.look()
        self._kept = self._now
        self.screen.set_interval(EVERY, self._keep_when_it_changed)

    def look(self) -> None:
        """Remember how it is now."""
        screen = self.screen
        if not self._panels.has_log or self._history.label:
            return  # what is seen of another time or run is not where the session stands
        place = {
            "step": screen.step_id,
            "pane": screen.pane if screen.pane in ("flow", *RIGHT) else "detail",
            "right": self._panes.right,
            "tab": screen.detail.tab,
            "zoomed": self._panes.zoomed,
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
        screen.show_session()
        screen.select(place["step"])
        self._panels.refresh_step()  # now, for its rows are to be scrolled
        if place["tab"] in TABS:
            self._looking.show_tab(place["tab"])
        if place["right"] in RIGHT:
            self._panes.show_right(place["right"])
        if place["pane"] in ("flow", *RIGHT):
            self._panes.go(place["pane"])
        if place.get("zoomed") in ("flow", *RIGHT):
            self._panes.set_zoom(place["zoomed"])
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
