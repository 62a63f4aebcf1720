"""What a JSON Schema needs before a provider can constrain its output to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

MAX_LENGTH = 300
"""Longest text of one field, where the schema sets no bound."""
MAX_ITEMS = 12
"""Longest list, where the schema sets no bound."""


def bounded_schema(schema: Any) -> Any:
    """The schema with a bound on every text and list, and no unnamed members.

    A small model that is held to a grammar without bounds fills the first text until its tokens
    run out, and the JSON is never complete.
    """
    if isinstance(schema, list):
        return [bounded_schema(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    bounded = {name: _bounded_member(name, value) for name, value in schema.items()}
    kind = bounded.get("type")
    if kind == "string" and not bounded.keys() & {"enum", "const", "pattern", "format"}:
        bounded.setdefault("maxLength", MAX_LENGTH)
    if kind == "array":
        bounded.setdefault("maxItems", MAX_ITEMS)
    if kind == "object" and bounded.get("properties"):
        bounded.setdefault("additionalProperties", False)
    return bounded


def _bounded_member(name: str, value: Any) -> Any:
    if name in ("enum", "const", "default", "examples", "required"):
        return value
    if name in ("properties", "$defs", "definitions") and isinstance(value, Mapping):
        return {member: bounded_schema(schema) for member, schema in value.items()}
    return bounded_schema(value)


def is_strict(schema: Any) -> bool:
    """Whether OpenAI's strict mode takes the schema: every member required, none unnamed."""
    if isinstance(schema, list):
        return all(is_strict(item) for item in schema)
    if not isinstance(schema, Mapping):
        return True
    if schema.get("type") == "object" or "properties" in schema:
        members = schema.get("properties") or {}
        if schema.get("additionalProperties") is not False:
            return False
        if set(schema.get("required") or ()) != set(members):
            return False
    return all(is_strict(value) for name, value in schema.items() if name != "enum")


def schema_instruction(schema: Mapping[str, Any]) -> str:
    """The schema as words, for providers that cannot be constrained."""
    text = json.dumps(schema, ensure_ascii=False)
    return f"Answer with one JSON value and nothing else. It must fit this JSON Schema: {text}"
