"""The debug screen as its parts know it: its panes, which are seen at which size, what is selected.

The parts work on this; the screen itself (`debug.py`) is made of them and is not known to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.getters import query_one
from textual.widget import Widget
from textual.widgets import Input, Static

from flowdbg.core.session import Session
from flowdbg.present.event_items import describe
from flowdbg.present.keys import in_keys
from flowdbg.tui.actions import ACTIONS, BY_ID, Situation
from flowdbg.tui.host import Host
from flowdbg.tui.inks import INKS
from flowdbg.tui.keymap import bindings
from flowdbg.tui.moves import Moves
from flowdbg.tui.quick import QuickScreen
from flowdbg.tui.widgets.detail_pane import DetailPane
from flowdbg.tui.widgets.editor_pane import EditorPane
from flowdbg.tui.widgets.edits_view import EditsView
from flowdbg.tui.widgets.events_view import EventsView
from flowdbg.tui.widgets.footer_bar import FooterBar
from flowdbg.tui.widgets.json_view import JsonView
from flowdbg.tui.widgets.leaf_editor import LeafEditor
from flowdbg.tui.widgets.line_view import LineView
from flowdbg.tui.widgets.plan_view import PlanView
from flowdbg.tui.widgets.search_bar import SearchBar
from flowdbg.tui.widgets.status_bar import StatusBar
from flowdbg.tui.widgets.tips_line import TipsLine
from flowdbg.tui.widgets.view_tabs import ViewTabs

KEYS = {action.id: action.keys for action in ACTIONS}

RIGHT = ("detail", "outputs", "edits", "events")
"""The panes beside the flow; where space is short, one of them is seen."""

NARROW, WIDE, HUGE = 60, 100, 160
"""Cells of width from which two panes and all panes are seen, and events stand beside the rest."""

SPACES = (
    "#flow, #work, #all-tabs, #columns, #side, #detail, #detail-tabs, #editor, #outputs, #edits, "
    "#events"
)
"""What is seen, or how wide it is, by the classes of the screen that say which pane is seen."""

NO_EDITS = (
    "Nothing yet.\n{edit.output} edits an output,\n{edit.block} a block,\n"
    "{breakpoint.toggle} sets a breakpoint."
)
"""What the edits say where there are none."""

WHILE_TYPING = ("app.palette", "app.help", "app.redraw")
"""What the debug screen does while a text is typed; all other keys belong to the text."""


class Desk(QuickScreen[None]):
    """The panes of the debug screen, its keys, and where the person is."""

    # First, before the focused widget: so a key is done before the next one is sent anywhere, and
    # what is typed right after `/` reaches the search. Copying a selection is Textual's own ctrl+c.
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings([action for action in ACTIONS if action.id != "run.cancel"], KEYS, priority=True),
        *bindings([BY_ID["run.cancel"]], KEYS),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = INKS
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 # Textual's
        (0, "-slim"), (40, "-tiny"), (NARROW, "-narrow"), (WIDE, "-wide"), (HUGE, "-huge"),
    ]  # fmt: skip
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

    def __init__(self) -> None:
        # from the start, because each class that is added styles the whole screen again
        super().__init__(classes="-at-detail")
        self.session = Session()
        """The session as it is shown."""
        self.unsaved = ""
        """Why the newest entries are not on disk."""
        self.folded: set[str] = set()
        """Containers of the plan whose children are hidden."""
        self.following = False
        """Whether the selection goes with the running step."""
        self.select_after = ""
        """The step to select when the running verb has stopped."""
        self.moves = Moves(self._is_shown, self.action_do)

    def action_do(self, action_id: str) -> None:
        """Do an action, or say why it cannot be done now."""
        raise NotImplementedError

    def situation(self) -> Situation:
        """What actions look at to know whether they can be done."""
        raise NotImplementedError

    def show_session(self) -> None:
        """Show the session as it is, or as it was where an earlier turn is looked at."""
        raise NotImplementedError

    @property
    def host(self) -> Host:
        """The program that this screen is the mode of."""
        return cast("Host", self.app)

    @property
    def step_id(self) -> str:
        """The selected step; empty when there is none."""
        row = self.plan.selected
        return row.step_id if row else ""

    def select(self, step_id: str) -> None:
        """Select a step of the plan."""
        self.plan.select(step_id)

    def _is_shown(self) -> bool:
        """Whether what is shown is how things stand, or a step runs."""
        session = self.host.debugger.session
        return bool(session.verb or session.running) or session is self.session

    def compose(self) -> ComposeResult:
        """Lay out all panes; the style decides which are seen at which size."""
        self._fit_terminal()
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
                        yield EditsView(id="edits", placeholder=in_keys(NO_EDITS, self.host.key))
                yield EventsView(describe, id="events")
                yield LeafEditor(id="leaf")
                yield SearchBar(id="search")
        yield TipsLine(id="tips")
        yield FooterBar(id="footer")
        yield Static("Too small: flowdbg needs 40 x 10.", id="too-small", markup=False)

    def _fit_terminal(self) -> None:
        """Have the classes for the terminal's size from the start.

        Textual sets them when the screen is there, and styles and lays out everything again.
        """
        width, height = self.app.size
        for cells, breakpoints in (
            (width, self.HORIZONTAL_BREAKPOINTS),
            (height, self.VERTICAL_BREAKPOINTS),
        ):
            _, name = max((least, name) for least, name in breakpoints if least <= cells)
            self.add_class(name, update=False)

    def share_space(self, classes: Mapping[str, bool]) -> None:
        """Change classes that say which panes are seen.

        Only the panes are styled again: all widgets of the screen would take 50 ms.
        """
        before = self.classes
        self.update_classes(classes, update=False)
        if self.classes != before:
            self.app.stylesheet.update_nodes(self.query(SPACES))

    @property
    def pane(self) -> str:
        """The pane that has the keys."""
        node: object = self.focused
        while isinstance(node, Widget):
            if node.id in ("flow", "editor", *RIGHT):
                return node.id
            node = node.parent
        return "flow"

    @property
    def focused_view(self) -> LineView | None:
        """The list that has the keys."""
        return self.focused if isinstance(self.focused, LineView) else None

    @property
    def typing(self) -> Widget | None:
        """The editor that is open, of a whole value or of a leaf."""
        if not self.is_mounted:
            return None
        if self.editor.state is not None:
            return self.editor
        return self.leaf if self.leaf.is_open else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Switch the debugger's keys off while a text is typed."""
        is_asking = self.typing is not None or (self.is_mounted and self.search_bar.is_open)
        if is_asking and action == "do" and parameters[0] not in WHILE_TYPING:
            return False
        return super().check_action(action, parameters)

    def set_focus(
        self, widget: Widget | None, scroll_visible: bool = True, from_app_focus: bool = False
    ) -> None:
        """Give a widget the keys, but keep them in an editor that is open.

        A click elsewhere must not leave the editor without its keys, nor make letters commands.
        """
        typing = self.typing
        inside = widget.ancestors_with_self if widget is not None and self.is_mounted else None
        if inside is not None and typing is not None and typing not in inside:
            widget = self.editor.area if typing is self.editor else self.leaf.query_one(Input)
        elif inside is not None and self.search_bar.is_open and self.search_bar not in inside:
            self.search_bar.leave(keep=True)
        super().set_focus(widget, scroll_visible, from_app_focus)
