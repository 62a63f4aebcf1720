"""Key hints that fit the width: the weightiest stay, none is cut, each can be clicked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from flowdbg.tui.styles import stylesheet, visual


@dataclass(frozen=True, slots=True)
class Hint:
    """One key and what it does."""

    action_id: str
    key: str
    label: str
    weight: int
    enabled: bool = True
    keep: bool = False
    """Whether it is seen at any width."""


class FooterBar(Widget):
    """One line of hints, in the order of their weight."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"footer--key", "footer--label", "footer--off"}
    DEFAULT_CSS = stylesheet(__file__)

    class Clicked(Message):
        """A hint was clicked."""

        def __init__(self, bar: FooterBar, action_id: str) -> None:
            super().__init__()
            self.bar = bar
            self.action_id = action_id

        @property
        def control(self) -> FooterBar:
            """The bar that was clicked."""
            return self.bar

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # Textual's own name for it
        super().__init__(id=id)
        self._hints: tuple[Hint, ...] = ()
        self._ends: list[tuple[int, str]] = []

    def show_hints(self, hints: Sequence[Hint]) -> None:
        """Show hints, those that can be done before those that cannot."""
        ordered = tuple(sorted(hints, key=lambda hint: (not hint.enabled, -hint.weight)))
        if ordered != self._hints:
            self._hints = ordered
            self.refresh()

    @property
    def shown(self) -> list[Hint]:
        """The hints that fit."""
        kept: list[Hint] = []
        room = self.size.width
        for hint in sorted(self._hints, key=lambda hint: not hint.keep):
            needed = _width(hint)
            if needed > room:
                continue
            kept.append(hint)
            room -= needed
        return sorted(kept, key=lambda hint: -hint.weight)

    def render(self) -> Content:
        """Draw the hints that fit."""
        pieces: list[Content] = []
        self._ends = []
        at = 0
        for hint in self.shown:
            key, label = ("footer--key", "footer--label") if hint.enabled else ("footer--off",) * 2
            pieces.append(Content.styled(f" {hint.key} ", visual(self, key)))
            pieces.append(Content.styled(f"{hint.label} ", visual(self, label)))
            at += _width(hint)
            self._ends.append((at, hint.action_id))
        return Content.assemble(*pieces)

    def on_click(self, event: events.Click) -> None:
        """Do what was clicked."""
        for end, action_id in self._ends:
            if event.x < end:
                self.post_message(self.Clicked(self, action_id))
                return


def _width(hint: Hint) -> int:
    return cell_len(hint.key) + cell_len(hint.label) + 3
