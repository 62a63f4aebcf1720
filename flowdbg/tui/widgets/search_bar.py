"""The search bar: one line, with the count of what was found beside it."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.getters import query_one
from textual.message import Message
from textual.widgets import Input, Static

from flowdbg.present.search import Hits, Query
from flowdbg.tui.styles import plain_line, stylesheet
from flowdbg.tui.widgets.safe_input import SafeInput


class SearchBar(Horizontal):
    """Asks for a query; searches on every key, enter keeps the place, escape ends it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "End search", show=False),
        Binding("up", "step(-1)", "Previous", show=False),
        Binding("down", "step(1)", "Next", show=False),
    ]
    DEFAULT_CSS = stylesheet(__file__)

    class Typed(Message):
        """The query changed."""

        def __init__(self, query: Query) -> None:
            super().__init__()
            self.query = query

    class Stepped(Message):
        """Another hit is wanted: the next (1) or the previous (-1)."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    class Closed(Message):
        """The bar goes; `keep` says whether the hits stay marked."""

        def __init__(self, keep: bool) -> None:
            super().__init__()
            self.keep = keep

    is_open = False
    """Whether it asks now."""

    _input = query_one(Input)
    _count = query_one("#count", Static)

    def compose(self) -> ComposeResult:
        """Lay out the sign, the input and the count."""
        yield Static("/", id="sign", markup=False)
        yield SafeInput(
            placeholder="words, or /regular expression/", compact=True, select_on_focus=True
        )
        yield Static("", id="count", markup=False)

    def open(self) -> None:
        """Show the bar and take the keys."""
        self.is_open = self.display = True
        self.screen.set_focus(self._input)  # at once: the next key is typed here

    def show_hits(self, hits: Hits | None) -> None:
        """Show how many were found, and which one is looked at."""
        self._count.update(plain_line(hits.label, 60) if hits else Content(""))
        self.set_class(hits is not None and not hits.places and bool(hits.label), "-none")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Typed(Query(event.value)))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.leave(keep=bool(event.value))

    def action_close(self) -> None:
        """End the search."""
        self.leave(keep=False)

    def leave(self, *, keep: bool) -> None:
        """Go away; `keep` says whether the hits stay marked."""
        self.is_open = self.display = False
        self.post_message(self.Closed(keep=keep))

    def action_step(self, step: int) -> None:
        """Go to another hit without leaving the bar."""
        self.post_message(self.Stepped(step))
