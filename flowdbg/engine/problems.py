"""Turns pydantic's findings into problems people can act on: line, field, what was expected."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
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
    DATA_PATH: "a data path such as `letters`, `initial.message` or `outputs.draft.text`",
    ADDRESS: "an address `org/project/flow`, in lower case",
}
_KINDS = ", ".join(BLOCK_KINDS + CONTAINER_KINDS)


def nearest(name: str, known: Iterator[str] | tuple[str, ...] | list[str]) -> str | None:
    """The known name most like a misspelt one; None when nothing is like it."""
    matches = difflib.get_close_matches(cut(name).lower(), list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def unknown_field(name: str, known: list[str]) -> str:
    """What to say about a field that does not exist."""
    close = nearest(name, known)
    hint = f"Did you mean `{close}`?" if close else f"Known fields: {', '.join(known)}."
    return f"there is no field `{cut(name)}` here. {hint}"


def problems_of(
    error: ValidationError, source: YamlSource, root: type[BaseModel]
) -> Iterator[Problem]:
    """Every finding of pydantic as a problem in the file."""
    for detail in error.errors(include_url=False, include_input=False):
        if detail["type"] == "default_factory_not_called":
            continue  # a default waits for another field, whose own problem is told
        path, model = _locate(detail["loc"], source.value, root)
        if detail["type"] == "too_short" and _at(source.value, path):
            continue  # it is short only because its items are wrong, and that is said
        yield source.problem(path, message_of(detail, path, model))


def message_of(detail: ErrorDetails, path: KeyPath, model: type[BaseModel] | None) -> str:
    """One finding in words: what was expected, and the nearest known name."""
    kind = detail["type"]
    context: dict[str, Any] = detail.get("ctx", {})
    if kind == "missing":
        return "is missing. Add it."
    if kind == "extra_forbidden" and path and model is not None:
        return unknown_field(str(path[-1]), list(model.model_fields))
    if kind == "union_tag_not_found":
        return f"has no `kind`. Expected one of: {_KINDS}."
    if kind == "union_tag_invalid":
        tag = str(context.get("tag", ""))
        close = nearest(tag, list(NODE_MODELS))
        hint = f" Did you mean `{close}`?" if close else ""
        return f"has the unknown kind `{cut(tag)}`.{hint} Expected one of: {_KINDS}."
    if kind == "string_pattern_mismatch":
        return f"is not {_PATTERNS.get(context.get('pattern', ''), 'of the expected form')}."
    if kind in ("too_short", "too_long"):
        bound = "at least" if kind == "too_short" else "at most"
        number = context.get("min_length", context.get("max_length"))
        return f"has {context.get('actual_length')} items; expected {bound} {number}."
    if kind == "value_error":
        return f"is wrong: {context.get('error')}."
    message = detail["msg"]
    return f"{message[:1].lower()}{message[1:]}."


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


def _at(value: Any, path: KeyPath) -> Any:
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
