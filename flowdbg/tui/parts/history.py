"""Looking back: the session as it stood after an earlier turn."""

from __future__ import annotations

from flowdbg.core.session import Branch, Turn
from flowdbg.present.history import as_of, step_of, turn_label
from flowdbg.tui.parts.part import Handlers, Part


class History(Part):
    """Goes through the turns without running anything."""

    _viewed: int | None = None

    def handlers(self) -> Handlers:
        """Return the actions that this part does."""
        return {
            "view.earlier": lambda: self._move(-1),
            "view.later": lambda: self._move(1),
            "view.goto-next": self._goto_next,
        }

    @property
    def turn(self) -> Turn | None:
        """The turn that is looked at; None when it is the present."""
        turns = self.session.turns
        if self._viewed is None or not 0 <= self._viewed < len(turns):
            return None
        return turns[self._viewed]

    @property
    def branch(self) -> Branch | None:
        """The branch as it stood after the turn that is looked at."""
        turn = self.turn
        return as_of(self.session, turn) if turn else None

    @property
    def label(self) -> str:
        """What the status line says about it; empty for the present."""
        turn = self.turn
        return turn_label(self.session, turn) if turn else ""

    def leave(self) -> None:
        """Come back to the present."""
        if self._viewed is not None:
            self._viewed = None
            self.screen.panels.refresh()

    def _move(self, by: int) -> None:
        turns = self.session.turns
        # what the newest turn left is what one sees at present, unless another branch was begun
        present = len(turns) - (turns[-1].branch == self.session.current)
        at = (present if self._viewed is None else self._viewed) + by
        if at < 0:
            self.say("This is the first turn.")
        elif at >= present:
            self.leave()
        else:
            self._viewed = at
            turn = self.session.turns[at]
            self.screen.select(step_of(self.session, turn))
            self.screen.panels.refresh()

    def _goto_next(self) -> None:
        self.leave()
        step = self.session.plan.at(self.session.cursor)
        if step is not None:
            self.screen.select(step.id)
        elif self.session.plan.steps:
            self.screen.select(self.session.plan.steps[-1].id)
