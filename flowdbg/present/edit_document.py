"""A value being edited: as plain text when it is a string, else as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from flowdbg.core.json_text import JsonText
from flowdbg.present.json_check import SchemaCheck, TextProblem, check
from flowdbg.present.json_diff import fingerprint
from flowdbg.present.json_pretty import pretty
from flowdbg.present.suggest import did_you_mean

HIGHLIGHT_LIMIT = 64 * 1024
"""Characters up to which an editor may highlight: beyond, each key would cost over 50 ms."""

INLINE_LIMIT = 128 * 1024
"""Characters up to which a value is edited in place; beyond, in an external editor."""


TextCheck = Callable[[str], TextProblem | None]
"""Says the first thing to say about a text, or None."""

Language = Literal["", "json", "template", "markdown"]
"""How a text is coloured: `template` knows `{{ }}` and `{% %}`, `markdown` headings too."""

PROMPTS = ("prompt", "system_prompt", "template")
"""Fields of a block that hold prompts."""


@dataclass(frozen=True, slots=True)
class EditDocument:
    """One value under an editor: what it was, what it is, and how it is written."""

    title: str
    original: JsonText
    """What the server produced or configured, without edits."""
    effective: JsonText
    """What counts now: the edit, or the original."""
    schema_check: SchemaCheck | None = None
    as_json: bool = False
    """Whether JSON is edited where plain text could be."""
    doubts: TextCheck | None = None
    """What is most likely wrong in a text; it can be applied when somebody insists."""
    warnings: TextCheck | None = None
    """What is worth a word, and keeps nobody from applying."""
    language: Language = ""
    """How a text is coloured."""

    @property
    def member(self) -> str | None:
        """The one member of an object that holds nothing but a string, as models answer."""
        return sole_member(self.effective.value)

    @property
    def can_be_text(self) -> bool:
        """Whether the value can be edited as plain text: a string, or an object around one."""
        return isinstance(self.effective.value, str) or self.member is not None

    @property
    def is_text(self) -> bool:
        """Whether the value is edited as plain text, not as JSON."""
        return self.can_be_text and not self.as_json

    @property
    def start(self) -> str:
        """The text an editor opens with."""
        return self.written(self.effective)

    def written(self, value: JsonText) -> str:
        """Write a value as this document does."""
        if self.is_text:
            said = text_of(value)
            return said if said is not None else pretty(value.text)
        return pretty(value.text)

    def problem(self, text: str) -> TextProblem | None:
        """Say what keeps a text from being taken, or None."""
        if not self.is_text:
            return check(text, self.schema_check)
        problems = self.schema_check(self.result(text).value) if self.schema_check else ()
        return TextProblem(0, 0, problems[0][1]) if problems else None

    def doubt(self, text: str) -> TextProblem | None:
        """Say what is most likely wrong in a text that could be taken, or None."""
        return self.doubts(text) if self.doubts is not None and self.is_text else None

    def warning(self, text: str) -> TextProblem | None:
        """Say what is worth a word in a text that can be taken, or None."""
        return self.warnings(text) if self.warnings is not None and self.is_text else None

    def result(self, text: str) -> JsonText:
        """Return the value of a text without a problem, with its tokens as they were typed."""
        if self.is_text:
            return JsonText.of(text if self.member is None else {self.member: text})
        return JsonText(text.strip())

    def turned(self, text: str) -> tuple[EditDocument, str] | None:
        """Exchange plain text and JSON: the other document and what is typed, written its way.

        None where the value is not a text, or no longer one.
        """
        if not self.can_be_text:
            return None
        current = self.result(text)
        other = replace(self, as_json=not self.as_json)
        fits = text_of(current) is not None and sole_member(current.value) == self.member
        return (other, other.written(current)) if other.as_json or fits else None

    def is_original(self, text: str) -> bool:
        """Whether a text means the same as the value without edits."""
        return same(self.result(text), self.original)


def sole_member(value: Any) -> str | None:
    """Return the name of the only member of an object when that is a string, else None."""
    if isinstance(value, dict) and len(value) == 1:
        name, inner = next(iter(value.items()))
        return name if isinstance(inner, str) else None
    return None


def text_of(value: JsonText) -> str | None:
    """Return what a value says when it is a string or an object around one, else None."""
    parsed = value.value
    if isinstance(parsed, str):
        return parsed
    name = sole_member(parsed)
    return parsed[name] if name is not None else None


def same(one: JsonText, other: JsonText) -> bool:
    """Whether two JSON texts mean the same value; texts that are not JSON only when equal."""
    if one.text == other.text:
        return True
    if one.problem or other.problem:
        return False
    return fingerprint(one.value) == fingerprint(other.value)


def block_documents(
    original: Mapping[str, JsonText],
    edits: Mapping[str, JsonText],
    *,
    doubts: Mapping[str, TextCheck] | None = None,
    warnings: TextCheck | None = None,
) -> tuple[EditDocument, ...]:
    """Return one document for each field of a block, the longest text (its prompt) first.

    Args:
        original: The fields as the server configured them.
        edits: The fields that are edited.
        doubts: What checks the text of a field, by the field's name.
        warnings: What looks at the names in every text but code.
    """
    names = [*original, *(name for name in edits if name not in original)]
    missing = JsonText("null")
    documents = [
        EditDocument(
            name,
            original.get(name, missing),
            edits.get(name, original.get(name, missing)),
            doubts=(doubts or {}).get(name),
            warnings=None if name == "code" else warnings,
            language="" if name == "code" else "markdown" if name in PROMPTS else "template",
        )
        for name in names
    ]
    return tuple(sorted(documents, key=lambda item: not is_body(item.title, item.effective.value)))


def whole_block(documents: Sequence[EditDocument], texts: Mapping[str, str]) -> str:
    """Write all fields of a block as one JSON object, from the texts being edited."""
    members = [
        f"{json.dumps(item.title)}:{item.result(texts[item.title]).text}" for item in documents
    ]
    return pretty("{" + ",".join(members) + "}")


def unknown_field(name: str, known: Sequence[str]) -> str:
    """Say that a block has no such field, with the nearest one that it has."""
    return f"the block has no field `{name}`{did_you_mean(name, known)}"


def is_body(name: str, value: object) -> bool:
    """Whether a field of a block is what the block is about: its prompt, code or longest texts."""
    return isinstance(value, str) and (len(value) > 40 or name in (*PROMPTS, "code", "body"))
