"""How the debug screen is laid out: all its panes, and which are seen at which size."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.getters import query_one
from textual.screen import Screen
from textual.widgets import Static

from flowdbg.present.event_items import describe
from flowdbg.tui.actions import ACTIONS
from flowdbg.tui.inks import INKS
from flowdbg.tui.keymap import bindings
from flowdbg.tui.parts.panes import NARROW, WIDE
from flowdbg.tui.widgets.detail_pane import DetailPane
from flowdbg.tui.widgets.editor_pane import EditorPane
from flowdbg.tui.widgets.edits_view import EditsView
from flowdbg.tui.widgets.events_view import EventsView
from flowdbg.tui.widgets.footer_bar import FooterBar
from flowdbg.tui.widgets.json_view import JsonView
from flowdbg.tui.widgets.leaf_editor import LeafEditor
from flowdbg.tui.widgets.plan_view import PlanView
from flowdbg.tui.widgets.search_bar import SearchBar
from flowdbg.tui.widgets.status_bar import StatusBar
from flowdbg.tui.widgets.tips_line import TipsLine
from flowdbg.tui.widgets.view_tabs import ViewTabs


class DebugLayout(Screen[None]):
    """The panes of the debug screen and its keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(ACTIONS, {action.id: action.keys for action in ACTIONS})
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = INKS
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (40, "-tiny"), (NARROW, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012 # Textual's
    VERTICAL_BREAKPOINTS = [(0, "-low"), (10, "-flat"), (16, "-short"), (30, "-tall")]  # noqa: RUF012 # Textual's

    status = query_one(StatusBar)
    flow_pane = query_one("#flow", Vertical)
    plan = query_one(PlanView)
    all_tabs = query_one("#all-tabs", ViewTabs)
    detail = query_one(DetailPane)
    outputs = query_one("#outputs", JsonView)
    edits = query_one(EditsView)
    events = query_one(EventsView)
    editor = query_one(EditorPane)
    leaf = query_one(LeafEditor)
    search_bar = query_one(SearchBar)
    tips = query_one(TipsLine)
    footer = query_one(FooterBar)

    def compose(self) -> ComposeResult:
        """Lay out all panes; the style decides which are seen at which size."""
        yield StatusBar()
        with Horizontal(id="main"):
            with Vertical(id="flow"):
                yield PlanView(id="plan")
            with Vertical(id="work"):
                yield ViewTabs(id="all-tabs")
                with Horizontal(id="columns"):
                    yield DetailPane(id="detail")
                    yield EditorPane(id="editor")
                    with Vertical(id="side"):
                        yield JsonView(id="outputs")
                        yield EditsView(id="edits")
                yield EventsView(describe, id="events")
                yield LeafEditor(id="leaf")
                yield SearchBar(id="search")
        yield TipsLine(id="tips")
        yield FooterBar(id="footer")
        yield Static("Too small: flowdbg needs 40 x 10.", id="too-small", markup=False)
