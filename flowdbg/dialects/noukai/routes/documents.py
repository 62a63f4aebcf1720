"""The operations that run flows, with what the OpenAPI document says of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flowdbg.dialects.noukai.routes.execute import ExecuteRoute
from flowdbg.dialects.noukai.routes.jobs import JobRoutes
from flowdbg.dialects.noukai.routes.plan import PlanRoute
from flowdbg.dialects.noukai.routes.requests import (
    ExecuteRequest,
    RunRequest,
    StepRequest,
    WholeRunRequest,
)
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
_REFUSED = Answer("The request cannot be run; `detail.code` says why.")
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

_RUN_IDS: dict[str, Any] = {
    "executionId": {"type": "string"},
    "flowId": {"type": "string"},
    "blockCount": {"type": "integer"},
}
_EXECUTED: Schema = {
    "type": "object",
    "required": ["status", *_RUN_IDS],
    "properties": {
        **_RUN_IDS,
        "status": {"enum": ["completed", "failed", "tool_calls_required"]},
        "pausedAtStep": {"type": "string"},
        "iterationsUsed": {"type": "integer"},
        "toolCallMessages": {"type": "array", "items": {"type": "object"}},
        "toolCalls": {"type": "array", "items": {"type": "object"}},
        "accumulatedOutputs": {"type": "object"},
    },
}
_ACCEPTED: Schema = {
    "type": "object",
    "required": ["status", *_RUN_IDS],
    "properties": {**_RUN_IDS, "status": {"const": "started"}},
}
_JOB: Schema = {
    "type": "object",
    "required": ["executionId", "status", "result", "error"],
    "properties": {
        "executionId": {"type": "string"},
        "status": {"enum": ["pending", "running", "completed", "failed"]},
        "error": {"type": ["string", "null"]},
    },
}


def step_operations(services: Services) -> Sequence[Operation]:
    """`/step`, with and without a version."""
    route = StepRoute(services)
    answers = {
        200: Answer("The events of the step.", {"type": "string"}, "text/event-stream"),
        400: _REFUSED,
        404: _NOT_FOUND,
        409: Answer("The step has asked for tools too often."),
        412: _STALE,
        413: Answer("The body, or a conversation in it, is too large."),
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


def execute_operations(services: Services) -> Sequence[Operation]:
    """`/execute`, with and without a version."""
    route = ExecuteRoute(services)
    answers = {
        200: Answer("The run completed, failed, or waits for tool results.", _EXECUTED),
        400: _REFUSED,
        402: Answer("The model's account has no credit."),
        404: _NOT_FOUND,
        409: Answer("The step has asked for tools too often."),
        412: _STALE,
        413: Answer("The body, or a conversation in it, is too large."),
        422: _BROKEN,
        502: Answer("The model's provider refused the key."),
        503: Answer("The server was stopped meanwhile, or its database does not work."),
    }
    return [
        Operation(
            "POST",
            f"{path}/execute",
            f"execute{suffix}",
            "Run the whole flow and answer once; or go on after tool calls.",
            route.post,
            answers,
            body=body_schema(ExecuteRequest),
            parameters=(_IF_MATCH, _SESSION),
        )
        for path, suffix in PATHS
    ]


def job_operations(services: Services) -> Sequence[Operation]:
    """`/jobs`: submit with and without a version, poll without."""
    routes = JobRoutes(services)
    answers = {
        202: Answer("The run is queued.", _ACCEPTED),
        400: _REFUSED,
        404: _NOT_FOUND,
        412: _STALE,
        413: Answer("The body is too large."),
        422: _BROKEN,
    }
    submitting = [
        Operation(
            "POST",
            f"{path}/jobs",
            f"submitJob{suffix}",
            "Queue a run of the whole flow.",
            routes.submit,
            answers,
            body=body_schema(WholeRunRequest),
            parameters=(_IF_MATCH, _SESSION),
        )
        for path, suffix in PATHS
    ]
    polling = Operation(
        "GET",
        f"{FLOW_PATH}/jobs/{{executionId}}",
        "pollJob",
        "How a queued run stands.",
        routes.poll,
        {200: Answer("The run.", _JOB), 404: Answer("This flow has no such job.")},
    )
    return [*submitting, polling]


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


def body_schema(model: type[RunRequest]) -> dict[str, Any]:
    """The JSON Schema of a request body; every field but the required ones may be null."""
    schema = model.model_json_schema(by_alias=True)
    for field in schema["properties"].values():
        kind = field.get("type")
        if isinstance(kind, str):
            field["type"] = [kind, "null"]
        field.pop("title", None)
    schema.pop("title", None)
    return schema
