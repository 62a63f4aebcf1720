"""Routes as data: what serves a request and what the OpenAPI document says of it are one thing.

Also the two ways in which every route answers: a JSON value, or a refusal in the one error
envelope `{"detail": {"code", "message", …}}` (noukai section 11.1).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from flowdbg.dialects.encoding import json_bytes

Handler = Callable[[Request], Awaitable[ASGIApp]]
Schema = Mapping[str, Any]

INVALID_JSON: Final = "INVALID_JSON"
"""400: the body is not a JSON object."""
INVALID_REQUEST: Final = "INVALID_REQUEST"
"""400: a field of the body, a parameter or a header has a wrong value."""
BODY_TOO_LARGE: Final = "BODY_TOO_LARGE"
"""413: the body passes one of the server's limits."""
UNAUTHENTICATED: Final = "UNAUTHENTICATED"
"""401: the key is missing or wrong."""
FORBIDDEN: Final = "FORBIDDEN"
"""403: not allowed for this key, or the request comes from a foreign web page."""
NOT_FOUND: Final = "NOT_FOUND"
"""404: there is no such route."""
METHOD_NOT_ALLOWED: Final = "METHOD_NOT_ALLOWED"
"""405: the route knows other methods."""
RATE_LIMIT: Final = "RATE_LIMIT"
"""429: too many requests; `Retry-After` says when to try again."""
INTERNAL_ERROR: Final = "INTERNAL_ERROR"
"""500: a fault of the server; its log tells more under the request's id."""
SERVER_STOPPING: Final = "SERVER_STOPPING"
"""503, or the last event of a stream: the server was stopped meanwhile."""
UNAVAILABLE: Final = "UNAVAILABLE"
"""503: the server's database does not work."""


class Refusal(Exception):
    """The request is answered with an error; the middleware writes it."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        **detail: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = dict(headers or {})
        self.detail = {"code": code, "message": message, **detail}


@dataclass(frozen=True, slots=True)
class Answer:
    """One status an operation can answer with."""

    description: str
    schema: Schema | None = None
    """JSON Schema of the body; None: the error envelope when the status is 4xx, else no body."""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    """Header name to description."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query or header parameter."""

    name: str
    where: Literal["query", "header"]
    description: str
    schema: Schema
    required: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path."""

    method: str
    path: str
    """Below the dialect's prefix, with parameters in braces and without their converters."""
    name: str
    """The operation's id in the OpenAPI document."""
    summary: str
    handler: Handler
    answers: Mapping[int, Answer]
    body: Schema | None = None
    """JSON Schema of the request body."""
    parameters: Sequence[Parameter] = ()
    open: bool = False
    """Whether it is answered without a key, also where the server asks for one."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request."""

    project: str | None = None
    """`org/project` of a key that is bound to one; None: every project."""
    administrator: bool = True
    """Whether it may manage keys."""

    def sees(self, org: str, project: str) -> bool:
        """Whether it may see the flows and runs of a project."""
        return self.project is None or self.project == f"{org}/{project}"

    def need(self, org: str, project: str) -> None:
        """Refuse what belongs to another project.

        Raises:
            Refusal: 403.
        """
        if not self.sees(org, project):
            raise Refusal(
                403,
                FORBIDDEN,
                f"This key belongs to the project {self.project}, not to {org}/{project}.",
            )


def caller_of(request: Request) -> Caller:
    """Who makes a request; set when its key was checked."""
    caller: Caller = request.scope["flowdbg.caller"]
    return caller


def json_answer(
    value: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer; keys keep their order, and any text a model wrote can be sent."""
    return Response(json_bytes(value), status, headers=headers, media_type="application/json")
