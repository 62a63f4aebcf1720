"""Branches and comparisons: the screens that show them, and the way from them back to here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowdbg.present.takes import Side
from flowdbg.tui.desk import Desk
from flowdbg.tui.parts.history import History
from flowdbg.tui.parts.part import Handlers, Part

if TYPE_CHECKING:
    from flowdbg.tui.screens.branches import Choice

# The screens over the debug screen are imported when they are opened.
# ruff: noqa: PLC0415


class Comparing(Part):
    """Shows branches, and compares them with each other and with those of other sessions."""

    def __init__(self, screen: Desk, history: History) -> None:
        super().__init__(screen)
        self._history = history

    def handlers(self) -> Handlers:
        """Return the actions that this part does."""
        return {
            "view.branches": self._branches,
            "view.compare": self._compare,
            "view.compare-session": self._compare_session,
        }

    def _branches(self) -> None:
        from flowdbg.tui.screens.branches import BranchesScreen

        def chosen(choice: Choice | None) -> None:
            if choice is None:
                return
            what, number = choice
            if what == "turn":
                self._history.look_at_turn(number)
            elif what == "branch":
                self._history.look_at_branch(number)
            else:
                self._go_on(number)

        seen = self._history.branch or self.session.branch
        self.app.push_screen(BranchesScreen(self.session, seen.number), chosen)

    def _go_on(self, number: int) -> None:
        """Go on from the end of a branch, on a new one."""
        cursor = self.session.branches[number].cursor
        self._history.leave()
        said = f"Goes on from the end of #{number}; it stays as it is"
        step = self.session.plan.at(cursor)
        if step is not None:
            self.screen.select_after = step.id
        self.move("run.fork", self.debugger.fork(cursor, parent=number), said)

    def _compare(self) -> None:
        """Compare what is looked at with the present, else the branch with the one it left."""
        from flowdbg.present.compare import first_pair
        from flowdbg.tui.screens.compare import CompareScreen

        seen = self._history.branch
        session = self.session
        pair = first_pair(session)
        if seen is not None and seen.number != session.current:
            pair = (seen.number, session.current)
        assert pair is not None
        sides = Side(session, pair[0]), Side(session, pair[1])
        self.app.push_screen(CompareScreen(*sides, self.step_id))

    def _compare_session(self) -> None:
        from flowdbg.tui.screens.compare import compare_with_another

        compare_with_another(self.app, self.session, self.session.current)
