"""The events of one answer as they come in, within the limit on its progress."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from flowdbg.errors import RequestTimedOut
from flowdbg.transport.answers import EVENT_STREAM, NO_CONTENT, media_type, not_a_stream
from flowdbg.transport.event_stream import EventStreamReader, ServerSentEvent

if TYPE_CHECKING:
    from flowdbg.transport.exchange import Exchange

_Result = TypeVar("_Result")


class EventStream:
    """One request whose answer is an event stream; nothing is sent before `async with`.

    A stream that simply ends is no error here: whether the run ended with it is told by its
    last event. What came behind that event is `tail`. Leaving the `async with` block early
    closes the connection, which tells the server that nobody listens.
    """

    def __init__(self, exchange: Exchange, max_event_bytes: int, progress: float | None) -> None:
        self._exchange = exchange
        self._progress = progress
        self._waiting_since = 0.0
        self._reader = EventStreamReader(max_event_bytes)

    @property
    def sent(self) -> bool:
        """Whether the request may have reached the server; then its outcome may be unknown."""
        return self._exchange.sent

    @property
    def tail(self) -> bytes:
        """What came after the last whole event, for diagnostics."""
        return self._reader.tail

    async def __aenter__(self) -> Self:
        """Send the request and check status and content type.

        Raises:
            Refused: The answer has an error status or is a redirect.
            ProtocolViolation: The answer is no event stream.
            TargetError: No answer came (see `sent`).
        """
        self._waiting_since = time.monotonic()
        await self._within_progress(self._open())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._exchange.aclose()

    async def batches(self) -> AsyncIterator[list[ServerSentEvent]]:
        """The events, in the groups in which they arrived; never an empty group.

        Raises:
            Interrupted: The connection broke before the answer was complete.
            RequestTimedOut: The idle or the progress limit passed.
            EventTooLarge: One event passed the size limit.
            ProtocolViolation: The compression is damaged or was not offered.
        """
        pieces = self._exchange.pieces()
        while (piece := await self._within_progress(anext(pieces, None))) is not None:
            if events := self._reader.feed(piece):
                yield events
                self._waiting_since = time.monotonic()  # a slow observer is no slow server
                self._reader.feed(b"")  # an event too large may wait behind these
        self._reader.close()

    async def __aiter__(self) -> AsyncIterator[ServerSentEvent]:
        """The events one by one; errors as `batches`."""
        async for events in self.batches():
            for event in events:
                yield event

    async def _open(self) -> None:
        exchange = self._exchange
        await exchange.open()
        status = exchange.response.status
        content_type = exchange.response.header("content-type")
        if status not in NO_CONTENT and media_type(content_type) == EVENT_STREAM:
            return
        try:
            text = "" if status in NO_CONTENT else (await exchange.beginning())[0]
        finally:
            await exchange.aclose()
        raise not_a_stream(status, content_type, text)

    async def _within_progress(self, step: Awaitable[_Result]) -> _Result:
        if self._progress is None:
            return await step
        left = self._waiting_since + self._progress - time.monotonic()
        try:
            async with asyncio.timeout(left):
                return await step
        except TimeoutError as error:
            raise RequestTimedOut(
                f"{self._exchange.origin} sent no event for {self._progress:g} seconds.",
                self._exchange.lost,
            ) from error
