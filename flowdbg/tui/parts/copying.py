"""Copying and searching: what is under the cursor, its path, and words in any pane."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from functools import partial

from flowdbg.present.command_twin import command_twin
from flowdbg.present.search import SLICE, Hits, Query
from flowdbg.tui.desk import Desk
from flowdbg.tui.parts.looking import Looking
from flowdbg.tui.parts.panes import Panes
from flowdbg.tui.parts.part import Handlers, Part
from flowdbg.tui.widgets.json_view import JsonView
from flowdbg.tui.widgets.line_view import LineView


class Copying(Part):
    """Copies values and paths; finds words."""

    def __init__(self, screen: Desk, looking: Looking, panes: Panes) -> None:
        super().__init__(screen)
        self._looking = looking
        self._panes = panes
        self._searched: LineView | None = None
        self._search: Iterator[Hits | None] | None = None

    def handlers(self) -> Handlers:
        """Return the actions that this part does."""
        return {
            "copy.value": self._copy_value,
            "copy.path": self._copy_path,
            "copy.command": lambda: self.app.copy(command_twin(self.session), "the command"),
            "search.start": self._start,
            "search.next": lambda: self.step(1),
            "search.previous": lambda: self.step(-1),
        }

    @property
    def is_searching(self) -> bool:
        """Whether hits are marked in the pane that has the keys."""
        view = self.screen.focused_view
        return view is not None and view.hits is not None

    def find(self, query: Query) -> None:
        """Find a query in the pane that was searched first."""
        view = self._searched
        if view is None:
            return
        if query or query.problem:
            self._search = view.searching(query)
            self._go_on(self._search)
        else:
            self._search = None
            view.end_search()
            self.screen.search_bar.show_hits(None)

    def _go_on(
        self,
        search: Iterator[Hits | None],
        clock: Callable[[], float] = time.perf_counter,
        seconds: float = SLICE,
    ) -> None:
        """Search on for a moment, and again after the screen has had its turn."""
        if search is not self._search:
            return  # something else is looked for by now
        end = clock() + seconds
        for hits in search:
            if hits is not None:
                self.screen.search_bar.show_hits(hits)
            elif clock() > end:
                self.screen.set_timer(0.001, partial(self._go_on, search))
                return

    def step(self, by: int) -> None:
        """Go to the next or the previous hit."""
        view = self._searched if self.screen.search_bar.has_focus_within else None
        view = view or self.screen.focused_view
        hits: Hits | None = view.search_step(by) if view is not None else None
        if hits is not None:
            self.screen.search_bar.show_hits(hits)

    def end(self, keep: bool) -> None:
        """Leave the search bar."""
        view = self._searched
        if view is not None:
            if not keep:
                self._search = None
                view.end_search()
            elif self._search is not None:
                # the next key is for what is found, however busy the machine is
                self._go_on(self._search, time.process_time, 4 * SLICE)
            if self.screen.focused is None or self.screen.search_bar.has_focus_within:
                self.screen.set_focus(view)
        self._panes.refresh_footer()

    def _start(self) -> None:
        self._searched = self.screen.focused_view
        if self._searched is None:
            self.say("Go to a pane first.")
        else:
            self.screen.search_bar.open()

    def _copy_value(self) -> None:
        selected = self.screen.get_selected_text()
        view = self.screen.focused_view
        if selected:
            self.app.copy(selected, "the selection")
        elif isinstance(view, JsonView) and view.has_value:
            value = view.value_at_cursor()
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            self.app.copy(text, view.path_text())
        elif view is not None and self.screen.pane in ("events", "edits"):
            self.app.copy(view.row_text(view.cursor), "the row")
        else:
            name, text = self._looking.shown_text()
            self.app.copy(text, f"the {name}")

    def _copy_path(self) -> None:
        view = self.screen.focused_view
        path = view.path_text() if view is not None else ""
        if path:
            self.app.copy(path, path)
        else:
            self.app.copy(self.step_id, f"the step's id {self.step_id}")
