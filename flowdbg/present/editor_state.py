"""What stands in an editor: the documents of one step, what was typed, and whether it can be taken.

The fields of a block are documents of their own, and the whole block is one more, written as a JSON
object. Going there writes what was typed so far; leaving it reads the fields back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flowdbg.core.json_text import JsonText, members
from flowdbg.present.edit_document import (
    EditDocument,
    Language,
    same,
    unknown_field,
    whole_block,
)
from flowdbg.present.json_check import TextProblem, check, locate

WHOLE = "whole block"
"""The title of the document that holds all fields."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an edit cannot be taken: which document, and what is wrong in it."""

    title: str
    problem: TextProblem
    may_insist: bool = False
    """Whether it is taken when it is asked again."""


class EditorState:
    """One edit in progress."""

    def __init__(
        self,
        documents: Sequence[EditDocument],
        *,
        drafts: Mapping[str, str] | None = None,
        known_fields: Sequence[str] = (),
        has_whole: bool = False,
    ) -> None:
        """Open documents.

        Args:
            documents: What can be edited; the first one is open.
            drafts: What was typed before and not applied, by title.
            known_fields: Fields that the block may have besides those it has.
            has_whole: Whether the whole block can be edited as one object.
        """
        self._documents = {item.title: item for item in documents}
        self._known = (*self._documents, *known_fields)
        self._texts = {item.title: item.start for item in documents}
        self._texts.update(
            {title: text for title, text in (drafts or {}).items() if title in self._documents}
        )
        self._whole_start = ""
        self._insisted: set[tuple[str, str]] = set()
        self.titles = (*self._documents, WHOLE) if has_whole else tuple(self._documents)
        """The titles of all documents, in the order of their tabs."""
        self.active = self.titles[0]
        """The title of the document that is open."""

    @property
    def text(self) -> str:
        """What stands in the open document."""
        return self._texts.get(self.active, "")

    @property
    def is_text(self) -> bool:
        """Whether the open document is plain text, not JSON."""
        return self.active != WHOLE and self._documents[self.active].is_text

    def type(self, text: str) -> None:
        """Replace what stands in the open document."""
        self._texts[self.active] = text

    def open(self, title: str) -> TextProblem | None:
        """Open another document; returns what keeps the whole block from being left."""
        if title == self.active:
            return None
        if self.active == WHOLE:
            problem = self._read_whole()
            if problem:
                return problem
        elif title == WHOLE:
            refusal = self._first_refusal(tuple(self._documents))
            if refusal:
                return refusal.problem
        if title == WHOLE:
            self._texts[WHOLE] = whole_block(tuple(self._documents.values()), self._texts)
            self._whole_start = self._texts[WHOLE]
        self.active = title
        return None

    def turn(self) -> bool:
        """Go between text and JSON in the open document; False where there is nothing to turn."""
        document = self._documents.get(self.active)
        if document is None or document.problem(self.text):
            return False
        turned = document.turned(self.text)
        if turned is None:
            return False
        self._documents[self.active], self._texts[self.active] = turned
        return True

    def reset(self) -> None:
        """Put the originals back into the open document."""
        if self.active == WHOLE:
            originals = {item.title: item.written(item.original) for item in self._each()}
            self._texts[WHOLE] = whole_block(tuple(self._each()), originals)
        else:
            document = self._documents[self.active]
            self._texts[self.active] = document.written(document.original)

    @property
    def language(self) -> Language:
        """How the open document is coloured."""
        return self._documents[self.active].language if self.is_text else "json"

    def doubt(self) -> TextProblem | None:
        """Say what is most likely wrong in the open document, though it could be taken."""
        document = self._documents.get(self.active)
        return document.doubt(self.text) if document is not None else None

    def warning(self) -> TextProblem | None:
        """Say what is worth a word in the open document, or None."""
        document = self._documents.get(self.active)
        return document.warning(self.text) if document is not None else None

    def problem(self) -> TextProblem | None:
        """Say what keeps the open document from being taken, or None."""
        if self.active == WHOLE:
            return self._whole_problem(self.text)
        return self._documents[self.active].problem(self.text)

    def is_edited(self, title: str) -> bool:
        """Whether a document's text means something else than the original."""
        document = self._documents.get(title)
        if document is None:
            return False
        text = self._texts[title]
        return document.problem(text) is not None or not document.is_original(text)

    @property
    def is_changed(self) -> bool:
        """Whether anything was typed that is not applied."""
        if self.active == WHOLE and self.text != self._whole_start:
            return True
        return any(self._texts[item.title] != item.start for item in self._each())

    def drafts(self) -> dict[str, str]:
        """Return what was typed and not applied, by title."""
        if self.active == WHOLE:
            self._read_whole()
        return {
            item.title: self._texts[item.title]
            for item in self._each()
            if self._texts[item.title] != item.start
        }

    def results(self) -> dict[str, JsonText] | Refusal:
        """Return the values that differ from what counts now, or why they cannot be taken.

        A text in doubt is refused once: asked again without a change, it is taken.
        """
        if self.active == WHOLE:
            problem = self._read_whole()
            if problem:
                return Refusal(WHOLE, problem)
        refusal = self._first_refusal((self.active, *self._documents))
        refusal = refusal or self._first_doubt()
        if refusal:
            return refusal
        values = {item.title: item.result(self._texts[item.title]) for item in self._each()}
        return {
            item.title: values[item.title]
            for item in self._each()
            if not same(values[item.title], item.effective)
        }

    def _each(self) -> tuple[EditDocument, ...]:
        return tuple(self._documents.values())

    def _first_refusal(self, titles: Sequence[str]) -> Refusal | None:
        for title in titles:
            if title in self._documents:
                problem = self._documents[title].problem(self._texts[title])
                if problem:
                    return Refusal(title, problem)
        return None

    def _first_doubt(self) -> Refusal | None:
        for title, document in self._documents.items():
            text = self._texts[title]
            doubt = None if text == document.start else document.doubt(text)
            if doubt and (title, text) not in self._insisted:
                self._insisted.add((title, text))
                return Refusal(title, doubt, may_insist=True)
        return None

    def _whole_problem(self, text: str) -> TextProblem | None:
        problem = check(text)
        if problem:
            return problem
        value = json.loads(text)
        if not isinstance(value, dict):
            return TextProblem(1, 1, "a JSON object with the block's fields is expected")
        for name in value:
            if name not in self._known:
                line, column = locate(text, (name,))
                return TextProblem(line, column, unknown_field(name, self._known))
        return None

    def _read_whole(self) -> TextProblem | None:
        """Take the fields of the whole block over into their own documents."""
        text = self._texts[WHOLE]
        problem = self._whole_problem(text)
        if problem:
            return problem
        for name, span in members(text).items():
            value = JsonText(text[span.start : span.end])
            document = self._documents.get(name)
            if document is None:
                document = EditDocument(name, JsonText("null"), JsonText("null"))
                self._documents[name] = document
                self.titles = (*self._documents, WHOLE)
            if document.is_text and not isinstance(value.value, str):
                document = EditDocument(name, document.original, value)
                self._documents[name] = document
            self._texts[name] = document.written(value)
        return None
