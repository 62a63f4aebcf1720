"""What the server's benchmarks share: our server, a bare Starlette one, and a raw client.

Both servers run in processes of their own, with the same uvicorn settings; the client is a
blocking socket, so that what is measured is the server.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BARE = """
import asyncio, socket, sys
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

EVENT = b'event: step_output\\ndata: {"eventType":"step_output","stepId":"s","outputData":"' \
    + b"x" * 30 + b'"}\\n\\n'

async def stream(request: Request) -> StreamingResponse:
    count = (await request.json())["count"]
    async def events():
        for number in range(count):
            yield EVENT
            if number % 64 == 63:
                await asyncio.sleep(0)
    return StreamingResponse(events(), media_type="text/event-stream")

bound = socket.socket(proto=socket.IPPROTO_TCP)
bound.bind(("127.0.0.1", 0))
bound.listen(2048)
print(bound.getsockname()[1], flush=True)
app = Starlette(routes=[Route("/stream", stream, methods=["POST"])])
uvicorn.Server(uvicorn.Config(
    app, loop="asyncio", http="httptools", log_level="warning", access_log=False,
)).run(sockets=[bound])
"""


@dataclass
class Timing:
    """One streamed answer, in seconds from the request."""

    first: float
    whole: float
    events: int
    size: int


class RawClient:
    """One keep-alive connection that posts JSON and reads chunked answers."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self, path: str, body: bytes) -> Timing:
        """Post and read to the end; the first event is the first body bytes."""
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        began = time.perf_counter()
        self._socket.sendall(head.encode() + body)
        data = self._socket.recv(1 << 20)
        header_end = data.find(b"\r\n\r\n")
        while header_end < 0 or len(data) == header_end + 4:
            data += self._socket.recv(1 << 20)
            header_end = data.find(b"\r\n\r\n")
        first = time.perf_counter() - began
        assert data.startswith(b"HTTP/1.1 200"), data[:500]
        count = data.count(b"event: ")
        size = len(data)
        tail = data[-32:]
        while not tail.endswith(b"0\r\n\r\n"):
            data = self._socket.recv(1 << 20)
            # An event's name may be cut by the end of a read.
            count += (tail[-6:] + data).count(b"event: ")
            size += len(data)
            tail = (tail + data)[-32:]
        return Timing(first, time.perf_counter() - began, count, size)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


@contextlib.contextmanager
def bare_server() -> Iterator[int]:
    """A Starlette application with one streaming endpoint; its port."""
    process = subprocess.Popen([sys.executable, "-c", BARE], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def our_server(*definitions: str) -> Iterator[int]:
    """`flowdbg serve` with some flows and a fresh database; its port."""
    with tempfile.TemporaryDirectory() as folder:
        for number, definition in enumerate(definitions):
            (Path(folder) / f"{number}.flow.yaml").write_text(definition)
        arguments = ["serve", folder, "--port", "0", "--db", f"{folder}/server.db", "--child"]
        process = subprocess.Popen(
            [sys.executable, "-m", "flowdbg", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdin
        assert process.stdout
        try:
            url = json.loads(process.stdout.readline())["url"]
            yield int(url.rsplit(":", 1)[1])
        finally:
            process.stdin.close()
            process.wait()


def percentile(values: list[float], share: float) -> float:
    """The value below which a share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
