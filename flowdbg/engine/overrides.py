"""Replaces fields of one node's configuration for one call (the configuration plane)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from flowdbg.engine.checks import SCHEMAS, content_problems
from flowdbg.engine.errors import OverrideInvalid
from flowdbg.engine.nodes import Container, Node
from flowdbg.engine.problems import NODE_MODELS, member_at, message_of, unknown_field
from flowdbg.engine.schema_format import schema_parts
from flowdbg.engine.yaml_source import dotted

MAX_BYTES = 150_000
"""Largest overrides of one request as JSON text."""
MAX_PARTS = 500
"""Most parts of all the schemas in them."""
_FIXED = {"id", "name", "kind", "steps"}


def overridden(node: Node, overrides: Mapping[str, Mapping[str, Any]]) -> Node:
    """The node with the overrides of its id, and of the nodes inside it.

    Raises:
        OverrideInvalid: See `flowdbg.engine.plan.apply_block_overrides`.
    """
    if isinstance(node, Container):
        inside = tuple(overridden(child, overrides) for child in node.steps)
        node = node.model_copy(update={"steps": inside})
    fields = overrides.get(node.id)
    return _replaced(node, fields) if fields else node


def fields_of(node: Node) -> tuple[str, ...]:
    """The fields of a node that can be overridden."""
    return tuple(name for name in NODE_MODELS[node.kind].model_fields if name not in _FIXED)


def check_amount(overrides: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse overrides that would take long to check; they are checked while others wait.

    Raises:
        OverrideInvalid: All of them together are too large.
    """
    size = parts = 0
    for step_id, fields in overrides.items():
        for name, value in fields.items():
            size += len(_text(step_id, name, value))
            parts += schema_parts(value) if name in SCHEMAS else 0
            if size > MAX_BYTES:
                message = f"with it, the overrides are larger than {MAX_BYTES:,} bytes."
                raise _invalid(step_id, name, message)
            if parts > MAX_PARTS:
                message = f"with it, the overridden schemas have more than {MAX_PARTS} parts."
                raise _invalid(step_id, name, message)


def _text(step_id: str, name: str, value: Any) -> str:
    try:
        return json.dumps(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise _invalid(step_id, name, f"is not JSON: {error}.") from error


def _replaced(node: Node, fields: Mapping[str, Any]) -> Node:
    model = NODE_MODELS[node.kind]
    allowed = fields_of(node)
    for name in fields:
        if name not in allowed:
            raise _invalid(node.id, name, unknown_field(name, list(allowed)))
    stored = node.model_dump(mode="json", exclude_defaults=True, exclude={"steps"})
    steps = {"steps": [_placeholder()]} if isinstance(node, Container) else {}
    try:
        text = json.dumps({**stored, **fields, **steps})
        changed = model.model_validate_json(text, strict=True)
    except ValidationError as error:
        detail = error.errors(include_url=False, include_input=False)[0]
        field = dotted(detail["loc"]) or next(iter(fields))
        message = message_of(detail, member_at(dict(fields), detail["loc"]))
        raise _invalid(node.id, field, message) from error
    dumped = changed.model_dump(mode="json", include={"kind", *fields})
    for place, message, _line in content_problems(dumped):
        raise _invalid(node.id, dotted(place), message)
    if isinstance(node, Container):
        changed = changed.model_copy(update={"steps": node.steps})
    return changed  # type: ignore[return-value]  # NODE_MODELS holds exactly the node types


def _placeholder() -> dict[str, Any]:
    """Stands for a container's steps while its own fields are checked."""
    return {"id": "placeholder", "kind": "passthrough"}


def _invalid(step_id: str, field: str, message: str) -> OverrideInvalid:
    return OverrideInvalid(
        f"Block override {step_id}.{field}: {message}",
        "Correct the override or take it back.",
        step_id=step_id,
        field=field,
    )
