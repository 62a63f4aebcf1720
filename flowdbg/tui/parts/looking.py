"""Looking: views of a step, differences, events, the next request, the pager."""

from __future__ import annotations

from flowdbg.core.json_text import JsonText, join
from flowdbg.present.command_twin import command_twin
from flowdbg.present.json_pretty import pretty
from flowdbg.present.step_view import effective_config, step_view
from flowdbg.present.takes import pairs
from flowdbg.tui.external import page_externally
from flowdbg.tui.parts.part import Handlers, Part
from flowdbg.tui.widgets.detail_pane import TABS


class Looking(Part):
    """Chooses what the pane of the selected step shows."""

    _comparison = 0
    _compared: tuple[int, object] | None = None

    def handlers(self) -> Handlers:
        """Return the actions that this part does."""
        return {
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
        self.screen.panes.refresh_tabs()
        self.screen.panes.refresh_footer()

    def fill_diff(self) -> None:
        """Show the chosen difference of the selected step, when it is another one than before."""
        found = pairs(self.session, self.step_id, self.screen.history.seen)
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

    def _step_tab(self, by: int) -> None:
        at = TABS.index(self.screen.detail.tab)
        self.screen.panes.show_right("detail")
        self.show_tab(TABS[(at + by) % len(TABS)])

    def _diff(self) -> None:
        if self.screen.detail.tab == "diff" and self.screen.panes.right == "detail":
            self._comparison += 1
        else:
            self._comparison = 0
        self.screen.panes.show_right("detail")
        self.show_tab("diff")
        self.screen.detail.shown.focus()

    def _as_text(self) -> None:
        self.screen.panes.show_right("detail")
        self.show_tab("output")
        self.screen.detail.output.toggle()

    def _pager(self) -> None:
        name, text = self.shown_text()
        self.launch("view.pager", page_externally(self.app, text, name))

    def _request(self) -> None:
        call = self.debugger.preview()
        lines = [f"POST {self.debugger.target.url}{call.route}", "Authorization: (hidden)"]
        lines += [f"{name}: {value}" for name, value in call.headers]
        text = "\n".join([*lines, "", pretty(join(call.body))])
        self.screen.show_text("The next request", text)

    def command(self) -> str:
        """Return the headless command that does what the session does."""
        return command_twin(self.session)

    def shown_text(self) -> tuple[str, str]:
        """Return the name and the whole text of what the focused pane shows."""
        pane = self.screen.pane
        if pane == "events":
            view = self.screen.events
            return "events", "\n".join(view.row_text(at) for at in range(view.row_count()))
        if pane == "outputs":
            return "outputs", pretty(JsonText.of(self.screen.outputs.value).text)
        view_of_step = step_view(self.screen.history.seen, self.step_id)
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
