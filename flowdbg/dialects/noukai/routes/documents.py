"""The operations that run flows, with what the OpenAPI document says of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
from flowdbg.dialects.operations import Answer, Handler, Operation, Parameter, Schema
from flowdbg.dialects.services import Services

FLOW_PATH = "/seq/{org}/{project}/{flow}"

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
    "required": ["stepId", "name", "index", "kind", "effect", "config", "fields", "children"],
    "properties": {
        "stepId": {"type": "string"},
        "name": {"type": "string"},
        "index": {"type": "integer"},
        "kind": {"type": "string"},
        "effect": {"enum": ["none", "read", "write"]},
        "config": {"type": "object"},
        "fields": {"type": "array", "items": {"type": "string"}},
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


def flow_operations(services: Services) -> Sequence[Operation]:
    """`/step`, `/execute`, `/jobs` and `/plan`, with and without a version; `/jobs` of an id."""
    step, execute = StepRoute(services), ExecuteRoute(services)
    jobs, plan = JobRoutes(services), PlanRoute(services)
    running = {400: _REFUSED, 404: _NOT_FOUND, 412: _STALE, 422: _BROKEN}
    waiting = {409: Answer("The step has asked for tools too often.")}
    return [
        *_of_every_version(
            "POST",
            "step",
            "Run one step, or the rest of the flow.",
            step.post,
            {
                200: Answer("The events of the step.", {"type": "string"}, "text/event-stream"),
                **running,
                **waiting,
                413: Answer("The body, or a conversation in it, is too large."),
            },
            body_schema(StepRequest),
        ),
        *_of_every_version(
            "POST",
            "execute",
            "Run the whole flow and answer once; or go on after tool calls.",
            execute.post,
            {
                200: Answer("The run completed, failed, or waits for tool results.", _EXECUTED),
                **running,
                **waiting,
                402: Answer("The model's account has no credit."),
                413: Answer("The body, or a conversation in it, is too large."),
                502: Answer("The model's provider refused the key."),
                503: Answer("The server was stopped meanwhile, or its database does not work."),
            },
            body_schema(ExecuteRequest),
        ),
        *_of_every_version(
            "POST",
            "jobs",
            "Queue a run of the whole flow.",
            jobs.submit,
            {
                202: Answer("The run is queued.", _ACCEPTED),
                **running,
                413: Answer("The body is too large."),
            },
            body_schema(WholeRunRequest),
            name="submitJob",
        ),
        Operation(
            "GET",
            f"{FLOW_PATH}/jobs/{{executionId}}",
            "pollJob",
            "How a queued run stands.",
            jobs.poll,
            {200: Answer("The run.", _JOB), 404: Answer("This flow has no such job.")},
        ),
        *_of_every_version(
            "GET",
            "plan",
            "The steps that a version resolves to.",
            plan.get,
            {
                200: Answer("The plan.", _PLAN, headers={"ETag": "The plan's hash, in quotes."}),
                404: _NOT_FOUND,
                412: _STALE,
                422: _BROKEN,
            },
        ),
    ]


def _of_every_version(
    method: str,
    verb: str,
    summary: str,
    handler: Handler,
    answers: Mapping[int, Answer],
    body: Schema | None = None,
    *,
    name: str = "",
) -> Iterator[Operation]:
    """An operation at both of its addresses; `name` is its id where it is not the verb."""
    parameters = (_IF_MATCH, _SESSION) if body else (_IF_MATCH,)
    for path, suffix in ((FLOW_PATH, ""), (f"{FLOW_PATH}/v{{version}}", "OfVersion")):
        yield Operation(
            method,
            f"{path}/{verb}",
            (name or verb) + suffix,
            summary,
            handler,
            dict(sorted(answers.items())),
            body=body,
            parameters=parameters,
        )


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
