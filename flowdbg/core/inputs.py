"""A run's inputs as people type them: `name=value`, `name:=json`, and what the flow expects."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from flowdbg.core.json_text import JsonText, members, standard_problem
from flowdbg.errors import UsageError


def read_json(text: str, what: str) -> JsonText:
    """Text that must be JSON, kept as it is.

    Raises:
        UsageError: It is not JSON; the message names `what`, the place and a way out.
    """
    value = JsonText(text.strip())
    if problem := standard_problem(value.text):
        hint = f"Write a string with its quotes: '{json.dumps(text)}'."
        raise UsageError(f"{what} is {problem}.", hint if len(text) < 60 else "")
    return value


def parameters_of(pairs: Iterable[str], base: JsonText, schema: Mapping[str, Any]) -> JsonText:
    """Inputs from the object `base` and from `name=value` or `name:=json` pairs, which win.

    What stands in `base` stays as it is written: odd numbers and duplicate keys go out, too. A
    plain value is text, unless the flow's schema says that this input is a number, a boolean, a
    list or an object: then it is read as JSON.

    Raises:
        UsageError: A pair has another shape, the flow has no such input, or the value is not what
            the schema asks for.
    """
    given: dict[str, JsonText] = {}
    properties = schema.get("properties", {})
    for name in base.value:
        _check_known(name, schema)
    for pair in pairs:
        name, equals, text = pair.partition("=")
        as_json = name.endswith(":")
        name = name.removesuffix(":")
        if not equals or not name:
            raise UsageError(f"'{pair}' is not an input.", "Write -p name=value or -p name:=JSON.")
        _check_known(name, schema)
        kinds = _kinds(properties.get(name, {}))
        if as_json or (kinds and "string" not in kinds):
            given[name] = read_json(text, f"The value of '{name}'")
        else:
            given[name] = JsonText.of(text)
    return _with_members(base, given)


def missing_inputs(
    message: str | None, parameters: Mapping[str, Any], schema: Mapping[str, Any]
) -> list[str]:
    """The required inputs that were not given, in the flow's order.

    `message` stands for the input of that name (protocol section 12, point 9), or for the first
    input of a flow that has none.
    """
    required = [name for name in schema.get("required", ()) if name not in parameters]
    if message is not None and required:
        primary = primary_input(schema)
        required = [name for name in required if name != primary]
    return required


def primary_input(schema: Mapping[str, Any]) -> str:
    """Which input the message stands for: `message`, else the flow's first one."""
    properties = schema.get("properties", {})
    return "message" if "message" in properties else next(iter(properties), "message")


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint at the nearest known name: `did you mean 'x'?`, or the list; empty without any."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"Did you mean '{close[0]}'?"
    return f"Known: {', '.join(names)}." if names else ""


def _with_members(base: JsonText, given: Mapping[str, JsonText]) -> JsonText:
    """A JSON object with further members; its own text stays, unless one of them is replaced."""
    if not given:
        return base
    parts = [base.text.strip().removeprefix("{").removesuffix("}").rstrip()]
    if given.keys() & base.value.keys():
        parts = [
            _member(name, base.text[span.start : span.end])
            for name, span in members(base.text).items()
            if name not in given
        ]
    parts += [_member(name, value.text) for name, value in given.items()]
    return JsonText("{" + ",".join(part for part in parts if part.strip()) + "}")


def _member(name: str, text: str) -> str:
    return f"{JsonText.of(name).text}:{text}"


def _check_known(name: str, schema: Mapping[str, Any]) -> None:
    """Refuse a name that the flow does not have, where the server tells its inputs."""
    properties = schema.get("properties")
    if properties and name not in properties and not schema.get("additionalProperties"):
        raise UsageError(f"The flow has no input '{name}'.", nearest(name, properties))


def _kinds(schema: Any) -> set[str]:
    kind = schema.get("type") if isinstance(schema, Mapping) else None
    if isinstance(kind, str):
        return {kind}
    return {name for name in kind if isinstance(name, str)} if isinstance(kind, list) else set()
