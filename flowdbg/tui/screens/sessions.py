"""The sessions on this machine: enter goes on with one where it stood."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.screen import Screen
from textual.widgets import Static

from flowdbg.present.session_rows import SessionRow, Stored, session_row
from flowdbg.tui.inks import INKS
from flowdbg.tui.styles import stylesheet
from flowdbg.tui.widgets.line_view import LineView, Piece


class SessionsView(LineView):
    """Lists stored sessions, newest first."""

    def __init__(self, rows: Sequence[SessionRow]) -> None:
        super().__init__()
        self._rows = rows

    def row_count(self) -> int:
        """Return how many sessions there are."""
        return len(self._rows)

    def row_pieces(self, index: int) -> Sequence[Piece]:
        """Draw one session: state, flow, how far it got, when."""
        row = self._rows[index]
        tone = f"tone--{row.look.tone}"
        if row.is_here:
            return [
                (" ▶ open here       ", "tone--accent"),
                (f"{row.flow}  ", ""),
                (row.session_id[-6:], "tone--muted"),
            ]
        if row.problem:
            return [
                (" ✗ unreadable  ", "tone--bad"),
                (f"{row.session_id}  ", ""),
                (row.problem, "tone--muted"),
            ]
        flow_width = min(max(self.scrollable_content_region.width - 52, 16), 60)
        return [
            (f" {row.look.glyph} {row.look.word.lower():<15} ", tone),
            (f"{row.flow[:flow_width]:<{flow_width}}  ", ""),
            (f"{row.place:>6}  ", "tone--muted"),
            (f"{row.when:<13} ", "tone--muted"),
            (row.session_id[-6:], "tone--muted"),
        ]

    def row(self, index: int) -> SessionRow:
        """Return the session of a row."""
        return self._rows[index]


class SessionsScreen(Screen[Path | None]):
    """Asks which session to open; None goes back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "Back", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = INKS
    CSS = stylesheet(__file__)

    _view = query_one(SessionsView)

    def __init__(self, stored: Sequence[Stored], here: str = "") -> None:
        """Prepare the list; `here` is the id of the session that is open in this program."""
        super().__init__()
        now = time.time()
        self._rows = [session_row(one, now, here) for one in stored]

    def compose(self) -> ComposeResult:
        """Lay out the list, or what to do where it is empty."""
        with Vertical(id="box") as box:
            box.border_title = "flowdbg  sessions"
            if not self._rows:
                yield Static(_FIRST, id="first", markup=False)
            yield SessionsView(self._rows)
            keys = " enter open   j k move   q back" if self._rows else " q back"
            yield Static(keys, id="keys", markup=False)

    def on_mount(self) -> None:
        """Give the list the keys."""
        self._view.display = bool(self._rows)
        self._view.focus()
        self._view.rows_changed()

    @on(LineView.Chosen)
    def _chosen(self, event: LineView.Chosen) -> None:
        event.stop()
        row = self._view.row(event.index)
        if row.problem:
            self.app.notify(row.problem, severity="warning", markup=False)
        else:
            self.dismiss(row.path)


_FIRST = """
 No session yet. Start one:

   flowdbg demo                     a flow with a fault to find
   flowdbg debug flow.yaml          a flow file of yours
   flowdbg debug org/project/flow   a published flow
"""
