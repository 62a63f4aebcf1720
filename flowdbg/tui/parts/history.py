"""Looking back: the session as it stood after an earlier turn, or on another branch."""

from __future__ import annotations

from flowdbg.core.session import Branch, Session, Turn
from flowdbg.present.history import branch_label, seen_after, seen_on, step_of, turn_label
from flowdbg.tui.parts.part import Handlers, Part


class History(Part):
    """Goes through turns and branches without running anything."""

    _viewed: int | None = None
    """The index of the turn that is looked at."""
    _bare: int | None = None
    """The number of a branch that is looked at although nothing ran on it."""

    def handlers(self) -> Handlers:
        """Return the actions that this part does."""
        return {
            "view.earlier": lambda: self._move(-1),
            "view.later": lambda: self._move(1),
            "view.goto-next": self._goto_next,
        }

    @property
    def turn(self) -> Turn | None:
        """The turn that is looked at; None when it is the present, or a branch without turns."""
        turns = self.session.turns
        if self._viewed is None or not 0 <= self._viewed < len(turns):
            return None
        return turns[self._viewed]

    @property
    def seen(self) -> Session:
        """The session as it is looked at: as it stood then, or as it is at present."""
        turn = self.turn
        if turn is not None:
            return seen_after(self.session, turn)
        return seen_on(self.session, self._bare) if self._bare is not None else self.session

    @property
    def branch(self) -> Branch | None:
        """The branch that is looked at, as it stood then; None for the present."""
        return self.seen.branch if self.label else None

    @property
    def label(self) -> str:
        """What the status line says about it; empty for the present."""
        turn = self.turn
        if turn is not None:
            return turn_label(self.session, turn)
        return branch_label(self.session, self._bare) if self._bare is not None else ""

    def look_at_branch(self, number: int) -> None:
        """Look at how a branch stands, or stood when it was left."""
        last = [at for at, turn in enumerate(self.session.turns) if turn.branch == number]
        if number == self.session.current:
            self._goto_next()
        elif last:
            self._look(last[-1])
        else:
            self._viewed, self._bare = None, number
            step = self.seen.plan.at(self.seen.cursor)
            self._refresh(step.id if step else "")

    def look_at_turn(self, number: int) -> None:
        """Look at how things stood after a turn."""
        for at, turn in enumerate(self.session.turns):
            if turn.number == number:
                if at >= self._present:
                    self._goto_next()
                else:
                    self._look(at)

    def leave(self) -> None:
        """Come back to the present."""
        if self._viewed is not None or self._bare is not None:
            self._viewed = self._bare = None
            self.screen.show_session()

    @property
    def _present(self) -> int:
        """The index of the turn whose end is the present; one that is not there, for none."""
        turns = self.session.turns
        # what the newest turn left is what one sees at present, unless another branch was begun
        return len(turns) - bool(turns and turns[-1].branch == self.session.current)

    def _move(self, by: int) -> None:
        present = self._present
        at = (present if self._viewed is None else self._viewed) + by
        if self._bare is not None:  # its turns would stand before those of later branches
            at = sum(turn.branch < self._bare for turn in self.session.turns) - (by < 0)
        if at < 0:
            self.say("This is the first turn.")
        elif at >= present:
            self.leave()
        else:
            self._look(at)

    def _look(self, at: int) -> None:
        self._viewed, self._bare = at, None
        turn = self.session.turns[at]
        self._refresh(step_of(self.session, turn))

    def _refresh(self, step_id: str) -> None:
        self.screen.show_session()  # first, for the plan of then may have other steps
        self.screen.select(step_id)

    def _goto_next(self) -> None:
        self.leave()
        step = self.session.plan.at(self.session.cursor)
        if step is not None:
            self.screen.select(step.id)
        elif self.session.plan.steps:
            self.screen.select(self.session.plan.steps[-1].id)
