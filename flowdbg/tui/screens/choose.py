"""A list to choose from by typing: the palette of actions, themes, fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.fuzzy import Matcher
from textual.getters import query_one
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from flowdbg.present.safe_text import safe_line
from flowdbg.tui.styles import stylesheet
from flowdbg.tui.widgets.safe_input import SafeInput


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing to choose."""

    id: str
    label: str
    hint: str = ""
    """What stands before it: its keys."""
    off: str = ""
    """Why it cannot be chosen now; it is shown grey with this reason."""


class ChooseScreen(ModalScreen[str | None]):
    """Asks for one of several choices; gives its id, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", show=False),
        Binding("down,ctrl+n", "move(1)", "Down", show=False, priority=True),
        Binding("up", "move(-1)", "Up", show=False, priority=True),
    ]
    CSS = stylesheet(__file__)

    _list = query_one(OptionList)

    def __init__(self, title: str, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._title = title
        self._choices = choices

    def compose(self) -> ComposeResult:
        """Lay out the input above the list."""
        with Vertical(id="box") as box:
            box.border_title = self._title
            yield SafeInput(placeholder="type to find", compact=True)
            yield OptionList(markup=False)

    def on_mount(self) -> None:
        """Show everything at first."""
        self._fill("")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._fill(event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        index = self._list.highlighted
        if index is not None:
            self._choose(self._list.get_option_at_index(index))

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._choose(event.option)

    def on_key(self, event: events.Key) -> None:
        """Take what was typed before the line had the keys."""
        if event.is_printable and event.character:
            event.stop()
            self.query_one(Input).insert_text_at_cursor(event.character)

    def action_move(self, by: int) -> None:
        """Move through the list while typing."""
        if by > 0:
            self._list.action_cursor_down()
        else:
            self._list.action_cursor_up()

    def _choose(self, option: Option) -> None:
        chosen = next(choice for choice in self._choices if choice.id == option.id)
        if chosen.off:
            self.app.notify(chosen.off, severity="warning", markup=False)
        else:
            self.dismiss(chosen.id)

    def _fill(self, typed: str) -> None:
        hints = max((len(choice.hint) for choice in self._choices), default=0)
        self._list.clear_options()
        self._list.add_options(
            [Option(_row(choice, hints), id=choice.id) for choice in self._found(typed)]
        )
        if self._list.option_count:
            self._list.highlighted = 0

    def _found(self, typed: str) -> list[Choice]:
        if not typed:
            return sorted(self._choices, key=lambda choice: bool(choice.off))
        matcher = Matcher(typed)
        scored = [
            (matcher.match(f"{choice.label} {choice.id}"), choice) for choice in self._choices
        ]
        found = [pair for pair in scored if pair[0] > 0]
        found.sort(key=lambda pair: (bool(pair[1].off), -pair[0]))
        return [choice for _, choice in found]


def _row(choice: Choice, hints: int) -> Content:
    """A key, what it does, and below it why not."""
    hint = f"{safe_line(choice.hint, hints):<{hints}} " if hints else ""
    label = safe_line(choice.label)
    if choice.off:
        why = f"{' ' * len(hint)}{safe_line(choice.off)}"
        return Content.assemble((f"{hint}{label}\n", "dim"), (why, "dim italic"))
    return Content.assemble((hint, "bold"), label)
