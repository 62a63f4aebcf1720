"""`GET …[/v{n}]/plan`, an extension of ours: what a version resolves to.

The vendor has no such route; a client copes with its absence.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from flowdbg.dialects.noukai.routes.requests import version_of
from flowdbg.dialects.noukai.routes.resolving import resolve
from flowdbg.dialects.operations import json_answer
from flowdbg.dialects.services import Resolved, Services
from flowdbg.engine.plan import PlanEntry


class PlanRoute:
    """Answers with the plan of a version."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def get(self, request: Request) -> Response:
        """Answer `GET …/plan`; the `ETag` is the plan's hash."""
        resolved = await resolve(self._services.flows, request, version_of(request))
        return json_answer(plan_json(resolved), headers={"ETag": f'"{resolved.plan_hash}"'})


def plan_json(resolved: Resolved) -> dict[str, Any]:
    """A plan as JSON."""
    definition = resolved.definition
    return {
        "flowId": resolved.flow_id,
        **resolved.address._asdict(),
        "name": definition.title,
        "description": definition.description,
        "version": resolved.version,
        "production": resolved.production,
        "hash": resolved.plan_hash,
        "inputs": definition.input_schema,
        "steps": [_entry_json(entry, index) for index, entry in enumerate(resolved.plan)],
    }


def _entry_json(entry: PlanEntry, index: int) -> dict[str, Any]:
    return {
        "stepId": entry.step_id,
        "name": entry.name,
        "index": index,
        "kind": entry.kind,
        "effect": entry.effect,
        "config": entry.config,
        "fields": entry.fields,
        "children": [_entry_json(child, at) for at, child in enumerate(entry.children)],
    }
