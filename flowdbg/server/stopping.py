"""The streams that are open, and how a stopping server ends them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator


class OpenStreams:
    """Knows every open stream; `stop` ends them all, and those that begin later."""

    def __init__(self) -> None:
        self._ends: dict[object, Callable[[], object]] = {}
        self.begun = False
        """Whether the server is being stopped."""

    def __len__(self) -> int:
        return len(self._ends)

    @contextlib.contextmanager
    def on_stop(self, end: Callable[[], object]) -> Iterator[None]:
        """Have `end` called when the server stops, while the context is open."""
        key = object()
        self._ends[key] = end
        if self.begun:
            end()
        try:
            yield
        finally:
            del self._ends[key]

    def stop(self) -> None:
        """End every open stream."""
        self.begun = True
        for end in list(self._ends.values()):
            end()
