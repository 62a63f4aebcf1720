"""Editing: outputs, blocks and single leaves; undo, the external editor."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from flowdbg.core.json_text import JsonText
from flowdbg.errors import UsageError
from flowdbg.present.edit_document import INLINE_LIMIT, EditDocument, same
from flowdbg.present.editor_state import EditorState
from flowdbg.present.formats import size
from flowdbg.present.json_paths import Path, replaced
from flowdbg.present.safe_text import UNSAFE
from flowdbg.present.step_documents import (
    BLOCK,
    OUTPUT,
    TOOLS,
    documents_of_block,
    output_document,
)
from flowdbg.present.step_view import StepView, call_name, call_text, step_view
from flowdbg.tui.desk import RIGHT, Desk
from flowdbg.tui.external import edit_externally
from flowdbg.tui.messages import ExternallyEdited
from flowdbg.tui.parts.drafts import Drafts
from flowdbg.tui.parts.panes import Panes
from flowdbg.tui.parts.part import Handlers, Part

KNOWN_FIELDS = (
    "prompt", "system_prompt", "model", "temperature", "top_p", "max_tokens", "seed", "stop",
    "input_schema", "output_schema", "code", "url", "method", "headers", "body", "when", "retries",
    "timeout",
)  # fmt: skip
"""Fields that blocks may have although a step's configuration does not name them."""


class Editing(Part):
    """Opens editors and takes what they give."""

    def __init__(self, screen: Desk, drafts: Drafts, panes: Panes) -> None:
        super().__init__(screen)
        self._drafts = drafts
        self._panes = panes
        self._undo: list[tuple[str, str, Mapping[str, JsonText] | JsonText | None]] = []
        self._calls: dict[str, str] = {}
        self._plane = OUTPUT
        self._editing_step = ""
        self._leaf_plane = OUTPUT
        self._pane_before = "flow"

    def handlers(self) -> Handlers:
        """Return the actions that this part does."""
        return {
            "edit.output": self._edit_output,
            "edit.block": self._edit_block,
            "edit.clear": self._clear,
            "edit.clear-all": self._clear_all,
            "edit.undo": self._undo_last,
            "edit.external": self._edit_output_outside,
            "tools.answer": self._answer_tools,
        }

    @property
    def can_undo(self) -> bool:
        """Whether an edit was made that can be undone."""
        return bool(self._undo)

    def apply(self, results: Mapping[str, JsonText]) -> None:
        """Take the results of the editor."""
        if self.screen.editor.state is None:
            return  # the key came twice
        step = self._editing_step
        self.keep_draft({})
        self._close()
        if not results:
            self.say("Nothing was changed.")
        elif self._plane == TOOLS:
            said = "Answered; the next step takes the answers along"
            self.move("tools.answer", self._give_answers(results), said)
        elif self._plane == OUTPUT:
            self.take_output(step, next(iter(results.values())))
        else:
            self.take_block(step, results)

    def keep_draft(self, texts: Mapping[str, str]) -> None:
        """Keep what was typed into the editor and not applied, or forget it."""
        self._drafts.put(self._plane, self._editing_step, texts)

    def leave(self, drafts: Mapping[str, str]) -> None:
        """Leave the editor; what was typed stays as a draft."""
        if self.screen.editor.state is None:
            return  # the key came twice
        self.keep_draft(drafts)
        self._close()
        if drafts:
            self.say("Kept as a draft; open the editor again to go on.")

    def _close(self) -> None:
        """Give the place of the editor back to the step."""
        self.screen.editor.close()
        self.screen.share_space({"-editing": False})
        self._panes.go(self._pane_before)
        self.screen.show_session()

    def take_output(self, step: str, value: JsonText) -> None:
        """Let later steps read a value as the output of a step."""
        self._remember(OUTPUT, step)
        produced = self.session.branch.outputs.get(step)
        if produced is not None and same(produced, value):
            self.move("edit.output", self.debugger.clear_output_edit(step), "Back to the original")
        else:
            self.move("edit.output", self.debugger.edit_output(step, value))

    def take_block(self, step: str, fields: Mapping[str, JsonText]) -> None:
        """Change fields of a block."""
        self._remember(BLOCK, step)
        self.move("edit.block", self.debugger.edit_block(step, fields))

    def edit_leaf(self, plane: str, path: Path, value: Any) -> None:
        """Edit one leaf of an output or a block: in one line, or a longer text in the editor."""
        if self.screen.typing is not None:
            return
        self._leaf_plane = plane
        self._editing_step = self.step_id
        if isinstance(value, dict | list):
            return
        if isinstance(value, str) and ("\n" in value or len(value) > 200 or UNSAFE.search(value)):
            if plane == BLOCK:
                self._edit_block(str(path[0]) if path else "")
            else:
                self._edit_output()
        else:
            self.screen.leaf.open(path, value)

    def take_leaf(self, path: Path, leaf: Any) -> None:
        """Put a leaf into the value it belongs to, and take that."""
        view = self._view(self._editing_step)
        if view is None:
            return
        if self._leaf_plane == BLOCK and path:
            name = str(path[0])
            now = view.block_edits.get(name)
            field = now.value if now is not None else view.config.get(name)
            changed = JsonText.of(replaced(field, path[1:], leaf))
            self.take_block(self._editing_step, {name: changed})
        elif view.output is not None:
            self.take_output(
                self._editing_step, JsonText.of(replaced(view.output.value, path, leaf))
            )

    def external(self, text: str, name: str, suffix: str) -> None:
        """Go on with a text in the person's editor."""
        self.launch("editor.external", self._edit_outside(text, name, suffix))

    def _edit_output(self) -> None:
        view = self._view(self.step_id)
        if view is None:
            return
        document = output_document(self.session, view)
        length = len(document.effective.text)  # laid out it is longer, but that takes its time
        if length > INLINE_LIMIT or len(document.start) > INLINE_LIMIT:
            self.say(f"{size(length)}: opening $EDITOR")
            self._plane, self._editing_step = OUTPUT, self.step_id
            self.launch("edit.external", self._outside_and_apply(document))
            return
        self._open(OUTPUT, [document], f"Output of {view.title}")
        if view.output is None and self.screen.editor.area.text in ("{}", '""', ""):
            self.screen.editor.area.select_all()  # what is typed or pasted takes its place

    def _answer_tools(self) -> None:
        pending = self.session.branch.pending
        calls = self.session.branch.unanswered
        if pending is None or not calls:
            return
        empty = JsonText('""')
        self._calls = {
            f"{call_name(call)} {number}": str(call.get("id", ""))
            for number, call in enumerate(calls, 1)
        }
        documents = [EditDocument(title, empty, empty) for title in self._calls]
        self._open(TOOLS, documents, f"Answer {call_text(calls[0])}")

    async def _give_answers(self, results: Mapping[str, JsonText]) -> None:
        for title, answer in results.items():
            await self.debugger.answer(self._calls[title], str(answer.value))

    def _edit_block(self, field: str = "") -> None:
        view = self._view(self.step_id)
        if view is None:
            return
        self._open(BLOCK, documents_of_block(self.session, view), f"Block of {view.title}", field)

    def _open(self, plane: str, documents: Any, title: str, field: str = "") -> None:
        screen = self.screen
        if screen.editor.state is not None:  # its draft stays
            self.keep_draft(screen.editor.state.drafts())
        self._plane, self._editing_step = plane, self.step_id
        draft = self._drafts.of(plane, self.step_id)
        state = EditorState(
            documents,
            drafts=draft,
            known_fields=KNOWN_FIELDS,
            has_whole=plane == BLOCK,
        )
        if field in state.titles:
            state.open(field)
        if draft:
            back = self.app.key("editor.reset")
            self.say(f"This is what you typed before; {back} brings the original back.")
        screen.share_space({"-editing": True})
        if screen.pane in ("flow", *RIGHT):
            self._pane_before = screen.pane
        screen.editor.open(state, title)
        self._panes.refresh_footer()

    def _clear(self) -> None:
        step = self.step_id
        self._drafts.drop({step})
        if step in self.session.output_edits:
            self._remember(OUTPUT, step)
            self.move("edit.clear", self.debugger.clear_output_edit(step))
        if self.session.block_edits.get(step):
            self._remember(BLOCK, step)
            self.move("edit.clear", self.debugger.clear_block_edit(step))

    def _clear_all(self) -> None:
        self._drafts.drop(self._drafts.steps())
        for step in self.session.output_edits:
            self._remember(OUTPUT, step)
            self.move("edit.clear-all", self.debugger.clear_output_edit(step))
        for step in self.session.block_edits:
            self._remember(BLOCK, step)
            self.move("edit.clear-all", self.debugger.clear_block_edit(step))

    def _remember(self, plane: str, step: str) -> None:
        edits = self.session.output_edits if plane == OUTPUT else self.session.block_edits
        self._undo.append((plane, step, edits.get(step)))

    def _undo_last(self) -> None:
        plane, step, before = self._undo.pop()
        self.move("edit.undo", self._restore(plane, step, before), f"Undone: {plane} of {step}")

    async def _restore(
        self, plane: str, step: str, before: Mapping[str, JsonText] | JsonText | None
    ) -> None:
        if plane == OUTPUT:
            if isinstance(before, JsonText):
                await self.debugger.edit_output(step, before)
            else:
                await self.debugger.clear_output_edit(step)
            return
        await self.debugger.clear_block_edit(step)
        if before and not isinstance(before, JsonText):
            await self.debugger.edit_block(step, before)

    def _edit_output_outside(self) -> None:
        view = self._view(self.step_id)
        if view is None:
            return
        self._plane, self._editing_step = OUTPUT, self.step_id
        self.launch("edit.external", self._outside_and_apply(output_document(self.session, view)))

    async def _outside_and_apply(self, document: EditDocument) -> None:
        step = self._editing_step
        suffix = ".txt" if document.is_text else ".json"
        text = await asyncio.to_thread(document.written, document.effective)
        edited = await edit_externally(self.app, text, f"{step}.{document.title}", suffix)
        if edited is None:
            self.say("Nothing was changed.")
            return
        problem = await asyncio.to_thread(document.problem, edited)
        if problem:
            self._drafts.put(OUTPUT, step, {document.title: edited})
            self.screen.call_later(self.screen.show_session)
            goes_on = f"{self.app.key('edit.output')} goes on with it"
            raise UsageError(f"Not taken: {problem}.", f"It is kept as a draft: {goes_on}.")
        self._drafts.put(OUTPUT, step, {})
        self._remember(OUTPUT, step)
        await self.debugger.edit_output(step, document.result(edited))

    async def _edit_outside(self, text: str, name: str, suffix: str) -> None:
        edited = await edit_externally(self.app, text, name, suffix)
        if edited is not None:
            self.screen.post_message(ExternallyEdited(edited))

    def _view(self, step: str) -> StepView | None:
        return step_view(self.session, step)
