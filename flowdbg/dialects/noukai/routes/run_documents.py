"""The operations that tell of runs, with what the OpenAPI document says of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flowdbg.dialects.noukai.routes.runs import RunRoutes
from flowdbg.dialects.noukai.routes.traces import FILTERS
from flowdbg.dialects.operations import Answer, Operation, Parameter, Schema
from flowdbg.dialects.services import Services

_FAMILIES = (
    ("/seq/{org}/{project}/{flow}/runs/{executionId}", "OfFlow"),
    ("/flow-runs/{executionId}", ""),
)
"""The addresses of one run: below its flow (the SDKs), and by its id alone (the docs)."""

_TEXT: Schema = {"type": ["string", "null"]}
_NUMBER: Schema = {"type": ["integer", "null"]}
_OBJECT: Schema = {"type": ["object", "null"]}
_COUNT: Schema = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}
_RUN: Schema = {
    "type": "object",
    "required": ["id", "flowId", "status", "triggerType"],
    "properties": {
        "id": {"type": "string"},
        "flowId": {"type": "string"},
        "status": {"enum": ["pending", "running", "completed", "failed", "cancelled"]},
        "triggerType": {"enum": ["step", "execute", "job"]},
        "startedAt": {"type": "string"},
        "completedAt": _TEXT,
        "durationMs": _NUMBER,
        "stepCount": {"type": "integer"},
    },
}
_STEP: Schema = {
    "type": "object",
    "required": ["stepId", "attempt", "status"],
    "properties": {
        "stepId": {"type": "string"},
        "attempt": {"type": "integer", "minimum": 1},
        "loopIndex": _NUMBER,
        "status": {"enum": ["running", "completed", "failed", "skipped"]},
        "startedAt": _TEXT,
        "completedAt": _TEXT,
        "durationMs": _NUMBER,
        "modelUsed": _TEXT,
        "costUsd": _TEXT,
        "inputContext": _OBJECT,
        "outputContext": _OBJECT,
        "errorContext": _OBJECT,
        "truncated": {"type": "boolean"},
    },
}
_TRACE: Schema = {
    "type": "object",
    "required": ["flowRun", "steps"],
    "properties": {"flowRun": _RUN, "steps": {"type": "array", "items": _STEP}},
}
_SESSION: Schema = {
    "type": "object",
    "required": ["sessionId", "executions"],
    "properties": {
        "sessionId": {"type": "string"},
        "executions": {"type": "array", "items": {"type": "object"}},
    },
}
_NO_RUN = Answer("There is no such run.")
_WRONG = Answer("A parameter is wrong.")


def run_operations(services: Services) -> Sequence[Operation]:
    """Runs and traces in both families, the list of runs, and recorded sessions."""
    routes = RunRoutes(services)
    return [
        *(
            operation
            for path, suffix in _FAMILIES
            for operation in _of_one_run(routes, path, suffix)
        ),
        Operation(
            "GET",
            "/flow-runs",
            "listRuns",
            "The runs of a flow, newest first.",
            routes.listing,
            {
                200: Answer("The runs.", _list_of(_RUN, "runs")),
                400: _WRONG,
                404: Answer("No such flow."),
            },
            parameters=(
                Parameter(
                    "flow_id",
                    "query",
                    "The flow's id, or org/project/flow.",
                    {"type": "string", "minLength": 1},
                    required=True,
                ),
                _query("limit", "How many at most.", {"type": "integer", "minimum": 1}),
                _query("status", "Only these.", {"enum": list(FILTERS)}),
                _query("cursor", "Ignored.", {"type": "string"}),
            ),
        ),
        Operation(
            "GET",
            "/seq/sessions/{sessionId}",
            "session",
            "What was run under a session's tag, for a replay.",
            routes.session,
            {
                200: Answer("The recorded runs.", _SESSION),
                400: Answer("The id is no UUID."),
                404: Answer("No run carries the tag."),
            },
        ),
    ]


def _of_one_run(routes: RunRoutes, path: str, suffix: str) -> Sequence[Operation]:
    stream = Answer("The events of the run.", {"type": "string"}, "text/event-stream")
    attempts = {
        "type": "object",
        "properties": {**_STEP["properties"], "attempts": {"type": "array", "items": _STEP}},
    }
    return [
        Operation(
            "GET",
            path,
            f"run{suffix}",
            "The summary of a run.",
            routes.summary,
            {200: Answer("The run.", _RUN), 404: _NO_RUN},
        ),
        Operation(
            "GET",
            f"{path}/trace",
            f"trace{suffix}",
            "A run and its steps.",
            routes.trace,
            {200: Answer("The trace.", _TRACE), 404: _NO_RUN},
        ),
        Operation(
            "GET",
            f"{path}/steps/{{stepId}}/trace",
            f"stepTrace{suffix}",
            "One step of a run: the latest attempt, one of them, or all.",
            routes.step_trace,
            {200: Answer("The step.", attempts), 400: _WRONG, 404: Answer("No such record.")},
            parameters=(
                _query("attempt", "A number, or all.", {"type": "string"}),
                _query("loop_index", "The iteration.", _COUNT),
            ),
        ),
        Operation(
            "GET",
            f"{path}/trace/stream",
            f"traceStream{suffix}",
            "The run's steps so far, then what happens while it happens.",
            routes.stream,
            {200: stream, 404: _NO_RUN},
        ),
    ]


def _query(name: str, description: str, schema: Schema) -> Parameter:
    return Parameter(name, "query", description, schema)


def _list_of(items: Schema, name: str) -> dict[str, Any]:
    return {"type": "object", "properties": {name: {"type": "array", "items": items}}}
