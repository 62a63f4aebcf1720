"""What stands around every route: request ids, who may call from where, errors, the log.

A plain ASGI middleware, because a stream must pass through it untouched. A browser page of another
site can reach a server on loopback; it is kept out by the Host header (DNS rebinding) and the
Origin header, and no CORS header is ever sent.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flowdbg.dialects.operations import (
    FORBIDDEN,
    INTERNAL_ERROR,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    UNAVAILABLE,
    Refusal,
    json_answer,
)
from flowdbg.dialects.services import FlowUnknown
from flowdbg.errors import StoreError
from flowdbg.server.metrics import Metrics

logger = logging.getLogger("flowdbg.server")

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
REQUEST_ID = "X-Request-ID"
FLOW_NOT_FOUND = "FLOW_NOT_FOUND"
_CLIENT_LEFT = 499
"""What servers log of a request that was never whole; it is not sent."""


class Guard:
    """Wraps the application; see the module."""

    def __init__(self, app: ASGIApp, metrics: Metrics, hosts: Collection[str] | None) -> None:
        """Wrap.

        Args:
            app: What answers.
            metrics: Where answers are counted.
            hosts: Host names that requests may address; None allows every name.
        """
        self._app = app
        self._metrics = metrics
        self._hosts = None if hosts is None else _LOOPBACK_NAMES | set(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = str(uuid.uuid4())
        began = time.monotonic()
        status = 0
        header = (REQUEST_ID.lower().encode(), request_id.encode())

        async def named_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], header]
            await send(message)

        try:
            try:
                self._check_origin(scope)
                scope["app"] = self  # makes the router raise what it would answer in plain text
                await self._app(scope, receive, named_send)
            except ClientDisconnect:
                status = _CLIENT_LEFT  # before its request was read: nobody is to be answered
            except Exception as error:  # the outermost place: every fault is answered
                refusal = _refusal(error, request_id)
                if status:  # the answer has begun: all that is left is to break it off
                    raise
                answer = json_answer({"detail": refusal.detail}, refusal.status, refusal.headers)
                await answer(scope, receive, named_send)
        finally:
            self._metrics.answered(status)
            logger.info(
                "request",
                extra={
                    "method": scope["method"],
                    "path": scope["path"],
                    "status": status,
                    "ms": round((time.monotonic() - began) * 1000, 1),
                    "request_id": request_id,
                },
            )

    def _check_origin(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host = _host_name(headers.get("host", ""))
        if self._hosts is not None and host not in self._hosts:
            raise Refusal(
                403,
                FORBIDDEN,
                "This server does not answer to that host name."
                " Call it by the address it listens on.",
            )
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != headers.get("host"):
            raise Refusal(403, FORBIDDEN, "Web pages of other origins may not call this server.")


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _refusal(error: Exception, request_id: str) -> Refusal:
    """What to answer when a route did not."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, HTTPException):
        code = {404: NOT_FOUND, 405: METHOD_NOT_ALLOWED}.get(error.status_code, INTERNAL_ERROR)
        what = {404: "There is no such route.", 405: "The route does not know this method."}
        message = what.get(error.status_code, str(error.detail))
        return Refusal(error.status_code, code, message, headers=error.headers)
    if isinstance(error, FlowUnknown):
        return Refusal(404, FLOW_NOT_FOUND, str(error))
    if isinstance(error, StoreError):
        told = {"reason": str(error), "request_id": request_id}
        logger.error("a request failed at the database", extra=told)
        return Refusal(503, UNAVAILABLE, str(error))
    logger.error("a request failed", exc_info=error, extra={"request_id": request_id})
    message = f"The server met a fault of its own. Its log tells more under {request_id}."
    return Refusal(500, INTERNAL_ERROR, message)
