"""The editor: documents of one step as tabs, a text area, and what is wrong while one types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.getters import query_one
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static, TextArea

from flowdbg.core.json_text import JsonText
from flowdbg.present.editor_state import EditorState, Refusal
from flowdbg.present.json_check import TextProblem
from flowdbg.present.looks import EDITED
from flowdbg.tui.actions import EDITOR_ACTIONS, key_label
from flowdbg.tui.keymap import bindings
from flowdbg.tui.styles import plain_line, stylesheet
from flowdbg.tui.widgets.edit_area import EditArea
from flowdbg.tui.widgets.view_tabs import Tab, ViewTabs

CHECK_DELAY = 0.2
"""Seconds after the last key at which a text is checked."""


class EditorPane(Vertical):
    """Edits the documents of one `EditorState`."""

    BINDINGS: ClassVar[Sequence[Binding]] = bindings(  # type: ignore[assignment] # a narrower type
        EDITOR_ACTIONS, {action.id: action.keys for action in EDITOR_ACTIONS}, priority=True
    )
    DEFAULT_CSS = stylesheet(__file__)

    class Applied(Message):
        """Values are to be taken."""

        def __init__(self, results: Mapping[str, JsonText]) -> None:
            super().__init__()
            self.results = results

    class Left(Message):
        """The editor was left; what was typed and not applied comes along."""

        def __init__(self, drafts: Mapping[str, str]) -> None:
            super().__init__()
            self.drafts = drafts

    class DraftChanged(Message):
        """Something was typed that is worth keeping."""

        def __init__(self, drafts: Mapping[str, str]) -> None:
            super().__init__()
            self.drafts = drafts

    class ExternalWanted(Message):
        """The text is to be edited in an external editor."""

        def __init__(self, text: str, suffix: str) -> None:
            super().__init__()
            self.text = text
            self.suffix = suffix

    area = query_one(EditArea)
    _tabs = query_one(ViewTabs)
    _line = query_one("#problem", Static)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # Textual's own name for it
        super().__init__(id=id)
        self.state: EditorState | None = None
        """What is being edited; None while the editor is closed."""
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay out tabs, text and the line below it."""
        yield ViewTabs(id="fields")
        yield EditArea(id="text")
        yield Static("", id="problem", markup=False)

    def open(self, state: EditorState, title: str) -> None:
        """Edit something, and take the keys."""
        self.state = state
        self.border_title = plain_line(title, 80)
        self._tabs.display = len(state.titles) > 1
        self._load()
        self.screen.set_focus(self.area)  # at once: the next key is typed here

    def close(self) -> None:
        """Forget what was edited."""
        self.state = None
        self._stop_timer()

    def replace_text(self, text: str) -> None:
        """Put a text in, as an external editor left it; undo brings the former one back."""
        self.area.replace(text, (0, 0), self.area.document.end)
        self._check()

    @on(TextArea.Changed)
    def _typed(self, event: TextArea.Changed) -> None:
        event.stop()
        if self.state is not None:
            self.state.type(event.text_area.text)
            self._stop_timer()
            self._timer = self.set_timer(CHECK_DELAY, self._check)

    @on(TextArea.SelectionChanged)
    def _moved(self, event: TextArea.SelectionChanged) -> None:
        event.stop()
        row, column = event.selection.end
        self.border_subtitle = f"{row + 1}:{column + 1}"

    @on(ViewTabs.Picked)
    def _picked(self, event: ViewTabs.Picked) -> None:
        event.stop()
        self._go(event.tab)

    def action_do(self, action_id: str) -> None:
        """Do one of the editor's actions."""
        actions = {
            "editor.apply": self._apply,
            "editor.back": self._leave,
            "editor.external": self._external,
            "editor.next-field": lambda: self._step(1),
            "editor.previous-field": lambda: self._step(-1),
            "editor.reset": self._reset,
            "editor.turn": self._turn,
        }
        if self.state is not None:
            self.state.type(self.area.text)  # what was typed last may not have been told yet
            actions[action_id]()

    def _apply(self) -> None:
        assert self.state is not None
        results = self.state.results()
        if isinstance(results, Refusal):
            if results.title != self.state.active and self.state.open(results.title) is None:
                self._load()
            again = f"{key_label(self._apply_key())} again takes it all the same"
            self._show(results.problem, again if results.may_insist else "")
            self._stand_at(results.problem)
            self.app.bell()
        else:
            self.post_message(self.Applied(results))

    def _leave(self) -> None:
        assert self.state is not None
        self.post_message(self.Left(self.state.drafts()))

    def _external(self) -> None:
        assert self.state is not None
        suffix = ".txt" if self.state.is_text else ".json"
        self.post_message(self.ExternalWanted(self.state.text, suffix))

    def _step(self, by: int) -> None:
        assert self.state is not None
        titles = self.state.titles
        self._go(titles[(titles.index(self.state.active) + by) % len(titles)])

    def _go(self, title: str) -> None:
        assert self.state is not None
        problem = self.state.open(title)
        if problem:
            self._show(problem)
        else:
            self._load()
        self.area.focus()

    def _reset(self) -> None:
        assert self.state is not None
        self.state.reset()
        self.replace_text(self.state.text)

    def _turn(self) -> None:
        assert self.state is not None
        if self.state.turn():
            self._load()
        else:
            self.app.notify("This value is not a text.", severity="warning", markup=False)

    def _load(self) -> None:
        assert self.state is not None
        with self.prevent(TextArea.Changed):
            self.area.load(self.state.text, language=self.state.language)
        self._check()

    def _check(self) -> None:
        if self.state is None:
            return
        self._show(self.state.problem() or self.state.doubt() or self.state.warning())
        if self.state.is_changed:
            self.post_message(self.DraftChanged(self.state.drafts()))

    def _show(self, problem: TextProblem | None, more: str = "") -> None:
        assert self.state is not None
        said = "plain text" if self.state.is_text else "JSON ok"
        edited = f"{EDITED.glyph} " if self.state.is_edited(self.state.active) else ""
        text = f"{problem}; {more}" if more else str(problem) if problem else f"{edited}{said}"
        self._line.update(plain_line(text, 240))
        is_warning = problem is not None and problem == self.state.warning()
        self._line.set_class(problem is not None and not is_warning, "-wrong")
        self._line.set_class(is_warning, "-warning")
        self._tabs.show_tabs(
            tuple(
                Tab(title, title, mark=EDITED.glyph * self.state.is_edited(title))
                for title in self.state.titles
            ),
            self.state.active,
        )

    def _stand_at(self, problem: TextProblem) -> None:
        if problem.line:
            self.area.move_cursor((problem.line - 1, max(problem.column - 1, 0)))

    def _apply_key(self) -> str:
        keys = self.app.active_bindings  # as the configuration has it
        found = [key for key, bound in keys.items() if bound.binding.id == "editor.apply"]
        return found[0] if found else "ctrl+s"

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
