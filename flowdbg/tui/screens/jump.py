"""Letters over the panes: press one to go there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.geometry import Region
from textual.screen import ModalScreen
from textual.widgets import Static

from flowdbg.tui.styles import stylesheet


@dataclass(frozen=True, slots=True)
class Spot:
    """A letter, the pane that it stands for, and where that is on the screen."""

    letter: str
    pane: str
    region: Region


class JumpScreen(ModalScreen[str | None]):
    """Asks for a letter; gives the pane's name, or None for any other key."""

    CSS = stylesheet(__file__)

    def __init__(self, spots: Sequence[Spot]) -> None:
        super().__init__()
        self._spots = spots

    def compose(self) -> ComposeResult:
        """Lay a letter over the middle of each pane."""
        for spot in self._spots:
            label = Static(f" {spot.letter} ", classes="letter", markup=False)
            middle = spot.region
            label.styles.offset = (
                middle.x + max(middle.width // 2 - 1, 0),
                middle.y + middle.height // 2,
            )
            yield label
        letters = " ".join(spot.letter for spot in self._spots)
        asks = f" Press a letter to go to its pane: {letters}   esc back "
        yield Static(asks, id="asks", markup=False)

    def on_key(self, event: events.Key) -> None:
        """Go where the letter stands; any other key goes back."""
        event.stop()
        found = [spot.pane for spot in self._spots if spot.letter == event.character]
        self.dismiss(found[0] if found else None)
