"""Looking: views of a step, differences, events, the next request, the pager."""

from __future__ import annotations

from flowdbg.core.json_text import JsonText, join
from flowdbg.present.command_twin import command_twin
from flowdbg.present.json_pretty import pretty
from flowdbg.present.step_view import effective_config, step_view
from flowdbg.tui.external import page_externally
from flowdbg.tui.parts.part import Handlers, Part
from flowdbg.tui.widgets.detail_pane import TABS

Comparison = tuple[str, object, object]
"""What is compared, and its two sides."""


class Looking(Part):
    """Chooses what the pane of the selected step shows."""

    _comparison = 0
    _compared: tuple[int, list[Comparison]] | None = None

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
        found = self._comparisons()
        if self._compared == (self._comparison, found):
            return
        self._compared = (self._comparison, found)
        if not found:
            self.screen.detail.compare("Nothing to compare: no edit, one attempt.", None)
            return
        self._comparison %= len(found)
        self._compared = (self._comparison, found)
        title, old, new = found[self._comparison]
        more = f"  ({self._comparison + 1}/{len(found)}, D for the next)" if len(found) > 1 else ""
        self.screen.detail.compare(title + more, (old, new))

    def fill_event(self) -> None:
        """Show the data of the event under the cursor of the events."""
        line = self.screen.events.line_at_cursor
        if line is not None:
            self.screen.detail.show_event(line.raw, line.name)

    def _comparisons(self) -> list[Comparison]:
        """Everything of the selected step that there are two of."""
        view = step_view(self.session, self.step_id, self.screen.history.branch)
        if view is None:
            return []
        found: list[Comparison] = []
        if view.is_edited and view.original is not None and view.output is not None:
            found.append(("output: original, edited", view.original.value, view.output.value))
        if view.block_edits:
            found.append(("block: original, edited", dict(view.config), effective_config(view)))
        attempts = (self.screen.history.branch or self.session.branch).executions.get(
            self.step_id, ()
        )
        done = [one for one in attempts if one.output is not None]
        for before, after in zip(done[-2:-1], done[-1:], strict=False):
            assert before.output is not None
            assert after.output is not None
            title = f"output: attempt {before.attempt}, attempt {after.attempt}"
            found.append((title, before.output.value, after.output.value))
        found += self._other_branches()
        return found

    def _other_branches(self) -> list[Comparison]:
        """The output of the selected step on the branch that this one left."""
        branch = self.session.branch
        if branch.parent is None or self.step_id not in branch.outputs:
            return []
        former = self.session.branches[branch.parent].outputs.get(self.step_id)
        now = branch.outputs[self.step_id]
        if former is None or former == now:
            return []
        title = f"output: branch #{branch.parent}, branch #{branch.number}"
        return [(title, former.value, now.value)]

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
        view_of_step = step_view(self.session, self.step_id, self.screen.history.branch)
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
            diff = self.screen.detail.diff
            return "diff", "\n".join(diff.row_text(at) for at in range(diff.row_count()))
        return "output", self.screen.detail.output.whole_text()
