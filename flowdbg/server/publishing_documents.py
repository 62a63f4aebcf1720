"""The publishing operations, with what the OpenAPI document says of them."""

from __future__ import annotations

from collections.abc import Sequence

from flowdbg.dialects.operations import Answer, Handler, Operation, Schema
from flowdbg.dialects.records import CAPTURES
from flowdbg.server.publishing import Publishing

_FLOW = "/flows/{org}/{project}/{flow}"
_VERSION: Schema = {
    "type": "object",
    "required": ["version", "hash", "production", "createdAt"],
    "properties": {
        "version": {"type": "integer"},
        "hash": {"type": "string"},
        "production": {"type": "boolean"},
        "createdAt": {"type": "string"},
        "created": {"type": "boolean"},
    },
}
_NUMBER: Schema = {"type": ["integer", "null"]}
_FLOW_ITEM: Schema = {
    "type": "object",
    "required": ["flow", "production", "newest", "draft"],
    "properties": {
        "flow": {"type": "string"},
        "production": _NUMBER,
        "newest": _NUMBER,
        "draft": {
            "type": ["object", "null"],
            "required": ["file", "problems"],
            "properties": {"file": {"type": "string"}, "problems": {"type": "array"}},
        },
    },
}
_WRONG = Answer("The body has a wrong field.")
_TOO_LARGE = Answer("The body is too large.")
_NO_FLOW = Answer("No such flow, or no such version.")


def publishing_operations(publishing: Publishing) -> Sequence[Operation]:
    """Flows, versions, production and capture."""
    listing = {"type": "object", "properties": {"flows": _array(_FLOW_ITEM)}}
    versions = {
        "type": "object",
        "required": ["production", "versions"],
        "properties": {"production": _NUMBER, "versions": _array(_VERSION)},
    }
    return (
        Operation(
            "GET",
            "/flows",
            "listFlows",
            "Every flow the server serves.",
            publishing.flows,
            {200: Answer("The flows.", listing)},
        ),
        _publish(publishing),
        Operation(
            "GET",
            f"{_FLOW}/versions",
            "listVersions",
            "The versions of a flow, oldest first.",
            publishing.versions,
            {200: Answer("The versions.", versions), 404: _NO_FLOW},
        ),
        _put(
            "production",
            "promoteVersion",
            "Point production at a version.",
            publishing.promote,
            {"version": {"type": "integer"}},
        ),
        _put(
            "capture",
            "setCapture",
            "Say how much of inputs and outputs the flow's runs keep; null: what the server says.",
            publishing.set_capture,
            {"mode": {"enum": [*CAPTURES, None]}},
        ),
    )


def _publish(publishing: Publishing) -> Operation:
    return Operation(
        "POST",
        f"{_FLOW}/versions",
        "publishVersion",
        "Freeze a definition as the next version.",
        publishing.publish,
        {
            201: Answer("The version.", _VERSION),
            400: _WRONG,
            413: _TOO_LARGE,
            422: Answer("The definition is wrong; `detail.problems` lists why."),
        },
        body={
            "type": "object",
            "required": ["definition"],
            "properties": {
                "definition": {"type": "string"},
                "production": {"type": "boolean"},
                "reuse": {"type": "boolean"},
            },
        },
    )


def _put(what: str, name: str, summary: str, handler: Handler, fields: Schema) -> Operation:
    """An operation that sets one thing of a flow."""
    return Operation(
        "PUT",
        f"{_FLOW}/{what}",
        name,
        summary,
        handler,
        {
            200: Answer("It is set.", {"type": "object"}),
            400: _WRONG,
            404: _NO_FLOW,
            413: _TOO_LARGE,
        },
        body={"type": "object", "required": list(fields), "properties": fields},
    )


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}
