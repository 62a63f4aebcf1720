"""Plans: as the embedded server tells them, and as refusals list their steps (section 11.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowdbg.core.plan import Plan, Step
from flowdbg.dialects.noukai.fields import CHECK_URL
from flowdbg.errors import ProtocolViolation


def read_plan(value: Any) -> Plan:
    """The plan in the embedded server's answer.

    Raises:
        ProtocolViolation: The answer is not a plan.
    """
    try:
        steps = tuple(_told_step(item) for item in value["steps"])
        inputs = _schema(value.get("inputs") or {})
        version = value.get("version")
        number = version if isinstance(version, int) else None
        return Plan(steps, number, str(value.get("hash") or ""), inputs, told=True)
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        what = f"The server's plan cannot be read: {error!r}."
        raise ProtocolViolation(what, CHECK_URL) from error


def plan_in_refusal(detail: Mapping[str, Any]) -> Plan:
    """The plan inside a refusal for a stale tree: ids and names at least."""
    items = detail.get("steps")
    steps = [_named_step(item) for item in items] if isinstance(items, list) else []
    version = detail.get("version")
    plan_hash = detail.get("planHash")
    return Plan(
        tuple(step for step in steps if step),
        version if isinstance(version, int) else None,
        plan_hash if isinstance(plan_hash, str) else "",
        told=bool(steps),
    )


def _schema(inputs: Any) -> Mapping[str, Any]:
    """The schema of a flow's inputs, as far as the debugger reads it.

    Raises:
        TypeError: It has another shape.
    """
    properties, required = inputs.get("properties", {}), inputs.get("required", [])
    if not isinstance(properties, dict) or not isinstance(required, list):
        raise TypeError("the schema of the inputs is none")
    if not all(isinstance(name, str) for name in required):
        raise TypeError("a required input has no name")
    schema: Mapping[str, Any] = inputs
    return schema


def _told_step(item: Mapping[str, Any]) -> Step:
    return Step(
        id=str(item["stepId"]),
        name=str(item.get("name") or item["stepId"]),
        kind=str(item.get("kind") or ""),
        config=dict(item.get("config") or {}),
        effect=str(item.get("effect") or ""),
        children=tuple(_told_step(child) for child in item.get("children") or ()),
        fields=tuple(str(name) for name in item.get("fields") or ()),
    )


def _named_step(item: Any) -> Step | None:
    """A step as refusals list it: an object with `stepId` or `id`, or a plain string."""
    if isinstance(item, str):
        return Step(item, item)
    if not isinstance(item, dict):
        return None
    step_id = item.get("stepId") or item.get("step_id") or item.get("id")
    return Step(str(step_id), str(item.get("name") or step_id)) if step_id else None
