"""The plan changed under the session: the old plan beside the new one, and the ways to go on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.screen import ModalScreen
from textual.widgets import Static

from flowdbg.core.session import StalePlan
from flowdbg.present.plan_change import ChangeRow, change_rows
from flowdbg.tui.host import FlowdbgApp
from flowdbg.tui.inks import INKS
from flowdbg.tui.styles import plain, stylesheet
from flowdbg.tui.widgets.line_view import LineView, Piece

Way = Literal["restart", "pin"]


class ChangesView(LineView):
    """Lists the steps of two plans side by side."""

    def __init__(self, rows: Sequence[ChangeRow]) -> None:
        super().__init__()
        self._rows = rows

    def row_count(self) -> int:
        """Return how many steps there are on either side."""
        return len(self._rows)

    def row_pieces(self, index: int) -> Sequence[Piece]:
        """Draw one step: before, after, what became of it."""
        row = self._rows[index]
        column = max((self.scrollable_content_region.width - 32) // 2, 14)
        tone = f"tone--{row.look.tone}"
        return [
            (f" {row.old[:column]:<{column}} ", "tone--muted" if not row.new else ""),
            (f"{row.look.glyph} ", tone),
            (f"{row.new[:column]:<{column}} ", ""),
            (f"{row.word:<8}", tone),
            (row.detail, "tone--muted"),
        ]


class StaleScreen(ModalScreen[Way | None]):
    """Asks how to go on after the plan changed; None leaves the old trail to be read."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("R", "dismiss('restart')", "Restart", show=False, id="run.restart"),
        Binding("P", "dismiss('pin')", "Pin the old version", show=False, id="run.pin"),
        Binding("escape,q", "dismiss(None)", "Look at the old trail", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = INKS
    CSS = stylesheet(__file__)

    _view = query_one(ChangesView)

    def __init__(self, stale: StalePlan) -> None:
        super().__init__()
        self._stale = stale

    def compose(self) -> ComposeResult:
        """Lay out what happened, both plans, and the keys."""
        old, new = self._stale.old, self._stale.new
        with Vertical(id="box") as box:
            box.border_title = "The plan changed under this session"
            yield Static(plain(self._stale.detail or "The flow was published again."), id="why")
            yield Static(
                f" old plan {_version(old.version)}, new plan {_version(new.version)}",
                id="versions",
                markup=False,
            )
            yield ChangesView(change_rows(self._stale.changes))
            yield Static(self._keys(), id="keys", markup=False)

    def on_mount(self) -> None:
        """Give the list the keys."""
        self._view.focus()
        self._view.rows_changed()

    def _keys(self) -> str:
        version = self._stale.old.version
        pin = f"stay on version {version}, pinned" if version is not None else "pin a version"
        restart, stay = map(cast("FlowdbgApp", self.app).key, ("run.restart", "run.pin"))
        return (
            f" {restart}  start again at step 1 on the new plan\n {stay}  {pin}\n"
            " esc  look at the old trail"
        )


def _version(version: int | None) -> str:
    return f"(version {version})" if version is not None else "(its version is not told)"
