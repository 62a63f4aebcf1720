"""What the screens have in common whose keys come from the registry: footer, help, refusals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, TypeVar, cast

from textual import on
from textual.binding import BindingType
from textual.getters import query_one
from textual.screen import Screen

from flowdbg.tui.actions import GROUPS
from flowdbg.tui.help_text import help_text
from flowdbg.tui.hints import hints_of
from flowdbg.tui.host import Host
from flowdbg.tui.inks import INKS
from flowdbg.tui.keymap import bindings
from flowdbg.tui.screens.text import TextScreen
from flowdbg.tui.widgets.footer_bar import FooterBar
from flowdbg.tui.widgets.line_view import LineView
from flowdbg.tui.widgets.search_bar import SearchBar

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
    _search_bar = query_one(SearchBar)
    _searched: LineView | None = None

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        """Return what does each action, by its id."""
        raise NotImplementedError

    @property
    def host(self) -> Host:
        """The program; the one that lists sessions alone has no debugger."""
        return cast("Host", self.app)

    def show_hints(self) -> None:
        """Show the keys of this screen, as many as fit."""
        self._footer.show_hints(hints_of(self.PLACE, self.host.keys))

    def action_do(self, action_id: str) -> None:
        """Do an action."""
        shared: dict[str, Callable[[], None]] = {
            "help": self._help,
            "back": self._back,
            "search": self._search,
            "search-next": lambda: self._step(1),
            "search-previous": lambda: self._step(-1),
        }
        name = action_id.partition(".")[2]
        (shared.get(name) or self.handlers()[action_id])()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the keys to what is typed while something is searched."""
        if action == "do" and any(bar.is_open for bar in self.query(SearchBar)):
            return False
        return super().check_action(action, parameters)

    def say(self, text: str) -> None:
        """Say in a toast why something cannot be done."""
        self.host.say(f"{text[0].upper()}{text[1:]}.", warning=True)

    def _back(self) -> None:
        self.dismiss(None)

    def _search(self) -> None:
        if isinstance(self.focused, LineView):
            self._searched = self.focused
            self._search_bar.open()

    def _step(self, by: int) -> None:
        view = self._searched
        if view is not None:
            self._search_bar.show_hits(view.search_step(by))

    @on(SearchBar.Typed)
    def _typed(self, event: SearchBar.Typed) -> None:
        event.stop()
        if self._searched is not None:
            self._search_bar.show_hits(self._searched.search(event.query))

    @on(SearchBar.Stepped)
    def _stepped(self, event: SearchBar.Stepped) -> None:
        event.stop()
        self._step(event.step)

    @on(SearchBar.Closed)
    def _search_closed(self, event: SearchBar.Closed) -> None:
        event.stop()
        if self._searched is not None:
            self._searched.focus()
            if not event.keep:
                self._searched.end_search()
                self._searched = None

    def _help(self) -> None:
        self.app.push_screen(TextScreen("Help", help_text(self.PLACE, self.host.keys)))

    @on(FooterBar.Clicked)
    def _clicked(self, event: FooterBar.Clicked) -> None:
        event.stop()
        self.action_do(event.action_id)
