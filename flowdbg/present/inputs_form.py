"""A flow's inputs as a form: one field for each property of their JSON schema."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from flowdbg.present.json_check import check

FieldKind = Literal["text", "long text", "number", "integer", "boolean", "choice", "json"]

MESSAGE = "message"
"""The name of the primary input, which has a place of its own in a run."""


@dataclass(frozen=True, slots=True)
class Field:
    """One input to fill in."""

    name: str
    kind: FieldKind
    title: str
    description: str = ""
    required: bool = False
    default: str = ""
    """What stands in the field at first, as text."""
    choices: tuple[str, ...] = ()

    def problem(self, text: str) -> str:
        """Say what keeps a text from being taken; empty when nothing does."""
        if not text.strip():
            return "this input is required" if self.required else ""
        if self.kind == "json":
            found = check(text)
            return str(found) if found else ""
        if self.kind in ("number", "integer"):
            return self._number_problem(text)
        if self.kind == "boolean" and text not in ("true", "false"):
            return "true or false is expected"
        return ""

    def value(self, text: str) -> Any:
        """Return the value of a text without a problem."""
        if self.kind == "integer":
            return int(text)
        if self.kind in ("number", "json", "boolean"):
            return json.loads(text)
        return text

    def _number_problem(self, text: str) -> str:
        try:
            number = json.loads(text)
        except ValueError:
            number = None
        if isinstance(number, bool) or not isinstance(number, int | float):
            return "a number is expected"
        if self.kind == "integer" and not isinstance(number, int):
            return "a whole number is expected"
        return ""


def fields_of(schema: Mapping[str, Any]) -> tuple[Field, ...]:
    """Return the fields of a form: the message first, then the other inputs of the schema.

    A flow whose inputs the server does not tell is asked for its message alone.
    """
    properties = schema.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    required = schema.get("required")
    names = set(required) if isinstance(required, Sequence) else set()
    fields = [_field(name, given, name in names) for name, given in properties.items()]
    if not properties:
        fields.append(
            Field(MESSAGE, "long text", "Message", "The flow's primary input.", required=True)
        )
    return tuple(sorted(fields, key=lambda field: field.name != MESSAGE))


def collect(fields: Sequence[Field], texts: Mapping[str, str]) -> tuple[str | None, dict[str, Any]]:
    """Return the run's message and parameters from texts without problems; empty ones left out."""
    message: str | None = None
    parameters: dict[str, Any] = {}
    for field in fields:
        text = texts.get(field.name, "")
        if not text.strip():
            continue
        if field.name == MESSAGE:
            message = text
        else:
            parameters[field.name] = field.value(text)
    return message, parameters


def problems(fields: Sequence[Field], texts: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong in which field."""
    found = {field.name: field.problem(texts.get(field.name, "")) for field in fields}
    return {name: problem for name, problem in found.items() if problem}


def _field(name: str, given: Any, required: bool) -> Field:
    schema = given if isinstance(given, Mapping) else {}
    choices = schema.get("enum")
    kind = _kind(name, schema)
    default = schema.get("default")
    return Field(
        name,
        kind,
        str(schema.get("title") or name),
        str(schema.get("description") or ""),
        required or name == MESSAGE,
        "" if default is None else default if isinstance(default, str) else json.dumps(default),
        tuple(choices) if kind == "choice" and isinstance(choices, list) else (),
    )


def _kind(name: str, schema: Mapping[str, Any]) -> FieldKind:
    choices = schema.get("enum")
    if isinstance(choices, list) and all(isinstance(choice, str) for choice in choices):
        return "choice"
    match schema.get("type"):
        case "integer":
            return "integer"
        case "number":
            return "number"
        case "boolean":
            return "boolean"
        case "string":
            long = name == MESSAGE or schema.get("format") == "multiline"
            return "long text" if long else "text"
        case _:
            return "json"
