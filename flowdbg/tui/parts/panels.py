"""From the session to the widgets: what each of them shows now."""

from __future__ import annotations

import time
from collections.abc import Mapping

from flowdbg.core.entries import Entry
from flowdbg.core.json_text import JsonText
from flowdbg.core.session import Session
from flowdbg.present import formats
from flowdbg.present.advice import advice
from flowdbg.present.edit_rows import edit_rows
from flowdbg.present.event_items import items_of, logged_items
from flowdbg.present.history import flow_title
from flowdbg.present.json_diff import former
from flowdbg.present.json_paths import Path
from flowdbg.present.keys import in_keys
from flowdbg.present.looks import DRAFT, VIEWING
from flowdbg.present.plan_rows import plan_rows, summary
from flowdbg.present.status_line import look, status_parts
from flowdbg.present.step_view import step_view
from flowdbg.present.tips import current_tip
from flowdbg.tui.desk import Desk
from flowdbg.tui.parts.drafts import Drafts
from flowdbg.tui.parts.history import History
from flowdbg.tui.parts.looking import Looking
from flowdbg.tui.parts.panes import Panes
from flowdbg.tui.parts.part import Part
from flowdbg.tui.styles import subtitle, title


class Panels(Part):
    """Fills the panes; each is given only what changed."""

    def __init__(
        self, screen: Desk, history: History, drafts: Drafts, looking: Looking, panes: Panes
    ) -> None:
        super().__init__(screen)
        self._history = history
        self._drafts = drafts
        self._looking = looking
        self._panes = panes
        self._outputs: object = None
        self.has_log = False
        """Whether the log of the session was shown."""

    def take(self, entries: tuple[Entry, ...]) -> None:
        """Show the session after some entries."""
        self._log(entries)
        self.refresh()

    def refresh(self) -> None:
        """Show the session as it is, or as it was where an earlier turn is looked at."""
        screen, session = self.screen, self.session
        seen = self._history.seen
        rows = plan_rows(seen, folded=screen.folded, drafts=self._drafts.steps())
        screen.plan.show_rows(rows)
        self._panes.fit_names()
        subtitle(screen.flow_pane, summary(rows))
        title(screen.flow_pane, flow_title(seen) if seen is not session else "1 Flow")
        self.refresh_step()
        self._show_outputs(seen)
        screen.edits.show_rows(edit_rows(session, self._drafts.notes()))
        self.refresh_status()
        self._panes.refresh_tabs()
        self._panes.refresh_footer()
        self.refresh_tip()

    def refresh_step(self) -> None:
        """Show the selected step."""
        key = None if self._history.label else self.app.key
        view = step_view(self._history.seen, self.step_id, key)
        self.screen.detail.show_step(view)
        note = self._drafts.notes().get(self.step_id, "")
        self.screen.detail.show_note(f"{DRAFT.glyph} {note}" if note else "")
        if self.screen.detail.tab == "diff":
            self._looking.fill_diff()

    def refresh_tip(self) -> None:
        """Say what helps in trouble, else the tip for where the person is."""
        said, tip = "", None
        if not self._history.label:
            said = advice(self.session, self.app.key)
            tip = None if said else current_tip(self.app.tips, self.session, self.step_id)
        glyph = look(self.session).glyph if said else "➜"
        text = said or (in_keys(tip.text, self.app.key) if tip else "")
        self.screen.tips.show_text(glyph, text, trouble=bool(said))

    def refresh_status(self) -> None:
        """Say how the session stands, with the clock of a running turn."""
        session = self.session
        elapsed = session.totals.elapsed
        speed = ""
        if session.running is not None:
            elapsed += max(time.time() - session.running.started_at, 0)
            speed = self._speed(session)
        parts = status_parts(
            self._history.seen,
            elapsed=elapsed,
            speed=speed,
            unsaved=bool(self.screen.unsaved),
            read_only=bool(self.debugger.read_only),
            viewing=self._history.label,
            profile=self.debugger.profile,
            production=self.debugger.is_production,
        )
        shown = VIEWING if self._history.label else look(session)
        self.screen.status.show_parts(shown.glyph, parts)

    def _speed(self, session: Session) -> str:
        step = session.plan.at(session.cursor)
        execution = session.execution(step.id) if step else None
        if execution is None:
            return ""
        newest = list(execution.children.values())[-1:] or [execution]
        running = newest[0]
        return formats.rate(len(running.chunks), time.time() - running.started_at)

    def _log(self, entries: tuple[Entry, ...]) -> None:
        if not self.has_log:
            self.has_log = True
            self.screen.events.show_items(logged_items(self.session.events))
        else:
            self.screen.events.add(items_of(entries))

    def _show_outputs(self, session: Session) -> None:
        branch = session.branch
        shown = (branch.outputs, session.output_edits)
        if shown == self._outputs:
            return
        self._outputs = shown
        edits = session.output_edits
        order = [step.id for step in session.plan.steps]
        names = [*order, *(step for step in branch.outputs if step not in order)]
        effective = {
            step: edits.get(step, branch.outputs.get(step, JsonText("null")))
            for step in names
            if step in edits or step in branch.outputs
        }
        view = self.screen.outputs
        if not effective:
            view.clear("No outputs yet.")
            return
        values = {step: text.value_or_text for step, text in effective.items()}
        view.show_value(values, _marks(edits, branch.outputs), keep=view.has_value)


def _marks(edits: Mapping[str, JsonText], originals: Mapping[str, JsonText]) -> dict[Path, str]:
    marks: dict[Path, str] = {}
    for step, edit in edits.items():
        marks[(step,)] = ""
        if step in originals:
            marks.update(former(originals[step].value_or_text, edit.value_or_text, (step,)))
    return marks
