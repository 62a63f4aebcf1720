"""Looking: views of a step, differences, events, the next request, the pager."""

from __future__ import annotations

from flowdbg.core.json_text import JsonText, join
from flowdbg.present.json_pretty import pretty
from flowdbg.present.step_view import effective_config, step_view
from flowdbg.present.takes import pairs
from flowdbg.tui.desk import RIGHT, Desk
from flowdbg.tui.external import page_externally
from flowdbg.tui.parts.history import History
from flowdbg.tui.parts.panes import Panes
from flowdbg.tui.parts.part import Handlers, Part
from flowdbg.tui.widgets.detail_pane import TABS


class Looking(Part):
    """Chooses what the pane of the selected step shows."""

    def __init__(self, screen: Desk, history: History, panes: Panes) -> None:
        super().__init__(screen)
        self._history = history
        self._panes = panes
        self._comparison = 0
        self._compared: tuple[int, object] | None = None

    def handlers(self) -> Handlers:
        """Return the actions that this part does."""
        return {
            "pane.detail": self._go_detail,
            "view.next-tab": lambda: self._step_tab(1),
            "view.previous-tab": lambda: self._step_tab(-1),
            "view.diff": self._diff,
            "view.as-text": self._as_text,
            "view.pager": self._pager,
            "view.request": self._request,
        }

    def show_tab(self, tab: str) -> None:
        """Show one view of the selected step."""
        if tab == "diff":
            self.fill_diff()
        if tab == "event":
            self.fill_event()
        self.screen.detail.show_tab(tab)
        self._panes.refresh_tabs()
        self._panes.refresh_footer()

    def pick_tab(self, tab: str) -> None:
        """Go to a view of the step, or to a pane, by its tab."""
        if tab in RIGHT:
            self._panes.go(tab)
        else:
            self._panes.show_right("detail")
            self.show_tab(tab)
            self.screen.detail.shown.focus()

    def fill_diff(self) -> None:
        """Show the chosen difference of the selected step, when it is another one than before."""
        found = pairs(self.session, self.step_id, self._history.seen)
        if self._compared == (self._comparison, found):
            return
        self._comparison %= max(len(found), 1)
        self._compared = (self._comparison, found)
        if not found:
            self.screen.detail.compare("Nothing to compare: no edit, one attempt.", None)
            return
        aspect, old, new = found[self._comparison]
        place = f"{self._comparison + 1}/{len(found)} " if len(found) > 1 else ""
        title = f"{place}{aspect}: {old.name} → {new.name}"
        self.screen.detail.compare(title, (old.value(aspect), new.value(aspect)))

    def fill_event(self) -> None:
        """Show the data of the event under the cursor of the events."""
        line = self.screen.events.line_at_cursor
        if line is not None:
            self.screen.detail.show_event(line.raw, line.name)

    def _go_detail(self) -> None:
        if self.screen.pane == "detail":
            self._step_tab(1)
        else:
            self._panes.go("detail")

    def _step_tab(self, by: int) -> None:
        at = TABS.index(self.screen.detail.tab)
        self._panes.show_right("detail")
        self.show_tab(TABS[(at + by) % len(TABS)])

    def _diff(self) -> None:
        if self.screen.detail.tab == "diff" and self._panes.right == "detail":
            self._comparison += 1
        else:
            self._comparison = 0
        self.pick_tab("diff")

    def _as_text(self) -> None:
        self._panes.show_right("detail")
        self.show_tab("output")
        self.screen.detail.output.toggle()

    def _pager(self) -> None:
        name, text = self.shown_text()
        self.launch("view.pager", page_externally(self.app, text, name))

    def _request(self) -> None:
        from flowdbg.tui.screens.text import TextScreen  # noqa: PLC0415 # only when it is opened

        call = self.debugger.preview()
        lines = [f"POST {self.debugger.target.url}{call.route}", "Authorization: (hidden)"]
        lines += [f"{name}: {value}" for name, value in call.headers]
        text = "\n".join([*lines, "", pretty(join(call.body))])
        self.app.push_screen(TextScreen("The next request", text))

    def shown_text(self) -> tuple[str, str]:
        """Return the name and the whole text of what the focused pane shows."""
        pane = self.screen.pane
        if pane == "events":
            view = self.screen.events
            return "events", "\n".join(view.row_text(at) for at in range(view.row_count()))
        if pane == "outputs":
            return "outputs", pretty(JsonText.of(self.screen.outputs.value).text)
        view_of_step = step_view(self._history.seen, self.step_id)
        if view_of_step is None:
            return "step", ""
        tab = self.screen.detail.tab
        if tab == "input" and view_of_step.input is not None:
            return "input", pretty(view_of_step.input.text)
        if tab == "block":
            return "block", pretty(JsonText.of(effective_config(view_of_step)).text)
        if tab == "event":
            line = self.screen.events.line_at_cursor
            return "event", pretty(line.raw) if line else ""
        if tab == "diff":
            return "diff", self.screen.detail.diff.whole_text()
        return "output", self.screen.detail.output.whole_text()
