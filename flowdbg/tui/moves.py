"""Moves under way: a key that depends on where the cursor is waits until a move is seen.

What a key does is decided by the session that is shown, and that lags behind the debugger: by the
time a verb takes to reach the disk, and by the time until the next repaint. Keys that run or edit
something are held for so long; what is typed behind one that is held waits too (`typed.Typed`).
"""

from __future__ import annotations

from collections.abc import Callable


class Moves:
    """Knows whether what is shown is how things stand, and keeps keys that came before that."""

    def __init__(self, is_shown: Callable[[], bool], do: Callable[[str], None]) -> None:
        """Begin without moves.

        Args:
            is_shown: Whether what is shown is how things stand, or a step runs.
            do: Does an action that was held.
        """
        self._is_shown = is_shown
        self._do = do
        self._under_way = 0
        self._held: list[str] = []

    def begin(self) -> None:
        """A verb that moves the cursor begins."""
        self._under_way += 1

    def end(self) -> None:
        """It is over."""
        self._under_way -= 1

    @property
    def is_under_way(self) -> bool:
        """Whether a verb that moves the cursor is being done."""
        return self._under_way > 0

    @property
    def is_holding(self) -> bool:
        """Whether an action waits."""
        return bool(self._held)

    def hold(self, action_id: str) -> bool:
        """Keep an action for later when it cannot be judged yet; whether it was kept."""
        if action_id == "run.cancel":
            self._held.clear()
            return False
        runs = action_id.startswith("run.")
        edits = action_id.startswith(("edit.", "tools."))  # the step that a move selects
        waits = (runs and not self._is_seen) or (edits and self._under_way > 0)
        if waits or (self._held and (runs or edits)):
            self._held.append(action_id)
            return True
        return False

    def go_on(self) -> None:
        """Do what waited, as far as the moves before it are seen."""
        while self._held and self._is_seen:
            held, self._held = self._held, []
            self._do(held[0])
            self._held += held[1:]

    @property
    def _is_seen(self) -> bool:
        return not self._under_way and self._is_shown()
