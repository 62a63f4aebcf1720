"""A screen that draws what a key changed at once, and all of it together.

Textual draws sixty times a second: what a key changes at first is drawn in two milliseconds, and
what follows from that (the pane beside it, its title, the hints) one or two ticks later, which is
17 to 40 ms. Here a drawing waits a moment for what belongs to it, and the next one follows soon.
"""

from __future__ import annotations

import asyncio
import time

from textual import constants
from textual.screen import Screen, ScreenResultType

TOGETHER = 0.002
"""Seconds that a drawing waits for other changes of the same key."""

APART = 0.5 / constants.MAX_FPS
"""Seconds from one drawing to the next."""


class QuickScreen(Screen[ScreenResultType]):
    """Draws soon after a change.

    It takes the place of the timer that Textual's screens have for it; a Textual without that timer
    draws as it does.
    """

    _pace: Pace | None = None

    @property
    def _update_timer(self) -> Pace:  # type: ignore[override] # what the screen needs of its timer
        if self._pace is None:
            self._pace = Pace(self)
        return self._pace

    def draw_now(self) -> None:
        """Draw everything that is to be drawn."""
        self._on_timer_update()


class Pace:
    """Says when a screen draws; has what Textual's screen asks of its timer."""

    def __init__(self, screen: QuickScreen[ScreenResultType]) -> None:
        self._screen = screen
        self._is_wanted = False
        self._last = 0.0

    def resume(self) -> None:
        """Draw soon."""
        if not self._is_wanted:
            self._is_wanted = True
            wait = max(self._last + APART - time.monotonic(), TOGETHER)
            # not a message to the screen: below another screen it would ask to be drawn for ever
            asyncio.get_running_loop().call_later(wait, self._draw)

    def pause(self) -> None:
        """Do not draw: it was done."""
        self._is_wanted = False

    def _draw(self) -> None:
        if self._is_wanted and self._screen.is_running:
            self._is_wanted = False
            self._last = time.monotonic()
            try:
                self._screen.draw_now()
            except Exception as error:  # noqa: BLE001 # a fault of ours, told as in any handler
                self._screen.app._handle_exception(error)
