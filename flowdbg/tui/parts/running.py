"""Running: the verbs that move the session."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from flowdbg.present.production import edits_to_send, production_question
from flowdbg.tui.desk import Desk
from flowdbg.tui.parts.history import History
from flowdbg.tui.parts.looking import Looking
from flowdbg.tui.parts.part import Handlers, Part

Verb = Callable[[], Coroutine[Any, Any, None]]


class Running(Part):
    """Steps, continues, cancels, forks, restarts."""

    def __init__(self, screen: Desk, history: History, looking: Looking) -> None:
        super().__init__(screen)
        self._history = history
        self._looking = looking
        self._may_send_edits = False
        """Whether the person agreed that edits go to production."""

    def handlers(self) -> Handlers:
        """Return the actions that this part does."""
        return {
            "run.step": lambda: self._go("run.step", self.debugger.step),
            "run.continue": lambda: self._go("run.continue", self.debugger.continue_),
            "run.to-end": lambda: self._go("run.to-end", self.debugger.run_to_end),
            "run.to-selected": self._to_selected,
            "run.cancel": self._cancel,
            "run.retry": lambda: self._go("run.retry", self.debugger.retry),
            "run.skip": self._skip,
            "run.restart": self._restart,
            "run.fork": self._fork,
            "run.pin": self._pin,
            "breakpoint.toggle": self._toggle_breakpoint,
        }

    def _cancel(self) -> None:
        self.debugger.cancel()

    def _go(self, action_id: str, verb: Verb, goal: str = "") -> None:
        """Run steps and follow them; before edits go to production for the first time, ask.

        Args:
            action_id: The action that it is.
            verb: What runs them.
            goal: The step to select when they have run; empty for where they stopped.
        """

        def run() -> None:
            self._see_output()
            self._history.leave()
            self.screen.following = True
            self.screen.select_after = goal
            self.launch(action_id, verb())

        risky = self.debugger.is_production and not self._may_send_edits
        if risky and edits_to_send(self.debugger.session):
            self._ask(run)
        else:
            run()

    def _ask(self, run: Callable[[], None]) -> None:
        from flowdbg.tui.screens.confirm import ConfirmScreen  # noqa: PLC0415 # only when it asks

        def answered(yes: bool | None) -> None:
            if yes:
                self._may_send_edits = True
                run()
            else:
                self.say("Nothing was sent.")

        question = production_question(self.debugger.session, self.debugger.profile)
        self.app.push_screen(ConfirmScreen(question), answered)

    def _to_selected(self) -> None:
        goal = self.step_id
        self._go("run.to-selected", lambda: self.debugger.run_to(goal), goal)

    def _skip(self) -> None:
        plan, cursor = self.session.plan, self.session.cursor
        following = plan.at(cursor + 1)
        self._see_output()
        self.screen.select_after = following.id if following is not None else ""
        said = f"Step {cursor + 1} skipped; your output stands in for it"
        self.move("run.skip", self.debugger.skip(), said)

    def _restart(self) -> None:
        edited = self.session.output_edits or self.session.block_edits
        self._first_step()
        said = "New run from step 1, with your edits" if edited else ""
        self.move("run.restart", self.debugger.restart(), said)

    def _fork(self) -> None:
        index = self.session.plan.index_of(self.step_id)
        if index is not None:
            left = self._history.branch or self.session.branch
            self._history.leave()
            of = f" of #{left.number}" if left.number != self.session.current else ""
            said = f"Branch{of} before step {index + 1}; the former one stays"
            self.move("run.fork", self.debugger.fork(index, parent=left.number), said)

    def _pin(self) -> None:
        self.move("run.pin", self.debugger.pin(), "Pinned to the version that runs")

    def _toggle_breakpoint(self) -> None:
        self.launch("breakpoint.toggle", self.debugger.toggle_breakpoint(self.step_id))

    def _see_output(self) -> None:
        """See what the step says, and not a difference that it does not have yet."""
        if self.screen.detail.tab == "diff":
            self._looking.show_tab("output")

    def _first_step(self) -> None:
        self._see_output()
        self._history.leave()
        first = self.session.plan.at(0)
        if first is not None:
            self.screen.select_after = first.id
