"""Turns pydantic's findings into problems people can act on: line, field, what was expected."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from flowdbg.engine.nodes import (
    ADDRESS,
    BLOCK_KINDS,
    CONTAINER_KINDS,
    DATA_PATH,
    FIELD_NAME,
    IDENTIFIER,
    CodeBlock,
    HttpBlock,
    LlmBlock,
    LoopNode,
    ParallelNode,
    PassthroughBlock,
    SequenceNode,
)
from flowdbg.engine.yaml_source import KeyPath, YamlSource, cut
from flowdbg.errors import Problem

NODE_MODELS: dict[str, type[BaseModel]] = {
    "llm": LlmBlock,
    "code": CodeBlock,
    "http": HttpBlock,
    "passthrough": PassthroughBlock,
    "sequence": SequenceNode,
    "parallel": ParallelNode,
    "loop": LoopNode,
}
_PATTERNS = {
    IDENTIFIER: "an id: a letter, then letters, digits, `-` or `_`, at most 64",
    FIELD_NAME: "a field name: a letter or `_`, then letters, digits or `_`, at most 64",
    DATA_PATH: "a data path, without braces: `letters`, `initial.message`, `outputs.draft.text`",
    ADDRESS: "an address `org/project/flow`, in lower case",
}
_OBJECT = "an object, a `name: value` in each line"
_LIST = "a list, a `- ` before each item"
_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": _LIST,
    "list_type": _LIST,
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
}
_UNQUOTED = {
    "int_type": re.compile(r"-?\d+"),
    "float_type": re.compile(r"-?\d*\.?\d+"),
    "bool_type": re.compile(r"true|false"),
}
_KINDS = ", ".join(BLOCK_KINDS + CONTAINER_KINDS)


def nearest(name: str, known: Collection[str], likeness: float = 0.6) -> str | None:
    """The known name most like a misspelt one; None when nothing is like it."""
    by_lower = {other.lower(): other for other in known}
    matches = difflib.get_close_matches(cut(name).lower(), by_lower, n=1, cutoff=likeness)
    return by_lower[matches[0]] if matches else None


def unknown_field(name: str, known: list[str]) -> str:
    """What to say about a field that does not exist."""
    close = nearest(name, known)
    hint = f"Did you mean `{close}`?" if close else f"Known fields: {', '.join(known)}."
    return f"there is no field `{cut(name)}` here. {hint}"


def problems_of(
    error: ValidationError, source: YamlSource, root: type[BaseModel]
) -> Iterator[Problem]:
    """Every finding of pydantic as a problem in the file."""
    yield from _problems_below((), error, source, root)


def _problems_below(
    place: KeyPath,
    error: ValidationError,
    source: YamlSource,
    root: type[BaseModel],
    *,
    guessed: bool = False,
) -> Iterator[Problem]:
    whole = member_at(source.value, place)
    for detail in error.errors(include_url=False, include_input=False):
        if detail["type"] == "default_factory_not_called":
            continue  # a default waits for another field, whose own problem is told
        if detail["type"] == "missing" and guessed:
            continue  # another kind may not need it
        path, model = _locate(detail["loc"], whole, root)
        value = member_at(whole, path)
        if detail["type"] == "too_short" and value:
            continue  # it is short only because its items are wrong, and that is said
        yield source.problem((*place, *path), message_of(detail, value, model))
        if detail["type"] == "union_tag_invalid" and isinstance(value, dict):
            yield from _as_nearest_kind((*place, *path), value, source)


def _as_nearest_kind(place: KeyPath, node: dict[str, Any], source: YamlSource) -> Iterator[Problem]:
    """What else is wrong with a node of a misspelt kind."""
    kind = nearest(str(node["kind"]), NODE_MODELS)
    if kind is not None:
        model = NODE_MODELS[kind]
        try:
            model.model_validate_json(json.dumps({**node, "kind": kind}), strict=True)
        except ValidationError as error:
            yield from _problems_below(place, error, source, model, guessed=True)


def message_of(detail: ErrorDetails, value: Any, model: type[BaseModel] | None = None) -> str:
    """One finding in words: what stands there, what was expected, and the nearest known name.

    `value` is what stands at the place, `model` what is expected around it, as far as it is known.
    """
    kind = detail["type"]
    context: dict[str, Any] = detail.get("ctx", {})
    if kind == "missing":
        return "is missing. Add it."
    if kind == "extra_forbidden" and model is not None:
        return unknown_field(str(detail["loc"][-1]), list(model.model_fields))
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        return _kind_message(value)
    if kind == "string_pattern_mismatch":
        return f"is not {_PATTERNS.get(context.get('pattern', ''), 'of the expected form')}."
    if kind in ("too_short", "too_long"):
        return _count_message(value, context)
    if kind == "string_too_short" and value == "":
        return "is empty. Write something, or take it out."
    if kind == "literal_error" and isinstance(value, str):
        close = nearest(value, context["expected"].split("'")[1::2])
        hint = f" Did you mean `{close}`?" if close else ""
        return f"is `{cut(value)}`; expected {context['expected']}.{hint}"
    if kind in _EXPECTED:
        return f"is {kind_of(value)}; expected {_EXPECTED[kind]}.{_quotes_hint(kind, value)}"
    if kind == "value_error":
        return f"is wrong: {context.get('error')}."
    message = detail["msg"]
    return f"{message[:1].lower()}{message[1:]}."


def kind_of(value: Any) -> str:
    """What a JSON value is, in a word with its article."""
    kinds = {dict: "an object", list: "a list", str: "text", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), "a number")


def _kind_message(node: Any) -> str:
    kind = node.get("kind") if isinstance(node, dict) else None
    if kind is None:
        return f"has no `kind`. Expected one of: {_KINDS}."
    close = nearest(str(kind), list(NODE_MODELS))
    hint = f" Did you mean `{close}`?" if close else ""
    return f"has the unknown kind `{cut(str(kind))}`.{hint} Expected one of: {_KINDS}."


def _count_message(value: Any, context: dict[str, Any]) -> str:
    least, most = context.get("min_length"), context.get("max_length")
    bound = f"at most {most}" if least is None else f"at least {least}"
    return f"has {len(value) if value else 0} items; expected {bound}."


def _quotes_hint(kind: str, value: Any) -> str:
    if kind == "string_type" and isinstance(value, bool | int | float):
        return " Put it into quotes."
    if kind in _UNQUOTED and isinstance(value, str) and _UNQUOTED[kind].fullmatch(value):
        return " Take the quotes away."
    return ""


def _locate(
    loc: tuple[int | str, ...], value: Any, root: type[BaseModel]
) -> tuple[KeyPath, type[BaseModel] | None]:
    """The place in the file that pydantic means, and the model that is expected around it.

    Pydantic's location names the member of a union (`steps, 0, llm, prompt`) and the key of a
    mapping (`inputs, Bad Name, [key]`); neither stands in the file.
    """
    path: list[str | int] = []
    models: list[type[BaseModel]] = [root]
    for part in loc:
        if part == "[key]":
            continue
        if len(models) > 1 and part in NODE_MODELS and path and isinstance(path[-1], int):
            models = [NODE_MODELS[str(part)]]
            continue
        path.append(part)
        value = _member(value, part)
        if len(models) == 1 and isinstance(part, str) and part in models[0].model_fields:
            models = _models_in(models[0].model_fields[part].annotation) or models
    return tuple(path), models[0] if len(models) == 1 else None


def member_at(value: Any, path: KeyPath) -> Any:
    """What stands at a place; None when nothing does."""
    for part in path:
        value = _member(value, part)
    return value


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def _member(value: Any, part: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(str(part))
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None
