"""The branches of the session: look at one, go on from it, compare it with another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Literal

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.widgets import Static

from flowdbg.core import rules
from flowdbg.core.session import Session
from flowdbg.present.branches import branch_rows, branch_title
from flowdbg.present.compare import RunsCompared
from flowdbg.present.takes import Side
from flowdbg.tui.screens.compare import CompareScreen, RunsScreen, compare_with_another
from flowdbg.tui.screens.keyed import keys_of
from flowdbg.tui.styles import stylesheet, subtitle, title
from flowdbg.tui.widgets.branches_view import BranchesView, BranchSteps
from flowdbg.tui.widgets.footer_bar import FooterBar
from flowdbg.tui.widgets.line_view import LineView
from flowdbg.tui.widgets.search_bar import SearchBar

Choice = tuple[Literal["branch", "turn", "fork"], int]
"""What to do: look at a branch or after a turn, or go on from the end of a branch."""

_LOOK_AGAIN = 0.2
"""Seconds between two looks at a session that may go on below."""


class BranchesScreen(RunsScreen[Choice | None]):
    """Lists the branches above the steps of the one under the cursor."""

    PLACE = "branches"
    BINDINGS: ClassVar[list[BindingType]] = keys_of(PLACE)
    CSS = stylesheet(__file__)

    _list = query_one(BranchesView)
    _steps = query_one(BranchSteps)
    _heading = query_one("#heading", Static)

    def __init__(self, session: Session, seen: int) -> None:
        """Prepare to show the branches of a session; `seen` is the one that is looked at."""
        super().__init__()
        self._session = session
        self._seen = seen
        self._unfolded: set[int] = set()
        self._marked: int | None = None
        self._shown: tuple[Session, int, int] | None = None

    def compose(self) -> ComposeResult:
        """Lay out the tree, the steps and the keys."""
        with Vertical(id="tree") as tree:
            tree.border_title = "Branches"
            yield Static(id="heading", markup=False)
            yield BranchesView()
        with Vertical(id="said"):
            yield BranchSteps()
        yield SearchBar(id="search")
        yield FooterBar(id="footer")

    def on_mount(self) -> None:
        """Show the branches, the cursor on the one that is looked at."""
        self._list.focus()
        self._show()
        self._list.stand_on_branch(self._seen)
        self.show_hints()
        self.set_interval(_LOOK_AGAIN, self._look_again)

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        """Return what does each action."""
        return {
            "branches.look": self._look,
            "branches.fork": self._fork,
            "branches.compare": self._compare,
            "branches.mark": self._mark,
            "branches.session": self._with_session,
        }

    def on_resize(self, event: events.Resize) -> None:
        """Put the names of the columns above them."""
        del event
        self.call_after_refresh(self._show)

    @property
    def _number(self) -> int:
        """The branch under the cursor."""
        row = self._list.row_at_cursor
        return row.branch if row is not None else self._session.current

    @property
    def _base(self) -> int:
        """The branch that the one under the cursor is compared with."""
        number = self._number
        if self._marked is not None and self._marked != number:
            return self._marked
        parent = self._session.branches[number].parent
        if parent is not None:
            return parent
        return self._session.current

    def _look_again(self) -> None:
        session = self.host.debugger.session
        if session is not self._session:
            self._session = session
            self._show()

    def _show(self) -> None:
        self._list.show_rows(branch_rows(self._session, self._unfolded), self._marked)
        self._heading.update(self._list.heading())
        tree, height = self.query_one("#tree", Vertical), self.size.height
        tree.styles.height = min(self._list.row_count() + 3, max(height // 2, 6))
        self._show_steps()

    def _show_steps(self) -> None:
        number, base = self._number, self._base
        was = self._shown
        if was is not None and was[0] is self._session and was[1:] == (number, base):
            return
        self._shown = (self._session, number, base)
        title(self.query_one("#said", Vertical), branch_title(self._session, number))
        self.compare(Side(self._session, base), Side(self._session, number))

    def take(self, compared: RunsCompared) -> None:
        """Show the steps of the branch, with what differs from the other one."""
        self._steps.show(compared)
        alone = compared.before.number == compared.after.number
        said = "" if alone else f"against #{compared.before.number}: {compared.said}"
        subtitle(self.query_one("#said", Vertical), said)

    @on(LineView.Moved)
    def _moved(self, event: LineView.Moved) -> None:
        event.stop()
        if event.view is self._list:
            self._show_steps()

    @on(BranchesView.Folded)
    def _folded(self, event: BranchesView.Folded) -> None:
        event.stop()
        if event.is_open:
            self._unfolded.add(event.branch)
        else:
            self._unfolded.discard(event.branch)
        self._show()
        if not event.is_open:
            self._list.stand_on_branch(event.branch)

    @on(LineView.Chosen)
    def _chosen(self, event: LineView.Chosen) -> None:
        event.stop()
        self._look()

    def _look(self) -> None:
        row = self._list.row_at_cursor
        if self.focused is self._steps:
            self._compare()
        elif row is not None and row.turn is not None:
            self.dismiss(("turn", row.turn))
        elif row is not None:
            self.dismiss(("branch", row.branch))

    def _fork(self) -> None:
        number = self._number
        branch = self._session.branches[number]
        length = self._session.plan.length
        key = self.host.key
        why = rules.fork_refusal(
            self._session, branch.cursor, number, lambda verb: f" ({key(f'run.{verb}')})"
        )
        if number == self._session.current and not why:
            why = f"the session is on this branch; {key('run.step')} goes on"
        elif branch.done or (length is not None and branch.cursor >= length):
            look = key("branches.look")
            why = why or f"it is at its end; look at it ({look}) and fork before one of its steps"
        if why:
            self.say(why)
        else:
            self.dismiss(("fork", number))

    def _mark(self) -> None:
        number = self._number
        self._marked = None if number == self._marked else number
        self._show()

    def _compare(self) -> None:
        number, base = self._number, self._base
        if number == base:
            mark = self.host.key("branches.mark")
            self.say(f"there is no other branch to compare it with; mark one with {mark}")
            return
        step = self._steps.step_at_cursor if self.focused is self._steps else ""
        sides = Side(self._session, base), Side(self._session, number)
        self.app.push_screen(CompareScreen(*sides, step))

    def _with_session(self) -> None:
        compare_with_another(self.host, self._session, self._number)
