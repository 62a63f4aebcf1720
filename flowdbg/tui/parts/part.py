"""What all parts of the debug screen share."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from flowdbg.core.session import Session
from flowdbg.debugger import Debugger
from flowdbg.errors import FlowdbgError
from flowdbg.tui.desk import Desk
from flowdbg.tui.host import Host
from flowdbg.tui.messages import Moved, VerbEnded

Handlers = Mapping[str, Callable[[], None]]
"""What does each action, by its id."""


class Part:
    """One group of actions on the debug screen; it knows the desk, and the parts it is given."""

    def __init__(self, screen: Desk) -> None:
        self.screen = screen

    @property
    def app(self) -> Host:
        """The program."""
        return self.screen.host

    @property
    def debugger(self) -> Debugger:
        """The debugger; its verbs are called in workers only."""
        return self.app.debugger

    @property
    def session(self) -> Session:
        """The session as it is shown."""
        return self.screen.session

    @property
    def step_id(self) -> str:
        """The selected step."""
        return self.screen.step_id

    def handlers(self) -> Handlers:
        """Return the actions that this part does."""
        return {}

    def launch(self, action_id: str, verb: Coroutine[Any, Any, None], said: str = "") -> None:
        """Run a verb in a worker of its own; its end, and what went wrong, come as messages.

        Never exclusive: a second worker must not cancel a turn that is under way.
        """
        self.screen.run_worker(
            self._run(verb, said), name=action_id, exclusive=False, exit_on_error=False
        )

    def move(self, action_id: str, verb: Coroutine[Any, Any, None], said: str = "") -> None:
        """Run a verb that moves the cursor at once; keys that depend on it wait until it is seen.

        So `F` and `n` in one breath fork and then step, however slow the disk is.
        """
        self.screen.moves.begin()
        self.launch(action_id, self._whole(verb), said)

    def say(self, text: str, *, warning: bool = False) -> None:
        """Say something in a toast."""
        self.app.say(text, warning=warning)

    async def _whole(self, verb: Coroutine[Any, Any, None]) -> None:
        try:
            await verb
        finally:
            self.screen.post_message(Moved())

    async def _run(self, verb: Coroutine[Any, Any, None], said: str) -> None:
        try:
            await verb
        except FlowdbgError as error:
            self.screen.post_message(VerbEnded(str(error)))
        else:
            self.screen.post_message(VerbEnded())
            if said:
                self.say(said)
