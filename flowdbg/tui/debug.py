"""The debug screen: the plan, the selected step, outputs, edits, events, and one line of state.

It routes: keys to the parts that do actions, messages of workers to the parts that own widgets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from textual import on

from flowdbg.core.entries import Stopped, StopReason
from flowdbg.errors import FlowdbgError
from flowdbg.present.history import newest_step
from flowdbg.present.step_documents import BLOCK, OUTPUT
from flowdbg.tui.actions import BY_ID, Situation
from flowdbg.tui.desk import Desk
from flowdbg.tui.messages import DraftsLoaded, ExternallyEdited, Moved, SessionMoved, VerbEnded
from flowdbg.tui.parts.comparing import Comparing
from flowdbg.tui.parts.copying import Copying
from flowdbg.tui.parts.drafts import DRAFTS, Drafts
from flowdbg.tui.parts.editing import Editing
from flowdbg.tui.parts.history import History
from flowdbg.tui.parts.looking import Looking
from flowdbg.tui.parts.panels import Panels
from flowdbg.tui.parts.panes import Panes
from flowdbg.tui.parts.program import Program
from flowdbg.tui.parts.running import Running
from flowdbg.tui.parts.standing import PLACE, Standing
from flowdbg.tui.styles import stylesheet
from flowdbg.tui.widgets.editor_pane import EditorPane
from flowdbg.tui.widgets.footer_bar import FooterBar
from flowdbg.tui.widgets.json_view import JsonView
from flowdbg.tui.widgets.leaf_editor import LeafEditor
from flowdbg.tui.widgets.line_view import LineView
from flowdbg.tui.widgets.plan_view import PlanView
from flowdbg.tui.widgets.search_bar import SearchBar
from flowdbg.tui.widgets.view_tabs import ViewTabs

REPAINT = 1 / 15
"""Seconds between two looks at the session while it changes quickly."""

CLOCK = 0.2
"""Seconds between two ticks of a running turn's clock."""


STYLE = stylesheet(__file__)
"""How the screen looks; part of the program's style, as a screen's own makes all be read again."""


class DebugScreen(Desk):
    """Debugs one session."""

    def __init__(self) -> None:
        super().__init__()
        self._place: str | None = None
        self.panes = Panes(self)
        self.history = History(self)
        self.drafts = Drafts(self)
        self.looking = Looking(self, self.history, self.panes)
        self.panels = Panels(self, self.history, self.drafts, self.looking, self.panes)
        self.standing = Standing(self, self.history, self.panels, self.looking, self.panes)
        self.editing = Editing(self, self.drafts, self.panes)
        self.copying = Copying(self, self.looking, self.panes)
        self.program = Program(self)
        parts = (
            self.panes, self.history, self.looking, self.editing, self.copying, self.program,
            Running(self, self.history, self.looking), Comparing(self, self.history),
        )  # fmt: skip
        self._handlers: dict[str, Callable[[], None]] = {}
        for part in parts:
            self._handlers.update(part.handlers())

    def on_mount(self) -> None:
        """Show the session, and watch it from now on."""
        self.session = self.host.debugger.session
        self.flow_pane.border_title = "1 Flow"
        self.outputs.border_title = "3 Outputs"
        self.edits.border_title = "4 Edits"
        self.events.border_title = "5 Events"
        self.panes.load_sizes()
        self.panes.show_right("detail")
        self.host.typed.must_wait = lambda: self.is_current and self.moves.is_holding
        self.set_focus(self.plan)  # at once, for where the person stood may be elsewhere
        self.run_worker(self._observe(), name="observe", exclusive=False)
        self.set_interval(CLOCK, self._tick)

    def situation(self) -> Situation:
        """What actions look at to know whether they can be done."""
        return Situation(
            self.session,
            self.host.key,
            step_id=self.step_id,
            pane=self.pane,
            seen=self.history.branch,
            moving=self.moves.is_under_way,
            can_undo=self.editing.can_undo,
            searching=self.copying.is_searching,
            draft_steps=frozenset(self.drafts.steps()),
        )

    def action_do(self, action_id: str) -> None:
        """Do an action, or say why it cannot be done now."""
        if not self.moves.hold(action_id) and self._may(action_id):
            self._handlers[action_id]()

    def _may(self, action_id: str) -> bool:
        """Whether an action can be done now; says why not."""
        why = BY_ID[action_id].off(self.situation())
        if why:
            self.host.say(f"{why[0].upper()}{why[1:]}.", warning=True)
        return not why

    def action_ids(self) -> set[str]:
        """Return the ids of all actions that this screen can do."""
        return set(self._handlers)

    def show_session(self) -> None:
        """Show the session as it is, or as it was where an earlier turn is looked at."""
        self.panels.refresh()

    def on_resize(self) -> None:
        """Give the flow the width that was chosen for this size."""
        self.panes.fit()

    async def _observe(self) -> None:
        """Tell the screen how the session moves, at most fifteen times a second."""
        with suppress(FlowdbgError):  # drafts that cannot be read are none
            load = self.host.debugger.load_draft
            self.post_message(DraftsLoaded(await load(DRAFTS), await load(PLACE)))
        async for change in self.host.debugger.subscribe():
            self.post_message(SessionMoved(change.session, change.entries, change.unsaved))
            await asyncio.sleep(REPAINT)

    async def on_unmount(self) -> None:
        """Keep where the person stood."""
        await self.standing.keep()

    def _tick(self) -> None:
        if self.session.running is not None:
            self.panels.refresh_status()

    @on(SessionMoved)
    def _session_moved(self, event: SessionMoved) -> None:
        is_first = not self.panels.has_log
        self.session, self.unsaved = event.session, event.unsaved
        self.panels.take(event.entries)
        if self.following:
            self._select_quietly(newest_step(self.session))
        if any(isinstance(entry.body, Stopped) for entry in event.entries):
            self._stopped()
        if is_first:
            self.standing.restore(self._place)
            self.standing.watch()
        self.program.look_for_questions()
        if is_first and self.program.lacks_inputs():
            self.program.ask_inputs()
        self._do_what_waited()

    @on(Moved)
    def _moved_at_once(self) -> None:
        self.moves.end()
        self._do_what_waited()

    def _do_what_waited(self) -> None:
        self.moves.go_on()
        self.host.typed.go_on()

    @on(DraftsLoaded)
    def _drafts_loaded(self, event: DraftsLoaded) -> None:
        self.drafts.load(event.text)
        self._place = event.place

    @on(VerbEnded)
    def _verb_ended(self, event: VerbEnded) -> None:
        if event.problem:
            self.notify(event.problem, severity="error", timeout=8)
        self.panes.refresh_footer()

    @on(PlanView.StepSelected)
    def _step_selected(self, event: PlanView.StepSelected) -> None:
        event.stop()
        self.following = False
        self.panels.refresh_step()
        if self.detail.tab == "diff":
            self.looking.fill_diff()
        self.panels.refresh_tip()
        self.panes.refresh_tabs()
        self.panes.refresh_footer()

    @on(PlanView.GutterClicked)
    def _gutter_clicked(self, event: PlanView.GutterClicked) -> None:
        event.stop()
        self.select(event.step_id)
        self.action_do("breakpoint.toggle")

    @on(PlanView.ContainerToggled)
    def _container_toggled(self, event: PlanView.ContainerToggled) -> None:
        event.stop()
        self.folded ^= {event.step_id}
        self.panels.refresh()

    @on(LineView.Chosen)
    def _chosen(self, event: LineView.Chosen) -> None:
        event.stop()
        if event.view is self.plan:
            self.panes.go("detail")
        elif event.view is self.edits and self.edits.row_at_cursor is not None:
            self.select(self.edits.row_at_cursor.step_id)
            self.panes.go("flow")
        elif event.view is self.events:
            self.panes.show_right("detail")
            self.looking.show_tab("event")
        elif event.view is self.detail.output.text_view:
            self.action_do("edit.output")

    @on(LineView.Moved)
    def _moved(self, event: LineView.Moved) -> None:
        event.stop()
        if event.view is self.events and self.detail.tab == "event":
            self.looking.fill_event()

    @on(JsonView.LeafChosen)
    def _leaf_chosen(self, event: JsonView.LeafChosen) -> None:
        event.stop()
        path = event.path
        if event.view is self.outputs and path:
            self.select(str(path[0]))
            path = path[1:]
        elif event.view not in (self.detail.block_view, self.detail.output.tree_view):
            self.host.say("Only outputs and blocks can be edited.")
            return
        plane = BLOCK if event.view is self.detail.block_view else OUTPUT
        if self._may(f"edit.{plane}"):
            self.editing.edit_leaf(plane, path, event.value)

    @on(ViewTabs.Picked)
    def _tab_picked(self, event: ViewTabs.Picked) -> None:
        event.stop()
        self.looking.pick_tab(event.tab)

    @on(FooterBar.Clicked)
    def _hint_clicked(self, event: FooterBar.Clicked) -> None:
        event.stop()
        if not event.action_id:
            return
        if event.action_id.startswith("editor."):
            self.editor.action_do(event.action_id)
        else:
            self.action_do(event.action_id)

    @on(SearchBar.Typed)
    def _search_typed(self, event: SearchBar.Typed) -> None:
        self.copying.find(event.query)

    @on(SearchBar.Stepped)
    def _search_stepped(self, event: SearchBar.Stepped) -> None:
        self.copying.step(event.step)

    @on(SearchBar.Closed)
    def _search_closed(self, event: SearchBar.Closed) -> None:
        self.copying.end(event.keep)

    @on(EditorPane.Applied)
    def _editor_applied(self, event: EditorPane.Applied) -> None:
        self.editing.apply(event.results)

    @on(EditorPane.Left)
    def _editor_left(self, event: EditorPane.Left) -> None:
        self.editing.leave(event.drafts)

    @on(EditorPane.DraftChanged)
    def _draft_changed(self, event: EditorPane.DraftChanged) -> None:
        self.editing.keep_draft(event.drafts)

    @on(EditorPane.ExternalWanted)
    def _external_wanted(self, event: EditorPane.ExternalWanted) -> None:
        self.editing.external(event.text, self.step_id, event.suffix)

    @on(ExternallyEdited)
    def _externally_edited(self, event: ExternallyEdited) -> None:
        if self.editor.state is not None:
            self.editor.replace_text(event.text)

    @on(LeafEditor.Applied)
    def _leaf_applied(self, event: LeafEditor.Applied) -> None:
        self.editing.take_leaf(event.path, event.value)
        self.set_focus(self.detail.shown)

    @on(LeafEditor.Closed)
    def _leaf_closed(self) -> None:
        self.set_focus(self.detail.shown)

    def on_descendant_focus(self) -> None:
        """Show the hints of the pane that has the keys now."""
        if self.panels.has_log:
            self.panes.refresh_footer()

    def _stopped(self) -> None:
        """The running verb is over."""
        self.call_later(self.host.rest)
        self.following = False
        if self.select_after:
            self._select_quietly(self.select_after)
            self.select_after = ""
        stop = self.session.stop
        trouble = (
            StopReason.SERVER,
            StopReason.INPUT_NEEDED,
            StopReason.EDIT_REFUSED,
            StopReason.UNKNOWN,
        )
        if stop.reason in trouble and stop.detail and self.has_class("-flat"):  # no line for it
            self.notify(stop.detail, severity="error", timeout=8)
        if stop.reason is StopReason.INPUT_NEEDED:
            self.program.ask_inputs()

    def _select_quietly(self, step_id: str) -> None:
        """Select a step without ending to follow the run."""
        if not step_id or step_id == self.step_id:
            return
        with self.prevent(PlanView.StepSelected):
            self.select(step_id)
        self.panels.refresh_step()
