"""A server on loopback that writes exact bytes, and counts what it is asked.

    async with FaultServer(
        [STREAM_HEAD, chunk(sse("run_started", {"executionId": "e1"})), RESET],
        [*stream_of(sse("step_paused", {"stepIndex": 0}))],
        gets={"/plan": answer_json(404, {"detail": "no plan"})},
    ) as fault:
        ...  # talk to fault.url
    assert fault.posts == 2

Each script answers one request that is not a GET, in order; a request beyond the last script is
counted and answered with status 500. A GET takes the script whose key its path ends with (404
without one). When a script ends without closing, the connection waits for the next request.
"""

from __future__ import annotations

import asyncio
import enum
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self


class Control(enum.Enum):
    """What a script can do besides writing bytes."""

    CLOSE = "close the connection in order"
    RESET = "abort it, so that the client sees RST"
    HALF_CLOSE = "send FIN and go on reading"
    HANG = "do nothing until the client goes away or the server stops"


CLOSE, RESET, HALF_CLOSE, HANG = Control


@dataclass(frozen=True)
class Drip:
    """Bytes in small writes; `times` repeats them, None without end."""

    data: bytes
    size: int = 1
    every: float = 0.0
    times: int | None = 1


Action = bytes | Control | Drip | asyncio.Event
"""An event is waited for: the test lets the script go on by setting it."""

Script = Sequence[Action]


@dataclass
class Received:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class FaultServer:
    """See the module's docstring; `requests` lists everything received."""

    def __init__(
        self,
        *scripts: Script | Callable[[Received], Script],
        gets: Mapping[str, Script] | None = None,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.requests: list[Received] = []
        self.connections = 0
        self.asked = asyncio.Event()
        """Set when the first request is there."""
        self.client_gone = asyncio.Event()
        """Set when a client closed its connection during a script."""
        self.closed = asyncio.Event()
        """Set when the server has closed a connection."""
        self._scripts = list(scripts)
        self._gets = dict(gets or {})
        self._tls = tls
        self._host = host
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}"

    @property
    def posts(self) -> int:
        """How many POSTs came: one per command of the person."""
        return sum(request.method == "POST" for request in self.requests)

    def then(self, *scripts: Script | Callable[[Received], Script]) -> None:
        """Add scripts for further requests."""
        self._scripts.extend(scripts)

    def answer_gets(self, ending: str, script: Script) -> None:
        """Answer GETs of paths with this ending by another script from now on."""
        self._gets[ending] = script

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._serve, self._host, 0, ssl=self._tls, limit=1 << 26
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @contextmanager
    def in_thread(self) -> Iterator[Self]:
        """The server in a thread of its own, for tests that block; use no events in scripts."""
        started, stop = threading.Event(), asyncio.Event()
        loop = asyncio.new_event_loop()

        async def serve() -> None:
            async with self:
                started.set()
                await stop.wait()

        thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
        thread.start()
        assert started.wait(60)
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(60)
            loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                await self._talk(reader, writer)
        except asyncio.CancelledError:
            pass  # the server stops; streams would log a cancelled handler as an error
        finally:
            self._tasks.discard(task)
            writer.close()
            with suppress(ConnectionError, ssl.SSLError, TimeoutError):
                await writer.wait_closed()
            self.closed.set()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof():
            request = await _receive(reader)
            self.requests.append(request)
            self.asked.set()
            for action in self._script_for(request):
                if not await self._perform(action, reader, writer):
                    return

    def _script_for(self, request: Received) -> Script:
        if request.method == "GET":
            path = request.path.partition("?")[0]
            found = (script for key, script in self._gets.items() if path.endswith(key))
            return next(found, answer_json(404, {"detail": "nothing is scripted here"}))
        if not self._scripts:
            return answer_json(500, {"detail": "no further request was expected"})
        script = self._scripts.pop(0)
        return script(request) if callable(script) else script

    async def _perform(
        self, action: Action, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Do one action; False when the connection is over."""
        match action:
            case bytes():
                writer.write(action)
                await writer.drain()
            case Drip():
                await self._drip(action, writer)
            case asyncio.Event():
                return await self._unless_gone(action.wait(), reader)
            case Control.HANG:
                return await self._unless_gone(asyncio.Event().wait(), reader)
            case Control.HALF_CLOSE:
                writer.write_eof()
            case Control.CLOSE:
                return False
            case Control.RESET:
                _reset(writer)
                return False
        return True

    async def _drip(self, drip: Drip, writer: asyncio.StreamWriter) -> None:
        left = drip.times
        try:
            while left is None or left > 0:
                for at in range(0, len(drip.data), drip.size):
                    writer.write(drip.data[at : at + drip.size])
                    await writer.drain()
                    await asyncio.sleep(drip.every)
                left = None if left is None else left - 1
        except ConnectionError:
            self.client_gone.set()
            raise

    async def _unless_gone(self, waiting: Any, reader: asyncio.StreamReader) -> bool:
        """Wait, but only as long as the client is there."""
        wait = asyncio.ensure_future(waiting)
        gone = asyncio.ensure_future(reader.read(1))
        try:
            done, _ = await asyncio.wait({wait, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            wait.cancel()
            if not gone.done():
                gone.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await gone
        if wait in done:
            return True
        self.client_gone.set()
        return False


async def _receive(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, path, _ = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, path, headers, body)


def _reset(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def head(status: int = 200, content_type: str = "text/event-stream", **headers: str) -> bytes:
    """A status line and headers; underscores in names become hyphens."""
    lines = [f"HTTP/1.1 {status} Scripted"]
    if content_type:
        lines.append(f"content-type: {content_type}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


STREAM_HEAD = head(transfer_encoding="chunked")
"""The head of an event stream in chunks."""

LAST_CHUNK = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def sse(event: str, data: Any = None, *, event_id: str = "") -> bytes:
    """One event; `data` is serialised unless it is a string."""
    text = data if isinstance(data, str) else json.dumps({} if data is None else data)
    lines = [f"id: {event_id}"] if event_id else []
    lines += [f"event: {event}"] if event else []
    lines += [f"data: {line}" for line in text.split("\n")]
    return ("\n".join(lines) + "\n\n").encode()


def stream_of(*events: bytes) -> Script:
    """A whole, well-behaved event stream; one chunk an event."""
    return [STREAM_HEAD, *(chunk(event) for event in events), LAST_CHUNK]


def answer(status: int, content_type: str, body: bytes, **headers: str) -> Script:
    """A whole answer with a body of known length."""
    return [head(status, content_type, content_length=str(len(body)), **headers) + body]


def answer_json(status: int, value: Any, **headers: str) -> Script:
    """A whole answer with a JSON body."""
    return answer(status, "application/json", json.dumps(value).encode(), **headers)
