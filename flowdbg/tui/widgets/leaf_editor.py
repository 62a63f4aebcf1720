"""One leaf of a JSON value, edited in one line and typed as it is."""

from __future__ import annotations

import json
from typing import Any, ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.getters import query_one
from textual.message import Message
from textual.widgets import Input, Static

from flowdbg.present.json_check import check
from flowdbg.present.json_paths import Path, show
from flowdbg.present.safe_text import safe_line
from flowdbg.tui.styles import plain_line, stylesheet
from flowdbg.tui.widgets.safe_input import SafeInput

LeafType = Literal["text", "JSON"]


class LeafEditor(Horizontal):
    """Asks for the new value of one leaf: a string is typed as text, anything else as JSON."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Back", show=False),
        Binding("ctrl+t", "change_type", "Text or JSON", show=False, priority=True),
        Binding("ctrl+s,ctrl+j", "apply", "Apply", show=False, priority=True),
    ]
    DEFAULT_CSS = stylesheet(__file__)

    class Applied(Message):
        """A new value was given for the leaf at `path`."""

        def __init__(self, path: Path, value: Any) -> None:
            super().__init__()
            self.path = path
            self.value = value

    class Closed(Message):
        """The editor goes without a change."""

    is_open = False
    """Whether a leaf is being edited."""

    _path_label = query_one("#path", Static)
    _input = query_one(Input)
    _type_label = query_one("#type", Static)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # Textual's own name for it
        super().__init__(id=id)
        self._path: Path = ()
        self._type: LeafType = "text"

    def compose(self) -> ComposeResult:
        """Lay out path, input and type."""
        yield Static("", id="path", markup=False)
        yield SafeInput(compact=True, select_on_focus=True)
        yield Static("", id="type", markup=False)

    def open(self, path: Path, value: Any) -> None:
        """Edit the value at a path; a text that one line cannot show as it is, as JSON."""
        self._path = path
        is_plain = isinstance(value, str) and safe_line(value) == value
        self._type = "text" if is_plain else "JSON"
        self._path_label.update(plain_line(f"{show(path)} =", 40))
        self._input.value = value if is_plain else json.dumps(value)
        self._say_type()
        self.is_open = self.display = True
        self.screen.set_focus(self._input)  # at once: the next key is typed here

    def result(self) -> Any:
        """Return the value of what is typed, when nothing is wrong with it."""
        text = self._input.value
        return text if self._type == "text" else json.loads(text)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_apply()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._say_type()

    def action_apply(self) -> None:
        """Take the value, unless it is wrong."""
        if self._type == "JSON" and check(self._input.value):
            self.app.bell()
            return
        self.is_open = self.display = False
        self.post_message(self.Applied(self._path, self.result()))

    def action_close(self) -> None:
        """Leave the leaf as it is."""
        self.is_open = self.display = False
        self.post_message(self.Closed())

    def action_change_type(self) -> None:
        """Go between a string and any other JSON value."""
        text = self._input.value
        if self._type == "text":
            self._type = "JSON"
            self._input.value = json.dumps(text, ensure_ascii=False)
        else:
            self._type = "text"
            parsed = None if check(text) else json.loads(text)
            self._input.value = parsed if isinstance(parsed, str) else text
        self._say_type()

    def _say_type(self) -> None:
        problem = check(self._input.value) if self._type == "JSON" else None
        other = "JSON" if self._type == "text" else "text"
        said = problem.message if problem else f"{self._type}  ^t {other}"
        self._type_label.update(plain_line(said, 40))
        self.set_class(problem is not None, "-wrong")
