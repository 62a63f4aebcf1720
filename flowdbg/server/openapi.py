"""The OpenAPI document, made from the very operations that are mounted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import flowdbg
from flowdbg.dialects.operations import Answer, Operation

_PARAMETER = re.compile(r"{(\w+)}")
_PATH_SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "version": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
}
_SEGMENT = {"type": "string", "minLength": 1, "pattern": "^[^/]+$"}
ERROR_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["detail"],
    "properties": {
        "detail": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
        }
    },
}
_EVERYWHERE = {
    403: Answer("The request comes from a foreign web page or names a foreign host."),
    503: Answer("The server's database does not work."),
}
_WITH_KEYS = {
    401: Answer("The key is missing or wrong."),
    429: Answer("Too many requests.", headers={"Retry-After": "Seconds to wait."}),
}


def document(mounts: Iterable[tuple[str, Sequence[Operation]]], *, keys: bool) -> dict[str, Any]:
    """The document for operations below their prefixes; `keys`: whether a key is asked for."""
    paths: dict[str, dict[str, Any]] = {}
    for prefix, operations in mounts:
        for operation in operations:
            item = paths.setdefault(prefix + operation.path, {})
            item[operation.method.lower()] = _operation(operation, keys=keys)
    components: dict[str, Any] = {"schemas": {"Error": ERROR_SCHEMA}}
    if keys:
        components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "flowdbg flow server", "version": flowdbg.__version__},
        "paths": paths,
        "components": components,
    }


def _operation(operation: Operation, *, keys: bool) -> dict[str, Any]:
    answers = {**operation.answers, **_EVERYWHERE}
    if not operation.open:
        answers |= _WITH_KEYS
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": [
            *(
                {
                    "name": name,
                    "in": "path",
                    "required": True,
                    "schema": _PATH_SCHEMAS.get(name, _SEGMENT),
                }
                for name in _PARAMETER.findall(operation.path)
            ),
            *(
                {
                    "name": parameter.name,
                    "in": parameter.where,
                    "required": parameter.required,
                    "description": parameter.description,
                    "schema": parameter.schema,
                }
                for parameter in operation.parameters
            ),
        ],
        "responses": {
            str(status): _answer(status, answer) for status, answer in sorted(answers.items())
        },
    }
    if operation.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": operation.body}},
        }
    if keys and not operation.open:
        described["security"] = [{"key": []}]
    return described


def _answer(status: int, answer: Answer) -> dict[str, Any]:
    schema = answer.schema
    if schema is None and status >= 400:
        schema = {"$ref": "#/components/schemas/Error"}
    described: dict[str, Any] = {
        "description": answer.description,
        "headers": {
            "X-Request-ID": {"schema": {"type": "string"}, "description": "Names this answer."},
            **{
                name: {"schema": {"type": "string"}, "description": text}
                for name, text in answer.headers.items()
            },
        },
    }
    if schema is not None:
        described["content"] = {answer.content_type: {"schema": schema}}
    return described
