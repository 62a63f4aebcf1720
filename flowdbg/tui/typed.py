"""What is typed, in its order: a key is done, with all that follows from it, before the next one.

Textual hands a key to a widget and goes on; what the widget then says (`this is to be applied`),
and the bindings that come after it, are done behind the keys that follow. So these land in an
editor that is about to close. People on slow lines send several keys at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from textual import events
from textual.app import App
from textual.message_pump import MessagePump

from flowdbg.tui.keymap import binding_key

PATIENCE = 2.0
"""Seconds that what follows from a key may take before the next key is looked at all the same."""

_ROUNDS = 5
"""How often the widgets are asked whether they are done: what one says, another one hears."""

Key = events.Key | events.Paste
"""A key, or a text that was pasted: it too has its place between the keys."""

Deal = Callable[[events.Event], Awaitable[None]]
"""What Textual does with a key."""


class Typed:
    """Deals with keys one after another, and keeps those that must wait for a verb."""

    def __init__(self, app: App[Path | None], cancel: Iterable[str]) -> None:
        """Prepare for the keys of a program; `cancel` are those that overtake all others."""
        self._app = app
        self._cancel = {binding_key(key) for key in cancel}
        self._keys: deque[tuple[Key, Deal]] = deque()
        self._task: asyncio.Task[None] | None = None
        self.must_wait: Callable[[], bool] = lambda: False
        """Whether the keys are to wait for what an earlier one began."""

    @property
    def is_done(self) -> bool:
        """Whether every key was dealt with."""
        return self._task is None and not self._keys

    async def take(self, key: Key, deal: Deal) -> None:
        """Deal with a key behind those before it; the key that cancels overtakes them all."""
        if isinstance(key, events.Key) and key.key in self._cancel:
            self._keys.clear()
            await deal(key)
        else:
            self._keys.append((key, deal))
            self.go_on()

    def go_on(self) -> None:
        """Deal with the keys that wait, as far as nothing new holds them up."""
        if self._task is None and self._keys and not self.must_wait():
            self._task = asyncio.create_task(self._deal_with_all())

    async def _deal_with_all(self) -> None:
        try:
            while self._keys and not self.must_wait():
                key, deal = self._keys.popleft()
                focused = self._app.focused or self._app.screen
                await deal(key)
                await self._end_of(focused)
        except Exception as error:  # noqa: BLE001 # a fault of ours, told as in any handler
            self._app._handle_exception(error)
        finally:
            self._task = None

    async def _end_of(self, focused: MessagePump) -> None:
        """Wait until the widget that had the keys, all around it and the screen now are done."""
        nodes = [focused]
        while nodes[-1] is not self._app and nodes[-1]._parent is not None:
            nodes.append(nodes[-1]._parent)
        try:
            async with asyncio.timeout(PATIENCE):
                for _ in range(_ROUNDS):
                    for node in (*nodes, self._app.screen):
                        await _idle(node)
                    if not any(node.message_queue_size for node in nodes):
                        return
        except TimeoutError:
            return


async def _idle(node: MessagePump) -> None:
    """Wait until a node has dealt with all messages that it has now."""
    done = asyncio.Event()
    if node.is_running and node.call_later(done.set):
        await done.wait()
