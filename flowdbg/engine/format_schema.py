"""The JSON Schema of the file format, with the descriptions that stand under the fields."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from itertools import pairwise
from textwrap import dedent
from typing import Any

from pydantic import BaseModel

from flowdbg.engine.definition import FlowDefinition
from flowdbg.engine.nodes import Model


def flow_schema() -> dict[str, Any]:
    """The JSON Schema of a flow file, for editors."""
    schema = FlowDefinition.model_json_schema()
    parts = {FlowDefinition.__name__: schema, **schema["$defs"]}
    for model in _models(Model):
        if model.__name__ in parts:
            _describe(model, parts[model.__name__])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Flow"}


def _models(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for model in base.__subclasses__():
        yield model
        yield from _models(model)


def _describe(model: type[BaseModel], schema: dict[str, Any]) -> None:
    texts = _field_texts(model)
    for name, field in schema["properties"].items():
        field.pop("title", None)
        if name in texts:
            field["description"] = texts[name]


def _field_texts(model: type[BaseModel]) -> dict[str, str]:
    """Field name to the text under it, read from the source only when it is asked for."""
    texts: dict[str, str] = {}
    for owner in reversed(model.__mro__):
        if not issubclass(owner, Model):
            continue
        [body] = [
            node.body
            for node in ast.parse(dedent(inspect.getsource(owner))).body
            if isinstance(node, ast.ClassDef)
        ]
        for field, below in pairwise(body):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
            ):
                texts[field.target.id] = inspect.cleandoc(str(below.value.value))
    return texts
