"""What to begin with when a step that has not run is given an output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowdbg.core.json_text import JsonText
from flowdbg.core.plan import Step

_EMPTY: Mapping[str, Any] = {
    "object": {},
    "array": [],
    "string": "",
    "integer": 0,
    "number": 0,
    "boolean": False,
}
_DEPTH = 6


def output_schema(step: Step | None) -> Mapping[str, Any]:
    """Return the JSON schema of a step's output; empty when it has none."""
    config = step.config if step else {}
    schema = config.get("output_schema") or config.get("outputSchema")
    return schema if isinstance(schema, Mapping) else {}


def first_output(step: Step | None) -> JsonText:
    """Return an output to begin with: what the schema asks for, left empty."""
    schema = output_schema(step)
    if schema:
        return JsonText.of(_example(schema, 0))
    if step is None or not step.kind:
        return JsonText.of("")
    # without a schema, a model answers an object around its text; others give fields
    return JsonText.of({"text": ""} if step.kind == "llm" else {})


def _example(schema: Any, depth: int) -> Any:
    if not isinstance(schema, Mapping) or depth > _DEPTH:
        return None
    if "default" in schema:
        return schema["default"]
    choices = schema.get("enum")
    if isinstance(choices, list) and choices:
        return choices[0]
    kind = schema.get("type")
    properties = schema.get("properties")
    if isinstance(properties, Mapping):
        return {name: _example(inner, depth + 1) for name, inner in properties.items()}
    return _EMPTY.get(kind) if isinstance(kind, str) else None
