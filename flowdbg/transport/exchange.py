"""One request and its answer: sent once, checked, decompressed, and told in our own errors."""

from __future__ import annotations

import asyncio
import urllib.parse
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

from flowdbg.core.json_text import JsonText
from flowdbg.core.redaction import Redactor, secret_values
from flowdbg.errors import EventTooLarge, Refused, TargetError
from flowdbg.transport.answers import ErrorAnswer, retry_after
from flowdbg.transport.connection import Connection, Response
from flowdbg.transport.decompression import decoder
from flowdbg.transport.excerpt import excerpt
from flowdbg.transport.failures import FOREIGN, failure, was_not_sent
from flowdbg.transport.route import Route
from flowdbg.transport.timeouts import Timeouts

_ERROR_BODY_BYTES = 1024 * 1024
_ERROR_BODY_SECONDS = 5.0
"""An error's body may never end, and its status has said the main thing already."""


@dataclass(frozen=True, slots=True)
class Request:
    """What goes out; the headers may hold credentials, so they stay out of the repr."""

    method: str
    path: str
    headers: Callable[[], Mapping[str, str]]
    body: bytes | None
    lost: str
    """What to say when it left and no whole answer came (`answers.when_lost`)."""

    def __repr__(self) -> str:
        return f"Request({self.method} {self.path.partition('?')[0]})"


class Exchange:
    """One request and its answer."""

    def __init__(
        self,
        connection: Connection,
        route: Route,
        request: Request,
        timeouts: Timeouts,
        explain: Callable[[ErrorAnswer], Refused],
    ) -> None:
        self.sent = False
        """Whether the request may have reached the server."""
        self._connection = connection
        self._route = route
        self._request = request
        self._timeouts = timeouts
        self._explain = explain
        self._response: Response | None = None
        self._redactor = Redactor()

    @property
    def response(self) -> Response:
        """The answer, once `open` has returned."""
        if self._response is None:
            raise RuntimeError("the request was not sent yet")
        return self._response

    @property
    def origin(self) -> str:
        """The server, as shown to people."""
        return self._route.origin

    @property
    def lost(self) -> str:
        """What is known when the request left and no whole answer came."""
        return self._request.lost

    async def open(self) -> None:
        """Send the request; return when a successful answer has begun.

        Raises:
            TargetError: No answer came, or it has an error status or is a redirect.
        """
        headers = self._request.headers()
        self._redactor = Redactor(secret_values(headers))
        limits = self._timeouts
        self.sent = True
        try:
            self._response = await self._connection.send(
                self._request.method,
                self._request.path,
                headers,
                self._request.body,
                {
                    "connect": limits.connect,
                    "read": limits.idle,
                    "write": limits.idle,
                    "pool": None,
                },
            )
        except FOREIGN as error:
            self.sent = not was_not_sent(error)
            raise self._failure(error) from error
        if self._response.status >= 300:
            try:
                raise await self._refusal(self._response)
            finally:
                await self.aclose()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The decoded body in pieces of at most 64 KiB or one read of the socket.

        Raises:
            Interrupted: The connection broke before the answer was complete.
            RequestTimedOut: No byte came within the idle limit.
            ProtocolViolation: The compression is damaged or was not offered.
        """
        decode = decoder(self.response.header("content-encoding"))
        try:
            async for raw in self.response.pieces:
                if decode is None:
                    yield raw
                else:
                    for piece in decode(raw):
                        yield piece
        except FOREIGN as error:
            raise self._failure(error) from error

    async def text(self, limit: int) -> str:
        """The whole body as UTF-8 text.

        Raises:
            EventTooLarge: The body has more than `limit` bytes.
            TargetError: As `pieces`.
        """
        body = bytearray()
        async for piece in self.pieces():
            body += piece
            if len(body) > limit:
                raise EventTooLarge(
                    f"The answer of {self.origin} is larger than {limit} bytes.",
                    "Raise limits.event_mib in the settings if the server really sends this much.",
                )
        return body.decode("utf-8-sig", "replace")

    async def beginning(self) -> tuple[str, bool]:
        """The first mebibyte of the body as text without secrets, and whether that is all.

        Never raises for what the server does: it serves to explain another trouble.
        """
        body = bytearray()
        try:
            async with asyncio.timeout(_ERROR_BODY_SECONDS):
                async for piece in self.pieces():
                    body += piece
                    if len(body) > _ERROR_BODY_BYTES:
                        return self._clean(body[:_ERROR_BODY_BYTES]), False
        except (TargetError, TimeoutError):
            return self._clean(body), False
        return self._clean(body), True

    async def aclose(self) -> None:
        """Give the connection back, or close it when the answer was not read to its end."""
        if self._response is not None:
            await self._response.aclose()

    def _clean(self, body: bytearray) -> str:
        return self._redactor.values(body.decode("utf-8-sig", "replace"))

    def _failure(self, error: Exception) -> TargetError:
        limits = self._timeouts
        return failure(error, self._route, self.lost, connect=limits.connect, idle=limits.idle)

    async def _refusal(self, response: Response) -> Refused:
        text, whole = await self.beginning()
        wait = response.header("retry-after")
        answer = ErrorAnswer(
            method=self._request.method,
            path=self._request.path.partition("?")[0],
            status=response.status,
            reason=excerpt(response.reason, 60),
            text=self._redactor.text(text),
            value=JsonText(text).value if whole else None,
            request_id=excerpt(self._redactor.text(response.header("x-request-id")), 100),
            retry_after=retry_after(wait) if wait else None,
        )
        if response.status < 400:
            return _redirect(answer, self._redactor.text(response.header("location")))
        return self._explain(answer)


def _redirect(answer: ErrorAnswer, location: str) -> Refused:
    """The error for a redirect, which is never followed: the target is shown without a query."""
    parts = urllib.parse.urlsplit(location.partition("?")[0].partition("#")[0])
    target = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return answer.refused(
        what=f"{answer.method} {answer.path} was redirected to {excerpt(target) or 'nowhere'} "
        f"(status {answer.status}); it was not followed.",
        next_step="If you trust that address, use it as the address of the server.",
        code="REDIRECT",
    )
