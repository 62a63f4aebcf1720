"""The dialect's operations with what the OpenAPI document says of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flowdbg.dialects.noukai.routes.plan import PlanRoute
from flowdbg.dialects.noukai.routes.requests import StepRequest
from flowdbg.dialects.noukai.routes.step import StepRoute
from flowdbg.dialects.operations import Answer, Operation, Parameter, Schema
from flowdbg.dialects.services import Services

FLOW_PATH = "/seq/{org}/{project}/{flow}"
PATHS = ((FLOW_PATH, ""), (f"{FLOW_PATH}/v{{version}}", "OfVersion"))
"""Each address without and with a version, and what the operation's name ends in."""

_IF_MATCH = Parameter(
    "If-Match",
    "header",
    "The hash of the plan the request was made for; 412 when it is another one now.",
    {"type": "string"},
)
_SESSION = Parameter(
    "X-Session-Id", "header", "A tag for the run.", {"type": "string", "maxLength": 200}
)
_NOT_FOUND = Answer("No such flow, version or run.")
_BROKEN = Answer("The flow's definition cannot be run; `detail.problems` lists why.")
_STALE = Answer("The plan is not the one of `If-Match`; `detail.steps` is the current one.")
_ENTRY: Schema = {
    "type": "object",
    "required": ["stepId", "name", "index", "kind", "effect", "config", "children"],
    "properties": {
        "stepId": {"type": "string"},
        "name": {"type": "string"},
        "index": {"type": "integer"},
        "kind": {"type": "string"},
        "effect": {"enum": ["none", "read", "write"]},
        "config": {"type": "object"},
        "children": {"type": "array", "items": {"type": "object"}},
    },
}
_PLAN: Schema = {
    "type": "object",
    "required": ["flowId", "org", "project", "flow", "version", "production", "hash", "steps"],
    "properties": {
        "flowId": {"type": "string"},
        "org": {"type": "string"},
        "project": {"type": "string"},
        "flow": {"type": "string"},
        "name": {"type": "string"},
        "description": {"type": "string"},
        "version": {"type": ["integer", "null"]},
        "production": {"type": "boolean"},
        "hash": {"type": "string"},
        "inputs": {"type": "object"},
        "steps": {"type": "array", "items": _ENTRY},
    },
}


def step_operations(services: Services) -> Sequence[Operation]:
    """`/step`, with and without a version."""
    route = StepRoute(services)
    answers = {
        200: Answer("The events of the step.", {"type": "string"}, "text/event-stream"),
        400: Answer("The request cannot be run; `detail.code` says why."),
        404: _NOT_FOUND,
        412: _STALE,
        413: Answer("The body is too large."),
        422: _BROKEN,
    }
    return [
        Operation(
            "POST",
            f"{path}/step",
            f"step{suffix}",
            "Run one step, or the rest of the flow.",
            route.post,
            answers,
            body=body_schema(StepRequest),
            parameters=(_IF_MATCH, _SESSION),
        )
        for path, suffix in PATHS
    ]


def plan_operations(services: Services) -> Sequence[Operation]:
    """`/plan`, with and without a version."""
    route = PlanRoute(services)
    answers = {
        200: Answer("The plan.", _PLAN, headers={"ETag": "The plan's hash, in quotes."}),
        404: _NOT_FOUND,
        412: _STALE,
        422: _BROKEN,
    }
    return [
        Operation(
            "GET",
            f"{path}/plan",
            f"plan{suffix}",
            "The steps that a version resolves to.",
            route.get,
            answers,
            parameters=(_IF_MATCH,),
        )
        for path, suffix in PATHS
    ]


def body_schema(model: type[StepRequest]) -> dict[str, Any]:
    """The JSON Schema of a request body; every field but the required ones may be null."""
    schema = model.model_json_schema(by_alias=True)
    for field in schema["properties"].values():
        kind = field.get("type")
        if isinstance(kind, str):
            field["type"] = [kind, "null"]
        field.pop("title", None)
    schema.pop("title", None)
    return schema
