"""The sessions on this machine: enter goes on with one where it stood."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.message import Message
from textual.widgets import Input, Static

from flowdbg.core.session import Session
from flowdbg.debugger.reading import read_session
from flowdbg.errors import FlowdbgError
from flowdbg.present.formats import plural
from flowdbg.present.session_rows import SessionRow, Stored, heading, matching, session_row
from flowdbg.store import remove_session
from flowdbg.tui.host import Host
from flowdbg.tui.screens.confirm import ConfirmScreen
from flowdbg.tui.screens.keyed import KeyedScreen, keys_of
from flowdbg.tui.styles import stylesheet, subtitle
from flowdbg.tui.widgets.footer_bar import FooterBar, Hint
from flowdbg.tui.widgets.line_view import LineView, Piece
from flowdbg.tui.widgets.safe_input import SafeInput


class SessionsView(LineView):
    """Lists stored sessions, newest first."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: Sequence[SessionRow] = ()

    def show_rows(self, rows: Sequence[SessionRow]) -> None:
        """Show other sessions; the cursor stays in its row."""
        self._rows = rows
        self.rows_changed()

    def row_count(self) -> int:
        """Return how many sessions there are."""
        return len(self._rows)

    def row_pieces(self, index: int) -> Sequence[Piece]:
        """Draw one session: state, flow, how far it got, how large, when."""
        row = self._rows[index]
        if row.is_here:
            return [(" ▶ open here       ", "tone--accent"), (row.columns(self.columns)[0], "")]
        if row.problem:
            return [
                (" ✗ unreadable      ", "tone--bad"),
                (f"{row.session_id}  ", ""),
                (row.problem, "tone--muted"),
            ]
        flow, rest = row.columns(self.columns)
        return [
            (f" {row.look.glyph} {row.look.word.lower():<15} ", f"tone--{row.look.tone}"),
            (flow, ""),
            (rest, "tone--muted"),
        ]

    @property
    def columns(self) -> int:
        """Cells for the columns behind the state."""
        return max(self.scrollable_content_region.width - 19, 20)

    @property
    def row_at_cursor(self) -> SessionRow | None:
        """The session under the cursor."""
        return self._rows[self.cursor] if self._rows else None


class SessionsScreen(KeyedScreen[Path | None]):
    """Asks which session to open; None goes back."""

    PLACE = "sessions"
    BINDINGS: ClassVar[list[BindingType]] = [
        *keys_of(PLACE),
        Binding("escape", "end_find", "End", show=False, priority=True),
        Binding("down,ctrl+n", "move(1)", "Down", show=False, priority=True),
        Binding("up,ctrl+p", "move(-1)", "Up", show=False, priority=True),
    ]
    CSS = stylesheet(__file__)

    class Removed(Message):
        """A session was deleted, or could not be."""

        def __init__(self, row: SessionRow, problem: str) -> None:
            super().__init__()
            self.row = row
            self.problem = problem

    _view = query_one(SessionsView)
    _input = query_one(SafeInput)
    _heading = query_one("#heading", Static)
    _is_finding = False

    def __init__(
        self, stored: Sequence[Stored], here: str = "", title: str = "flowdbg  sessions"
    ) -> None:
        """Prepare the list; `here` is the id of the session that is open in this program."""
        super().__init__()
        now = time.time()
        self._rows = [session_row(one, now, here) for one in stored]
        self._title = title

    def compose(self) -> ComposeResult:
        """Lay out the list, or what to do where it is empty."""
        with Vertical(id="box") as box:
            box.border_title = self._title
            yield Static(_FIRST, id="first", markup=False)
            yield Static(id="heading", markup=False)
            yield SessionsView()
        yield SafeInput(placeholder="type to find a flow, a state, an id", compact=True)
        yield FooterBar(id="footer")

    def on_mount(self) -> None:
        """Give the list the keys."""
        self._view.focus()
        self._show()

    def on_resize(self) -> None:
        """Put the names of the columns above them."""
        self.call_after_refresh(lambda: self._heading.update(heading(self._view.columns)))

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        """Return what does each action."""
        return {
            "sessions.open": self._open,
            "sessions.find": self._find,
            "sessions.remove": self._remove,
        }

    def action_do(self, action_id: str) -> None:
        """Do an action; a hint that tells a key of the line is none."""
        if action_id == "sessions.open" and self._is_finding:
            self._leave_line()
        if action_id:
            super().action_do(action_id)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Give letters to the line while somebody types there."""
        if action in ("do", "end_find", "move"):
            return (action != "do") is self._is_finding
        return super().check_action(action, parameters)

    def action_move(self, by: int) -> None:
        """Go up or down in the list while typing."""
        self._view.cursor = max(min(self._view.cursor + by, self._view.row_count() - 1), 0)

    def action_end_find(self) -> None:
        """Stop to look for something, and see all sessions again."""
        self._input.value = ""
        self._leave_line()

    def show_hints(self) -> None:
        """Show the keys of the list, or those of the line."""
        if self._is_finding:
            self._footer.show_hints(_WHILE_FINDING)
        else:
            super().show_hints()

    @on(Input.Changed)
    def _words_typed(self, event: Input.Changed) -> None:
        event.stop()
        self._show()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._leave_line()
        self._open()

    @on(LineView.Chosen)
    def _chosen(self, event: LineView.Chosen) -> None:
        event.stop()
        self._open()

    def _open(self) -> None:
        row = self._view.row_at_cursor
        if row is None:
            self.say("there is no session to open")
        elif row.problem:
            self.say(row.problem)
        else:
            self.dismiss(row.path)

    def _find(self) -> None:
        self._is_finding = self._input.display = True
        self.set_focus(self._input)  # at once: the next key is typed there
        self.show_hints()

    def _leave_line(self) -> None:
        self._is_finding = self._input.display = False
        self.set_focus(self._view)
        self.show_hints()

    def _remove(self) -> None:
        row = self._view.row_at_cursor
        if row is None or row.is_here or row.holder:
            where = f"open in {row.holder}" if row is not None and row.holder else "open here"
            self.say(f"it is {where}" if row is not None else "there is no session to delete")
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.run_worker(self._removed(row), exclusive=False)

        question = f"Delete the session {row.title}? It cannot be brought back."
        self.app.push_screen(ConfirmScreen(question), answered)

    async def _removed(self, row: SessionRow) -> None:
        problem = ""
        try:
            await asyncio.to_thread(remove_session, row.path)
        except FlowdbgError as error:
            problem = str(error)
        self.post_message(self.Removed(row, problem))

    def on_sessions_screen_removed(self, event: Removed) -> None:
        """Take the row out of the list, or say why the session is still there."""
        if event.problem:
            self.app.notify(event.problem, severity="error")
        else:
            self._rows.remove(event.row)
            self._show()

    def _show(self) -> None:
        """Show the rows that match what is typed."""
        found = matching(self._rows, self._input.value)
        self._view.show_rows(found)
        self.query_one("#first").display = not self._rows
        self._heading.display = self._view.display = bool(self._rows)
        of = f"{len(found)} of " if len(found) != len(self._rows) else ""
        subtitle(self.query_one("#box"), f"{of}{plural(len(self._rows), 'session')}")
        self.show_hints()


def choose_session(host: Host, mine: Session, then: Callable[[Session], None]) -> None:
    """Ask for another session of the flow of `mine`, read it, and go on with it."""
    stored = [
        one
        for one in host.stored_sessions()
        if one.session_id != mine.id and (one.problem or one.meta.get("address") == mine.address)
    ]
    if all(one.problem for one in stored):
        host.say("There is no other session of this flow to compare with.")
        return

    async def read(path: Path) -> None:
        try:
            session = await asyncio.to_thread(read_session, path)
        except FlowdbgError as error:
            host.notify(str(error), severity="error", timeout=8)
        else:
            host.call_later(then, session)

    def chosen(path: Path | None) -> None:
        if path is not None:
            host.run_worker(read(path), name="another session", exclusive=False)

    host.push_screen(SessionsScreen(stored, title="Compare with a session"), chosen)


_WHILE_FINDING = (
    Hint("sessions.open", "enter", "Open", 3),
    Hint("", "↑↓", "Other sessions", 2),
    Hint("", "esc", "End", 1),
)

_FIRST = """
 No session yet. Start one:

   flowdbg demo                     a flow with a fault to find
   flowdbg debug flow.yaml          a flow file of yours
   flowdbg debug org/project/flow   a published flow
"""
