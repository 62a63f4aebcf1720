"""Clients that hold on: each is let go, and what it asked for ends with it."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from flowdbg.server.connections import MAX_HEAD, BoundedConnection, Patience, bounded
from tests.flows import THREE_STEP
from tests.serving import Running, running_server, write_flows

TALKATIVE = """\
flow: acme/demo/talkative
inputs:
  message: {type: string}
scripts:
  talker: {replies: [{chunks: ["xx"], repeat: 1000000}]}
steps:
  - {id: talk, kind: llm, model: scripted/talker, prompt: go}
"""
"""Its frames are more than any buffer between two sockets holds; its text is not too much."""

BRIEF = TALKATIVE.replace("talkative", "brief").replace("1000000", "50")


def eventually(true: Callable[[], bool], what: str) -> None:
    """Wait for a condition, for a while."""
    end = time.monotonic() + 40
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.01)


@contextmanager
def connected(server: Running, *, buffer: int | None = None) -> Iterator[socket.socket]:
    """A bare connection; `buffer` is how many bytes it takes in before anybody reads."""
    where = urlsplit(server.url)
    with closing(socket.socket()) as client:
        if buffer is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        client.settimeout(40)
        client.connect((where.hostname, where.port))
        yield client


def request(method: str, path: str, body: bytes = b"", *, length: int | None = None) -> bytes:
    """A request as bytes; `length` is what it says of its body."""
    size = len(body) if length is None else length
    head = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {size}\r\n\r\n"
    return head.encode() + body


def read_until(client: socket.socket, wanted: bytes) -> bytes:
    """What arrives, up to and with some words."""
    data = b""
    while wanted not in data:
        part = client.recv(65536)
        assert part, data
        data += part
    return data


def is_gone(client: socket.socket) -> bool:
    """Whether the server has let go, once everything that was sent is read."""
    try:
        while client.recv(65536):
            pass
    except ConnectionError:
        return True
    return True


def statuses(server: Running, flow: str) -> list[str]:
    answer = httpx.get(f"{server.base}/flow-runs?flow_id=acme/demo/{flow}")
    return [run["status"] for run in answer.json()["runs"]]


STEP = json.dumps({"stepIndex": 0, "message": "m"}).encode()


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with the bounds that servers have."""
    folder = write_flows(tmp_path_factory.mktemp("patient"), THREE_STEP, BRIEF)
    with running_server([folder], folder / "server.db") as running:
        yield running


def test_a_client_that_stops_reading_does_not_hold_its_run_open(tmp_path: Path) -> None:
    write_flows(tmp_path, TALKATIVE)
    with (
        running_server([tmp_path], tmp_path / "server.db", write_timeout=0.5) as server,
        connected(server, buffer=4096) as client,
    ):
        client.sendall(request("POST", "/api/v1/seq/acme/demo/talkative/step", STEP))
        read_until(client, b"run_started")
        # From here on the client stays and reads nothing.
        eventually(lambda: statuses(server, "talkative") == ["cancelled"], "it still runs")
        eventually(lambda: server.server.metrics.running == 0, "the call is still running")
        assert is_gone(client)


def test_a_client_that_reads_to_the_end_gets_everything(patient: Running) -> None:
    with connected(patient) as client:
        client.sendall(request("POST", "/api/v1/seq/acme/demo/brief/step", STEP))
        assert b"flow_completed" in read_until(client, b"\r\n0\r\n\r\n")


class _Transport:
    """Stands for a connection whose buffer a test fills and empties."""

    def __init__(self) -> None:
        self.unread = 0
        self.aborted = False

    def get_write_buffer_size(self) -> int:
        return self.unread

    def abort(self) -> None:
        self.aborted = True

    def get_extra_info(self, _name: str) -> None:
        return None

    def is_closing(self) -> bool:
        return False


class _Loop:
    """Stands for the event loop: what is due happens when the test says so."""

    def __init__(self) -> None:
        self.due: Callable[[], None] | None = None

    def call_later(self, _seconds: float, due: Callable[..., None], *arguments: str) -> _Loop:
        self.due = partial(due, *arguments)
        return self

    def cancel(self) -> None:
        self.due = None

    def waits(self) -> bool:
        return self.due is not None

    def pass_by(self) -> None:
        assert self.due is not None
        self.due()

    def create_task(self, work: Coroutine[Any, Any, None]) -> asyncio.Future[None]:
        work.close()
        return asyncio.Future()


@pytest.fixture
async def connection() -> BoundedConnection:
    """A connection that was just made."""
    kind = bounded(Patience(writing=60, request=60))
    made = kind(
        config=Config(_nothing), server_state=ServerState(), app_state={}, _loop=cast(Any, _Loop())
    )
    made.connection_made(cast(Any, _Transport()))
    return made


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers nothing."""


async def test_a_client_that_reads_a_little_each_time_is_kept(
    connection: BoundedConnection,
) -> None:
    transport, loop = cast(_Transport, connection.transport), cast(_Loop, connection.loop)
    transport.unread = 900
    connection.pause_writing()
    for unread in (800, 799, 1):
        transport.unread = unread
        loop.pass_by()
        assert not transport.aborted
    loop.pass_by()
    assert transport.aborted


async def test_a_client_that_has_caught_up_has_all_the_time_again(
    connection: BoundedConnection,
) -> None:
    loop = cast(_Loop, connection.loop)
    connection.data_received(request("GET", "/"))
    connection.pause_writing()
    assert loop.waits()
    connection.resume_writing()
    assert not loop.waits()


async def test_only_requests_are_hurried_and_neither_steps_nor_people(
    connection: BoundedConnection,
) -> None:
    loop = cast(_Loop, connection.loop)
    assert loop.waits(), "the first request"
    connection.data_received(b"POST / HTTP/1.1\r\nhost: x\r\n")
    assert loop.waits(), "the rest of it"
    connection.data_received(b"content-length: 2\r\n\r\n{")
    assert loop.waits(), "the rest of its body"
    connection.data_received(b"}")
    assert not loop.waits(), "its step takes as long as it takes"
    connection.data_received(b"\r\n")
    assert not loop.waits()
    connection.cycle.response_complete = True
    assert not loop.waits(), "the next request may be thought about"
    connection.data_received(b"\r\n")
    assert loop.waits(), "it begins"


ENDLESS = (
    b"",
    b"\r\n",
    b"POST /api/v1/seq/acme/demo/three-step/step HTTP/1.1\r\nhost: loc",
    request("POST", "/api/v1/seq/acme/demo/three-step/step", b'{"stepIn', length=100),
    request("GET", "/healthz", b"unasked", length=100),
    b"POST /api/v1/keys HTTP/1.1\r\nhost: localhost\r\n"
    b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
)
"""Nothing, an empty line, half a head, half a body, a body nobody reads, a chunk of many."""


def test_a_request_that_never_ends_is_not_waited_for(tmp_path: Path) -> None:
    write_flows(tmp_path, BRIEF)
    with (
        running_server([tmp_path], tmp_path / "server.db", request_timeout=0.5) as server,
        ExitStack() as stack,
    ):
        clients = [stack.enter_context(connected(server)) for _ in ENDLESS]
        for client, sent in zip(clients, ENDLESS, strict=True):
            with suppress(ConnectionError):
                client.sendall(sent)
        assert all(is_gone(client) for client in clients)


def flood(client: socket.socket, begin: bytes, more: bytes) -> None:
    """Send a request whose end never comes, far beyond what is allowed."""
    with suppress(ConnectionError):
        client.sendall(begin)
        for _ in range(40 * MAX_HEAD // len(more)):
            client.sendall(more)


CHUNKED = b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
FLOODS = {
    "an address": (b"GET /", b"a" * 1000),
    "a header": (b"GET / HTTP/1.1\r\nhost: localhost\r\nx: ", b"a" * 1000),
    "headers": (b"GET / HTTP/1.1\r\nhost: localhost\r\n", b"x: y\r\n" * 100),
    "trailers": (CHUNKED + b"0\r\n", b"x: y\r\n" * 100),
    "an extension": (CHUNKED + b"1;", b"x=" * 500),
}


@pytest.mark.parametrize("kind", FLOODS)
def test_a_request_that_is_all_head_is_refused(kind: str, patient: Running) -> None:
    with connected(patient) as client:
        flood(client, *FLOODS[kind])
        assert is_gone(client)
    assert httpx.get(f"{patient.url}/healthz").json()["status"] == "ok"


def test_a_body_in_many_small_pieces_is_read(patient: Running) -> None:
    body = json.dumps({"stepIndex": 0, "message": "m" * MAX_HEAD}).encode()

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(body), 3):
            yield body[start : start + 3]

    url = f"{patient.base}/seq/acme/demo/three-step/step"
    answer = httpx.post(url, content=pieces(), headers={"content-type": "application/json"})
    assert "step_paused" in answer.text
