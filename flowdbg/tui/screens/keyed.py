"""What the screens have in common whose keys come from the registry: footer, help, refusals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from textual import on
from textual.binding import BindingType
from textual.getters import query_one
from textual.screen import Screen

from flowdbg.tui.actions import GROUPS
from flowdbg.tui.help_text import help_text
from flowdbg.tui.hints import hints_of
from flowdbg.tui.inks import INKS
from flowdbg.tui.keymap import bindings
from flowdbg.tui.screens.text import TextScreen
from flowdbg.tui.widgets.footer_bar import FooterBar

if TYPE_CHECKING:
    from flowdbg.tui.app import DebugApp

Result = TypeVar("Result")


def keys_of(place: str) -> list[BindingType]:
    """Return the bindings of a screen, by its name in the registry of actions."""
    actions = GROUPS[place]
    return [*bindings(actions, {action.id: action.keys for action in actions}, priority=True)]


class KeyedScreen(Screen[Result]):
    """A screen over the debugger; a subclass has a `PLACE`, its keys and their handlers."""

    PLACE: ClassVar[str] = ""
    COMPONENT_CLASSES: ClassVar[set[str]] = INKS
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 # Textual's
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012 # Textual's

    _footer = query_one(FooterBar)

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        """Return what does each action, by its id."""
        raise NotImplementedError

    @property
    def host(self) -> DebugApp:
        """The program."""
        return cast("DebugApp", self.app)

    def show_hints(self) -> None:
        """Show the keys of this screen, as many as fit."""
        self._footer.show_hints(hints_of(self.PLACE, self.host.keys))

    def action_do(self, action_id: str) -> None:
        """Do an action."""
        if action_id == f"{self.PLACE}.help":
            self._help()
        elif action_id == f"{self.PLACE}.back":
            self.dismiss(None)
        else:
            self.handlers()[action_id]()

    def say(self, text: str) -> None:
        """Say in a toast why something cannot be done."""
        self.app.notify(f"{text[0].upper()}{text[1:]}.", severity="warning", timeout=4)

    def _help(self) -> None:
        def closed(copied: str | None) -> None:
            if copied is not None:
                self.host.copy_to_clipboard(copied)

        self.app.push_screen(TextScreen("Help", help_text(self.PLACE, self.host.keys)), closed)

    @on(FooterBar.Clicked)
    def _clicked(self, event: FooterBar.Clicked) -> None:
        event.stop()
        self.action_do(event.action_id)
