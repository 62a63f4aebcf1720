"""Branches and comparisons: the screens that show them, and the way from them back to here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from flowdbg.core.session import Session
from flowdbg.present.takes import Side
from flowdbg.tui.messages import SessionRead
from flowdbg.tui.parts.part import Handlers, Part

if TYPE_CHECKING:
    from flowdbg.tui.screens.branches import Choice

# The screens over the debug screen are imported when they are opened.
# ruff: noqa: PLC0415


class Comparing(Part):
    """Shows branches, and compares them with each other and with those of other sessions."""

    _then: Callable[[Session], None] | None = None
    """What waits for a session that is being read."""

    def handlers(self) -> Handlers:
        """Return the actions that this part does."""
        return {
            "view.branches": self._branches,
            "view.compare": self._compare,
            "view.compare-session": lambda: self.choose_session(self.against(self.session.current)),
        }

    def compare(self, before: Side, after: Side, step_id: str = "") -> None:
        """Show a comparison of two runs over whatever screen there is."""
        from flowdbg.tui.screens.compare import CompareScreen

        self.app.push_screen(CompareScreen(self, before, after, step_id))

    def choose_session(self, then: Callable[[Session], None]) -> None:
        """Ask for another session of this flow, read it, and go on with it."""
        from flowdbg.tui.screens.sessions import SessionsScreen

        stored = [
            one
            for one in self.app.stored_sessions()
            if one.session_id != self.session.id
            and (one.problem or one.meta.get("address") == self.session.address)
        ]
        if not any(not one.problem for one in stored):
            self.say("There is no other session of this flow to compare with.")
            return

        def chosen(path: Path | None) -> None:
            if path is not None:
                self._then = then
                self.launch("view.compare-session", self._read(path))

        self.app.push_screen(SessionsScreen(stored, title="Compare with a session"), chosen)

    def take(self, session: Session) -> None:
        """Go on with a session that was read."""
        then, self._then = self._then, None
        if then is not None:
            then(session)

    def copy(self, text: str, what: str) -> None:
        """Copy a text, and say what was copied."""
        self.screen.copying.copy(text, what)

    async def _read(self, path: Path) -> None:
        from flowdbg.debugger.reading import read_session

        self.screen.post_message(SessionRead(await asyncio.to_thread(read_session, path)))

    def _branches(self) -> None:
        from flowdbg.tui.screens.branches import BranchesScreen

        def chosen(choice: Choice | None) -> None:
            if choice is None:
                return
            what, number = choice
            if what == "turn":
                self.screen.history.look_at_turn(number)
            elif what == "branch":
                self.screen.history.look_at_branch(number)
            else:
                self._go_on(number)

        seen = self.screen.history.branch or self.session.branch
        self.app.push_screen(BranchesScreen(self, seen.number), chosen)

    def _go_on(self, number: int) -> None:
        """Go on from the end of a branch, on a new one."""
        cursor = self.session.branches[number].cursor
        self.screen.history.leave()
        said = f"Goes on from the end of #{number}; it stays as it is"
        step = self.session.plan.at(cursor)
        if step is not None:
            self.screen.select_after = step.id
        self.move("run.fork", self.debugger.fork(cursor, parent=number), said)

    def _compare(self) -> None:
        """Compare what is looked at with the present, else the branch with the one it left."""
        seen = self.screen.history.branch
        session = self.session
        from flowdbg.present.compare import first_pair

        pair = first_pair(session)
        if seen is not None and seen.number != session.current:
            pair = (seen.number, session.current)
        assert pair is not None
        self.compare(Side(session, pair[0]), Side(session, pair[1]), self.step_id)

    def against(self, number: int) -> Callable[[Session], None]:
        """Return what compares another session with a branch of this one."""

        def compare(other: Session) -> None:
            mine = Side(self.session, number, self.session.id[-6:])
            self.compare(Side(other, other.current, other.id[-6:]), mine)

        return compare
