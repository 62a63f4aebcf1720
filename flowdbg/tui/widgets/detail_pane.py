"""The selected step: its output, input, block, differences and the event under the cursor."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.getters import query_one

from flowdbg.core.json_text import JsonText
from flowdbg.present.json_diff import former
from flowdbg.present.looks import EDITED
from flowdbg.present.step_view import StepView, effective_config
from flowdbg.tui.styles import stylesheet, subtitle, title
from flowdbg.tui.widgets.diff_view import DiffView
from flowdbg.tui.widgets.json_view import JsonView
from flowdbg.tui.widgets.line_view import LineView
from flowdbg.tui.widgets.output_view import OutputView
from flowdbg.tui.widgets.view_tabs import Tab, ViewTabs

TABS = ("output", "input", "block", "diff", "event")
"""The views of a step, in the order of their tabs."""

_LABELS = {
    "output": ("Output", "Out"),
    "input": ("Input", "In"),
    "block": ("Block", "Blk"),
    "diff": ("Diff", "Diff"),
    "event": ("Event", "Raw"),
}


class DetailPane(Vertical):
    """Shows one step; one of its views is seen."""

    DEFAULT_CSS = stylesheet(__file__)

    tabs_row = query_one("#detail-tabs", ViewTabs)
    output = query_one(OutputView)
    input_view = query_one("#input-view", JsonView)
    block_view = query_one("#block-view", JsonView)
    diff = query_one(DiffView)
    event_view = query_one("#event-view", JsonView)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # Textual's own name for it
        super().__init__(id=id)
        self.tab = "output"
        """The view that is seen."""
        self._view: StepView | None = None
        self._shown: dict[str, object] = {}
        self._step_in: dict[str, str] = {}
        self._diff_title = ""
        self._note = ""

    def compose(self) -> ComposeResult:
        """Lay out the tabs and one widget for each."""
        yield ViewTabs(id="detail-tabs")
        yield OutputView(id="output-view")
        yield JsonView(id="input-view", open_texts=True)
        yield JsonView(id="block-view", open_texts=True)
        yield DiffView(id="diff-view")
        yield JsonView(id="event-view", placeholder="No event yet.")

    def on_mount(self) -> None:
        """Show the first view."""
        self.show_tab("output")

    @property
    def shown(self) -> LineView:
        """The list that is seen in the current view."""
        view = self._views[self.tab]
        return view.shown if isinstance(view, OutputView) else view

    @property
    def _views(self) -> dict[str, OutputView | LineView]:
        return {
            "output": self.output,
            "input": self.input_view,
            "block": self.block_view,
            "diff": self.diff,
            "event": self.event_view,
        }

    def show_tab(self, tab: str) -> None:
        """See another view of the step."""
        had_focus = self.has_focus_within
        self.tab = tab
        for name, view in self._views.items():
            view.display = name == tab
        self._fill()
        self._show_subtitle()
        self.tabs_row.show_tabs(self.tabs(), tab)
        if had_focus:
            self.shown.focus()

    def tabs(self) -> tuple[Tab, ...]:
        """Return the tabs with marks of what is edited."""
        view = self._view
        sign = EDITED.glyph
        marks = {
            "output": sign if view and view.is_edited else "",
            "block": f"{sign}{len(view.block_edits)}" if view and view.block_edits else "",
        }
        return tuple(Tab(tab, *_LABELS[tab], marks.get(tab, "")) for tab in TABS)

    def show_step(self, view: StepView | None) -> None:
        """Show a step, or nothing."""
        self._view = view
        title(self, f"2 {view.title}" if view else "2 Step", 120)
        self.tabs_row.show_tabs(self.tabs(), self.tab)
        self._fill()

    def show_note(self, text: str) -> None:
        """Say below the pane what is unfinished about the step; nothing where nothing is."""
        self._note = text
        self.set_class(bool(text), "-unfinished")
        self._show_subtitle()

    def show_event(self, raw: str, name: str) -> None:
        """Show the data of one event as it came."""
        value = JsonText(raw)
        if not raw:
            self.event_view.clear(f"{name}: it came from here, not from the server.")
        elif value.problem:
            self.event_view.show_value(raw)
        else:
            self.event_view.show_value(value.value)

    def compare(self, what: str, sides: tuple[object, object] | None) -> None:
        """Show a difference under its title, or say that there is none to show."""
        self._diff_title = what if sides else ""
        self._show_subtitle()
        if sides is None:
            self.diff.clear(what)
        else:
            self.diff.compare_values(*sides)

    def _fill(self) -> None:
        """Give the seen view what it shows, when that changed."""
        view = self._view
        if view is None:
            return
        if self.tab == "output":
            self.output.show_step(view)
        elif self.tab == "input" and self._is_new("input", (view.key, view.input)):
            if view.input is None:
                self.input_view.clear("Its input is known when it runs.")
            else:
                self.input_view.show_value(view.input.value_or_text, keep=self._same_step("input"))
        elif self.tab == "block" and self._is_new(
            "block", (view.step_id, view.config, view.block_edits)
        ):
            if view.config:
                config = effective_config(view)
                was = former(dict(view.config), config) if view.block_edits else {}
                self.block_view.show_value(config, was, keep=self._same_step("block"))
            else:
                self.block_view.clear("The server does not tell how this step is configured.")

    def _show_subtitle(self) -> None:
        subtitle(self, (self._diff_title if self.tab == "diff" else "") or self._note)

    def _same_step(self, tab: str) -> bool:
        """Whether a view goes on with the step that it showed before."""
        assert self._view is not None
        before, self._step_in[tab] = self._step_in.get(tab), self._view.step_id
        return before == self._view.step_id

    def _is_new(self, tab: str, key: Sequence[object]) -> bool:
        changed = self._shown.get(tab) != key
        self._shown[tab] = key
        return changed
