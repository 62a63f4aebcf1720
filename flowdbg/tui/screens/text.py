"""A text to read over the screen: the next request, a command, the help."""

from __future__ import annotations

from typing import ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.getters import query_one
from textual.screen import ModalScreen
from textual.widgets import Static

from flowdbg.tui.host import FlowdbgApp
from flowdbg.tui.inks import INKS
from flowdbg.tui.styles import plain_line, stylesheet
from flowdbg.tui.widgets.stream_view import StreamView


class TextScreen(ModalScreen[None]):
    """Shows a text, and copies it when that is asked for."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "Back", show=False),
        Binding("y", "copy", "Copy", show=False, id="copy.value"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = INKS
    CSS = stylesheet(__file__)

    _view = query_one(StreamView)

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        """Lay out the text with its keys below."""
        with Vertical(id="box") as box:
            box.border_title = plain_line(self._title, 80)
            yield StreamView()
            yield Static(f"{self._host.key('copy.value')} copy   esc back", id="keys", markup=False)

    @property
    def _host(self) -> FlowdbgApp:
        return cast("FlowdbgApp", self.app)

    def on_mount(self) -> None:
        """Show the text from its beginning."""
        self._view.focus()
        self.call_after_refresh(self._view.show_text, self._text)

    def action_copy(self) -> None:
        """Copy the text, and go back."""
        self._host.copy(self._text, self._title)
        self.dismiss()
