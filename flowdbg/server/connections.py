"""Connections that are held to bounds: no client holds a run, or memory, as long as it likes.

Three kinds of clients are let go: one that stops reading what it asked for, one that never comes
to the end of its request, and one whose request is mostly head, trailer or framing.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

logger = logging.getLogger("flowdbg.server")

MAX_HEAD = 64 * 1024
"""Bytes of a request that are not its body."""
_FRAMING = 8
"""Bytes of framing that each byte of a body may bring: chunks may be small, but not empty."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a connection is waited for, in seconds."""

    writing: float
    """For a client that reads nothing although there is something to read."""
    request: float
    """For a request to be there whole, from its first byte or from the connection's beginning."""


class BoundedConnection(HttpToolsProtocol):
    """One connection; `bounded` makes the class for a server."""

    patience: Patience

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Take what uvicorn gives."""
        super().__init__(*arguments, **options)
        self._overhead = 0
        self._unread = 0
        self._writing: asyncio.TimerHandle | None = None
        self._request: asyncio.TimerHandle | None = None

    @property
    def _answering(self) -> bool:
        """Whether the client waits for an answer, and not the server for a request."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn
        """A client connects; its first request is waited for."""
        super().connection_made(transport)
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone; what was streamed to it ends."""
        self._request_is_whole()
        self._stop_watching()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in a part of a request."""
        if not self._answering:
            self._await_request()
        self._overhead += len(data)
        super().data_received(data)
        if self._overhead > MAX_HEAD and not self.transport.is_closing():
            self.send_400_response("The request is too large beside its body.")

    def on_message_begin(self) -> None:
        """A request begins."""
        self._await_request()
        super().on_message_begin()

    def on_body(self, body: bytes) -> None:
        """A part of a request's body, which the application bounds."""
        self._overhead = max(0, self._overhead - (1 + _FRAMING) * len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is there whole."""
        self._request_is_whole()
        super().on_message_complete()

    def pause_writing(self) -> None:
        """More waits for the client than it should: from now on it has to read."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._stop_watching()
        super().resume_writing()

    def _watch(self) -> None:
        self._unread = self.transport.get_write_buffer_size()
        self._writing = self.loop.call_later(self.patience.writing, self._look)

    def _look(self) -> None:
        """Whether the client has read something since the last look; a slow one is no dead one."""
        if self.transport.get_write_buffer_size() < self._unread:
            self._watch()
        else:
            self._let_go("stopped reading")

    def _stop_watching(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None

    def _await_request(self) -> None:
        if self._request is None:
            self._request = self.loop.call_later(
                self.patience.request, self._let_go, "sent no whole request"
            )

    def _request_is_whole(self) -> None:
        self._overhead = 0
        if self._request is not None:
            self._request.cancel()
            self._request = None

    def _let_go(self, why: str) -> None:
        # Not closed but broken off: closing would wait for the client to read what it never will.
        logger.info("connection broken off", extra={"reason": f"the client {why}"})
        self.transport.abort()


def bounded(patience: Patience) -> type[BoundedConnection]:
    """The class of a server's connections."""

    class Connection(BoundedConnection):
        pass

    Connection.patience = patience
    return Connection
