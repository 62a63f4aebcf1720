"""A step's output: text while it streams, a tree when it is data, one or the other on request."""

from __future__ import annotations

import json

from textual.app import ComposeResult
from textual.containers import Container
from textual.getters import query_one

from flowdbg.core.json_text import JsonText
from flowdbg.present.edit_document import text_of
from flowdbg.present.json_diff import former
from flowdbg.present.json_pretty import pretty
from flowdbg.present.step_view import StepView
from flowdbg.tui.styles import stylesheet
from flowdbg.tui.widgets.json_view import JsonView
from flowdbg.tui.widgets.line_view import LineView
from flowdbg.tui.widgets.stream_view import StreamView


class OutputView(Container):
    """Shows one output in two ways, of which one is seen."""

    DEFAULT_CSS = stylesheet(__file__)

    text_view = query_one(StreamView)
    tree_view = query_one(JsonView)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # Textual's own name for it
        super().__init__(id=id)
        self._view: StepView | None = None
        self._seen: dict[str, int] = {}
        self._streamed: list[str] = []
        self._last_label = ""
        self._tree_of = ""
        self._shown_output: JsonText | None = None
        self._wants: str = ""
        """`text` or `tree` where the person chose; empty for what suits the output."""

    def compose(self) -> ComposeResult:
        """Lay out both ways to show an output."""
        yield StreamView(id="output-text")
        yield JsonView(id="output-tree", open_texts=True)

    @property
    def shown(self) -> LineView:
        """The view that is seen."""
        return self.tree_view if self.tree_view.display else self.text_view

    def show_step(self, view: StepView) -> None:
        """Show a step's output, adding to what is there when it only grew."""
        before, self._view = self._view, view
        if before is None or before.key != view.key:
            self._start(view)
        if self._is_streaming(view):
            self._show_tree(False)
            self._add_chunks(view)
        elif (
            before is None
            or before.key != view.key
            or self._shown_output is not view.output
            or self._is_streaming(before)
            or before.error is not view.error
            or before.note != view.note
        ):
            self._show_result(view)

    def whole_text(self) -> str:
        """Return everything that is there to read, as text."""
        view = self._view
        if view is None or view.output is None:
            return self.text_view.text
        said = text_of(view.output)
        return said if said is not None else pretty(view.output.text)

    def toggle(self) -> str:
        """Show a tree as text or a text as a tree; returns which one is shown now."""
        self._wants = "tree" if self.shown is self.text_view else "text"
        if self._view is not None:
            if self._is_streaming(self._view):
                self._wants = ""
            else:
                self._show_result(self._view)
        return "tree" if self.shown is self.tree_view else "text"

    def _start(self, view: StepView) -> None:
        self._seen.clear()
        self._streamed.clear()
        self._last_label = ""
        self._shown_output = None
        self._wants = ""
        self.text_view.show_text("", follow=view.is_running, placeholder=view.note)

    def _is_streaming(self, view: StepView) -> bool:
        """Whether what was streamed is all there is to show."""
        if view.is_waiting:
            return False
        return view.output is None and view.error is None and bool(view.parts)

    def _add_chunks(self, view: StepView) -> None:
        added: list[str] = []
        for part in view.parts:
            seen = self._seen.get(part.label, 0)
            if seen == len(part.chunks):
                continue
            if part.label and part.label != self._last_label:
                lead = "" if not self._streamed and not added else "\n\n"
                added.append(f"{lead}▸ {part.label}\n")
                self._last_label = part.label
            added += [_said(chunk) for chunk in part.chunks[seen:]]
            self._seen[part.label] = len(part.chunks)
        if added:
            self._streamed += added
            self.text_view.append("".join(added))

    def _show_result(self, view: StepView) -> None:
        self._shown_output = view.output
        if view.error is not None:
            self._show_error(view)
        elif view.output is None:
            self._show_tree(False)
            said = _so_far(view)
            note = view.note or "It produced no output."
            self.text_view.show_text(f"{said}\n\n{note}" if said else "", placeholder=note)
        elif self._wants == "tree" or (not self._wants and _is_data(view.output)):
            self._show_as_tree(view, view.output)
        else:
            self._show_as_text(view.output)

    def _show_error(self, view: StepView) -> None:
        assert view.error is not None
        if self._wants == "tree":
            self.tree_view.show_value(dict(view.error))
            self._show_tree(True)
            return
        said = str(view.error.get("message") or json.dumps(dict(view.error)))
        so_far = _so_far(view)
        rest = f"\n\nWhat it had said before:\n\n{so_far}" if so_far else ""
        self._show_tree(False)
        self.text_view.show_text(f"FAILED: {said}{rest}")

    def _show_as_tree(self, view: StepView, output: JsonText) -> None:
        if output.problem:
            self._show_as_text(output)
            return
        keep = self._tree_of == view.step_id
        self._tree_of = view.step_id
        if view.original is not None and not view.original.problem:
            self.tree_view.show_value(
                output.value, former(view.original.value, output.value), keep=keep
            )
        else:
            self.tree_view.show_value(output.value, keep=keep)
        self._show_tree(True)

    def _show_as_text(self, output: JsonText) -> None:
        said = text_of(output)
        text = said if said is not None else pretty(output.text)
        self._show_tree(False)
        if "".join(self._streamed) != text or not self._streamed:
            self.text_view.show_text(text)

    def _show_tree(self, is_tree: bool) -> None:
        had_focus = self.shown.has_focus
        self.tree_view.display = is_tree
        self.text_view.display = not is_tree
        if had_focus and not self.shown.has_focus:
            self.shown.focus()


def _so_far(view: StepView) -> str:
    return "".join(_said(chunk) for part in view.parts for chunk in part.chunks)


def _said(chunk: JsonText) -> str:
    value = chunk.value
    return value if isinstance(value, str) else f"{chunk.text}\n"


def _is_data(output: JsonText) -> bool:
    return not output.problem and text_of(output) is None
