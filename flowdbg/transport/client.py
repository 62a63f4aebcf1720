"""The HTTP client of one server: JSON answers and event streams, each request sent once.

httpx is loaded with the first request: that takes longer than to draw the first screen.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self, cast

from flowdbg import __version__
from flowdbg.errors import Refused, RequestTimedOut
from flowdbg.transport.answers import (
    EVENT_STREAM,
    NO_CONTENT,
    Answer,
    ErrorAnswer,
    explain_plainly,
    json_answer,
    when_lost,
)
from flowdbg.transport.decompression import ACCEPTED
from flowdbg.transport.event_stream import MAX_EVENT_BYTES
from flowdbg.transport.route import route_to
from flowdbg.transport.stream import EventStream
from flowdbg.transport.timeouts import Timeouts

if TYPE_CHECKING:
    from flowdbg.transport.connection import Connection
    from flowdbg.transport.exchange import Exchange

Headers = Mapping[str, str]


class HttpClient:
    """One long-lived client of one server.

    Args:
        base_url: The server's address with the common beginning of all paths.
        headers: Called for each request at the moment of sending, so that secrets are read
            late and kept nowhere. Names and values go out as they are.
        timeouts: The limits; by default only connecting has one.
        explain: Turns an error answer into the error to raise, for a dialect's own codes.
        max_event_bytes: The size limit of one event and of one JSON answer, decompressed.

    Raises:
        UsageError: The address, or a proxy that the environment names, is not usable.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Callable[[], Headers] = dict,
        timeouts: Timeouts = Timeouts(),  # noqa: B008 - it is immutable
        explain: Callable[[ErrorAnswer], Refused] | None = None,
        max_event_bytes: int = MAX_EVENT_BYTES,
    ) -> None:
        self._route = route_to(base_url)
        self._headers = headers
        self._timeouts = timeouts
        self._explain = explain or explain_plainly
        self._max_event_bytes = max_event_bytes
        self._connection: Connection | None = None

    def __repr__(self) -> str:
        return f"HttpClient({self._route.base})"

    @property
    def base_url(self) -> str:
        """The server's address; it never holds credentials."""
        return self._route.base

    @property
    def proxy(self) -> str:
        """The proxy in use as scheme, host and port; empty when there is none."""
        return self._route.proxy_origin

    async def get_json(
        self, path: str, headers: Headers | None = None, *, timeout: float | None = 30.0
    ) -> Answer:
        """Get a JSON value.

        `timeout` limits the whole exchange, in seconds: what only asks has no reason to be slow.

        Raises:
            Refused: The answer has an error status or is a redirect.
            ProtocolViolation: The answer is empty or not JSON.
            TargetError: No complete answer came.
        """
        return await self._json(self._exchange("GET", path, headers, None), timeout)

    async def send_json(
        self,
        method: str,
        path: str,
        body: bytes,
        headers: Headers | None = None,
        *,
        timeout: float | None = None,
    ) -> Answer:
        """Send a JSON body and read a JSON answer; one without content has the value None.

        Raises:
            TargetError: As `get_json`. After any of them but `Refused` and `ConnectionFailed`
                it is not known what the server did.
        """
        exchange = self._exchange(method, path, headers, body)
        return await self._json(exchange, timeout, may_be_empty=True)

    def post_events(self, path: str, body: bytes, headers: Headers | None = None) -> EventStream:
        """A POST whose answer is an event stream; it is sent when the stream is entered."""
        return self._stream(self._exchange("POST", path, headers, body, EVENT_STREAM))

    def get_events(self, path: str, headers: Headers | None = None) -> EventStream:
        """A GET whose answer is an event stream; it is sent when the stream is entered."""
        return self._stream(self._exchange("GET", path, headers, None, EVENT_STREAM))

    async def aclose(self) -> None:
        """Close every connection; a later request opens new ones."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def _stream(self, exchange: Exchange) -> EventStream:
        return EventStream(exchange, self._max_event_bytes, self._timeouts.progress)

    async def _json(
        self, exchange: Exchange, timeout: float | None, *, may_be_empty: bool = False
    ) -> Answer:
        try:
            async with asyncio.timeout(timeout):
                try:
                    await exchange.open()
                    text = await exchange.text(self._max_event_bytes)
                finally:
                    await exchange.aclose()
        except TimeoutError as error:
            raise RequestTimedOut(
                f"{exchange.origin} gave no answer within {timeout or 0:g} seconds.",
                "Check the server and the network.",
            ) from error
        status, headers = exchange.response.status, exchange.response.headers()
        if may_be_empty and status in NO_CONTENT:
            return Answer(status, None, headers, "")
        return json_answer(status, headers, text)

    def _exchange(
        self,
        method: str,
        path: str,
        headers: Headers | None,
        body: bytes | None,
        accept: str = "application/json",
    ) -> Exchange:
        _load_httpx()
        from flowdbg.transport.connection import Connection  # noqa: PLC0415 - needs httpx
        from flowdbg.transport.exchange import Exchange, Request  # noqa: PLC0415 - needs httpx

        def at_sending() -> Headers:
            ours = {
                "user-agent": f"flowdbg/{__version__}",
                "accept": accept,
                "accept-encoding": ACCEPTED,
            }
            if body is not None:
                ours["content-type"] = "application/json"
            for given in (self._headers(), headers or {}):
                ours.update((name.lower(), value) for name, value in given.items())
            return ours

        if self._connection is None:
            self._connection = Connection(self._route)
        request = Request(method, path, at_sending, body, when_lost(method, accept))
        return Exchange(self._connection, self._route, request, self._timeouts, self._explain)


def _load_httpx() -> None:
    """Load httpx without its command line.

    That one would bring rich and click along: two thirds of the time it takes to load.
    """
    if "httpx" in sys.modules:
        return
    modules = cast(dict[str, object], sys.modules)
    modules["httpx._main"] = None
    try:
        importlib.import_module("httpx")
    finally:
        del modules["httpx._main"]
