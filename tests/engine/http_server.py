"""A small HTTP server on a real socket that answers with exactly the bytes a test gives it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Request:
    """What arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Answer:
    """Writes an answer piece by piece."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(
        self,
        body: bytes | str = b"",
        status: str = "200 OK",
        headers: str = "",
        *,
        end: bool = True,
    ) -> None:
        """A whole answer; `end=False` leaves the body open for `more`."""
        data = body.encode() if isinstance(body, str) else body
        length = f"Content-Length: {len(data)}\r\n" if end else ""
        head = f"HTTP/1.1 {status}\r\nConnection: close\r\n{length}{headers}\r\n"
        await self.more(head.encode() + data)

    async def more(self, data: bytes | str) -> None:
        self._writer.write(data.encode() if isinstance(data, str) else data)
        await self._writer.drain()

    async def gone(self) -> None:
        """Wait until the client has closed the connection."""
        while True:
            await asyncio.sleep(0.005)
            await self.more(b": ping\n\n")

    async def silence(self) -> None:
        """Say nothing until the client has closed the connection."""
        await self._reader.read()

    def reset(self) -> None:
        """Break the connection off."""
        transport = self._writer.transport
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


Handler = Callable[[Request, Answer], Awaitable[None]]


@dataclass
class Server:
    """A running server."""

    port: int
    requests: list[Request] = field(default_factory=list)
    broken: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client went away while its answer was being written."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def http_server(handler: Handler) -> AsyncIterator[Server]:
    """Serve one connection per request with `handler`."""
    state = Server(0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _request(reader)
            state.requests.append(request)
            await handler(request, Answer(reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError):
            state.broken.set()
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    state.port = server.sockets[0].getsockname()[1]
    try:
        yield state
    finally:
        server.close()
        await server.wait_closed()


async def _request(reader: asyncio.StreamReader) -> Request:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, path, _ = lines[0].split(" ")
    pairs = (line.split(": ", 1) for line in lines[1:] if line)
    headers = {name.lower(): value for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, body)
