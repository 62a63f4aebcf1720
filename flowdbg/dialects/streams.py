"""Server-sent events on the way out: one response class for every dialect.

The events are made by a producer task and sent by the response: frames that are made in one go
leave in one write, a silent stream sends heartbeats, and a client that goes away is noticed while
nothing is being sent. A producer that is far ahead of its client waits; one that never waits lets
others run now and then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope, Send

from flowdbg.dialects.operations import SERVER_STOPPING, Refusal
from flowdbg.dialects.services import Stopping

_MAX_WAITING = 256 * 1024
"""Bytes that may wait for a slow client before its producer has to."""
_FAIR_SHARE = 16
"""Frames after which a producer lets other tasks run."""

HEADERS: Mapping[str, str] = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
}


class FrameSink:
    """Where a producer puts its frames."""

    def __init__(self) -> None:
        self._frames: list[bytes] = []
        self._waiting = 0
        self._made = 0
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._time = asyncio.get_running_loop().time
        self.last_put = self._time()
        """The loop's time when a frame was last queued."""
        self.closed = False
        """Whether no further frame will come, or be sent."""

    async def send(self, frame: bytes) -> None:
        """Queue one or more whole frames; waits while the client is far behind."""
        self.put(frame)
        self._made += 1
        if self._made % _FAIR_SHARE == 0:
            await asyncio.sleep(0)
        while self._waiting > _MAX_WAITING and not self.closed:
            self._room.clear()
            await self._room.wait()

    def put(self, frame: bytes) -> None:
        """Queue whole frames without waiting."""
        self._frames.append(frame)
        self._waiting += len(frame)
        self.last_put = self._time()
        self._news.set()

    def close(self) -> None:
        """Say that no further frame will come."""
        self.closed = True
        self._news.set()
        self._room.set()

    async def take(self) -> bytes:
        """Everything that waits, once there is something; empty at the end."""
        if not self._frames and not self.closed:
            self._news.clear()
            await self._news.wait()
        data = b"".join(self._frames)
        self._frames.clear()
        self._waiting = 0
        self._room.set()
        return data


class Heartbeat:
    """Puts a comment into a stream that has been silent for a while.

    One timer for each stream, looked at when it is due: a timer for each frame would cost more
    than the frame.
    """

    def __init__(self, sink: FrameSink, seconds: float, ping: bytes) -> None:
        self._sink = sink
        self._seconds = seconds
        self._ping = ping
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(seconds, self._due)

    def stop(self) -> None:
        """Stop looking."""
        self._timer.cancel()

    def _due(self) -> None:
        left = self._sink.last_put + self._seconds - self._loop.time()
        if left <= 0:
            self._sink.put(self._ping)
            left = self._seconds
        self._timer = self._loop.call_later(left, self._due)


Producer = Callable[[FrameSink], Awaitable[None]]


T = TypeVar("T")


async def while_connected(request: Request, stopping: Stopping, work: Coroutine[Any, Any, T]) -> T:
    """Do the work of a plain answer; it is cancelled when the client goes or the server stops.

    Raises:
        ClientDisconnect: The client has gone; nobody is there to be answered.
        Refusal: 503, the server is being stopped.
    """
    task = asyncio.create_task(work)
    watcher = asyncio.create_task(_until_gone(request.receive))
    try:
        with stopping.on_stop(task.cancel):
            await asyncio.wait({task, watcher}, return_when=asyncio.FIRST_COMPLETED)
        if task.done() and not task.cancelled():
            return task.result()
        if stopping.begun:
            raise Refusal(503, SERVER_STOPPING, "The server was stopped while the flow ran.")
        raise ClientDisconnect
    finally:
        for each in (task, watcher):
            each.cancel()
        await asyncio.gather(task, watcher, return_exceptions=True)


class EventStream:
    """An ASGI response that streams what its producer makes.

    The producer is cancelled when the client goes away (`gone`) and when the server stops; in the
    latter case `farewell` gives the last frames, so that no reader takes the end for a success;
    none are needed where the end says nothing.
    """

    def __init__(
        self,
        produce: Producer,
        *,
        stopping: Stopping,
        heartbeat: float,
        ping: bytes,
        farewell: Callable[[], bytes] = bytes,
    ) -> None:
        self._produce = produce
        self._stopping = stopping
        self._heartbeat = heartbeat
        self._ping = ping
        self._farewell = farewell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the stream (ASGI)."""
        sink = FrameSink()
        producer = asyncio.create_task(self._run(sink))
        producer.add_done_callback(lambda _: sink.close())
        watcher = asyncio.create_task(_until_gone(receive))
        watcher.add_done_callback(lambda _: sink.close())
        heartbeat = Heartbeat(sink, self._heartbeat, self._ping)
        try:
            with self._stopping.on_stop(producer.cancel):
                await send(_start())
                ended = False
                while not ended:
                    data = await sink.take()
                    if watcher.done():
                        return
                    ended = sink.closed
                    await send({"type": "http.response.body", "body": data, "more_body": not ended})
        finally:
            heartbeat.stop()
            sink.close()
            for task in (producer, watcher):
                task.cancel()
            outcome, _ = await asyncio.gather(producer, watcher, return_exceptions=True)
            if isinstance(outcome, Exception):
                raise outcome  # a fault of ours, for the log

    async def _run(self, sink: FrameSink) -> None:
        try:
            await self._produce(sink)
        except asyncio.CancelledError:
            if not self._stopping.begun:
                raise
            sink.put(self._farewell())


def _start() -> Message:
    headers = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
    return {"type": "http.response.start", "status": 200, "headers": headers}


async def _until_gone(receive: Receive) -> None:
    """Return when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
