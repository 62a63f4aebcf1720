"""The plan of a flow: its ordered entries, their hash, and block overrides.

The root sequence's children are the plan; a container is one entry of it.
Protocol: noukai sections 12 and 13.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flowdbg.engine.definition import FlowDefinition, definition_json
from flowdbg.engine.nodes import Container, Effect, Node, effect_of
from flowdbg.engine.overrides import check_amount, fields_of, overridden

_IDENTITY = {"id", "name", "kind", "effect", "steps"}


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """One step of a plan, or a node inside one."""

    step_id: str
    name: str
    kind: str
    """llm, code, http, passthrough, sequence, parallel or loop."""
    effect: Effect
    config: dict[str, Any]
    """The block's configuration as JSON, without the fields above; None values left out."""
    children: tuple[PlanEntry, ...] = ()
    """What a container holds, in order."""
    fields: tuple[str, ...] = ()
    """What can be overridden, set or not."""


def plan_of(definition: FlowDefinition) -> tuple[PlanEntry, ...]:
    """The plan: one entry for each child of the root sequence."""
    return tuple(_entry(node) for node in definition.steps)


def plan_hash(definition: FlowDefinition) -> str:
    """SHA-256 (hex) of everything that decides what a run does: inputs, steps, scripts.

    A changed prompt, order, schema or input changes it; the flow's title and text do not.
    """
    canonical = definition_json(definition)
    relevant = {key: canonical.get(key) for key in ("inputs", "scripts", "steps")}
    # Inputs keep their order on purpose: it decides which one `message` stands for.
    text = json.dumps(relevant, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def apply_block_overrides(
    definition: FlowDefinition, overrides: Mapping[str, Mapping[str, Any]]
) -> FlowDefinition:
    """The definition with fields of some blocks replaced, also of blocks inside containers.

    A field is replaced whole (shallow merge); identifiers that the flow does not have are
    ignored.

    Raises:
        OverrideInvalid: A field the block does not have, a value it cannot have, or too much.
    """
    if not overrides:
        return definition
    check_amount(overrides)
    return definition.model_copy(
        update={"steps": tuple(overridden(node, overrides) for node in definition.steps)}
    )


def _entry(node: Node) -> PlanEntry:
    children = tuple(_entry(child) for child in node.steps) if isinstance(node, Container) else ()
    config = node.model_dump(mode="json", exclude=_IDENTITY, exclude_none=True)
    head = (node.id, node.name, node.kind, effect_of(node), config)
    return PlanEntry(*head, children, fields_of(node))
