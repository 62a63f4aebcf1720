"""A step of five events, sent and stored, against bare streams, httpx and noukai-sdk.

The server is a process of its own that answers each POST with one write, so that what is
measured is the client. All clients keep their connection and take turns. Goal: our step with
its durable commit within 1.3 times httpx plus one durable commit, in the same run.
Run: `python -m benchmarks.client_step`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import httpx
from httpx_sse import aconnect_sse
from noukai_sdk import AsyncNoukai

from flowdbg.core.records import Record
from flowdbg.store import SessionStore
from flowdbg.transport.client import HttpClient
from flowdbg.transport.event_stream import EventStreamReader

Step = Callable[[], Awaitable[int]]
STEPS = 200
ROUNDS = 8
BODY = json.dumps({"stepIndex": 0, "accumulatedOutputs": {}, "message": "m" * 800}).encode()

SERVER = """
import asyncio, json

def event(kind, **fields):
    return f"event: {kind}\\ndata: {json.dumps({'eventType': kind, **fields})}\\n\\n".encode()

TEXT = "x" * 150
EVENTS = b"".join([
    event("run_started", executionId="e-1", runId="e-1", flowId="f", stepCount=1),
    event("step_started", stepId="s-1", name="Only", stepIndex=0),
    event("step_output", stepId="s-1", outputData=TEXT),
    event("step_completed", stepId="s-1", name="Only", output={"text": TEXT}, durationMs=3),
    event("flow_completed", executionId="e-1", runId="e-1", result={"text": TEXT}),
])
ANSWER = (b"HTTP/1.1 200 OK\\r\\ncontent-type: text/event-stream\\r\\ntransfer-encoding: chunked"
          b"\\r\\n\\r\\n%x\\r\\n%s\\r\\n0\\r\\n\\r\\n" % (len(EVENTS), EVENTS))

class Answer(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.seen = transport, b""

    def data_received(self, data):
        self.seen += data
        head, found, rest = self.seen.partition(b"\\r\\n\\r\\n")
        if not found:
            return
        size = int(head.lower().partition(b"content-length: ")[2].partition(b"\\r\\n")[0])
        if len(rest) >= size:
            self.seen = rest[size:]
            self.transport.write(ANSWER)

async def main():
    server = await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


@contextlib.contextmanager
def server() -> Iterator[int]:
    """The port of the server."""
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


async def bare_streams(port: int) -> Step:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST /step HTTP/1.1\r\nhost: x\r\ncontent-length: {len(BODY)}\r\n\r\n".encode()

    async def step() -> int:
        writer.write(head + BODY)
        await reader.readuntil(b"\r\n\r\n")
        events, count = EventStreamReader(), 0
        while size := int(await reader.readline(), 16):
            count += len(events.feed((await reader.readexactly(size + 2))[:-2]))
        await reader.readline()
        return count

    return step


async def plain_httpx(stack: contextlib.AsyncExitStack, port: int) -> Step:
    client = await stack.enter_async_context(httpx.AsyncClient(trust_env=False))

    async def step() -> int:
        url = f"http://127.0.0.1:{port}/step"
        async with aconnect_sse(client, "POST", url, content=BODY) as source:
            return len([event async for event in source.aiter_sse()])

    return step


async def vendor_sdk(stack: contextlib.AsyncExitStack, port: int) -> Step:
    client = AsyncNoukai(api_key="nk_local", org="o", project="p")
    base = f"http://127.0.0.1:{port}/"
    transport = client._transport
    transport._base_url = base
    transport._httpx_client = await stack.enter_async_context(httpx.AsyncClient(base_url=base))
    flow = client.flow("f")

    async def step() -> int:
        events = flow.events(message="m" * 800, run_remaining=True)
        return len([event async for event in events])

    return step


async def our_client(
    stack: contextlib.AsyncExitStack, port: int, store: SessionStore | None
) -> Step:
    client = await stack.enter_async_context(HttpClient(f"http://127.0.0.1:{port}"))

    async def step() -> int:
        count = 0
        async with client.post_events("/step", BODY) as stream:
            async for events in stream.batches():
                count += len(events)
                if store is not None:
                    at = time.time()
                    store.append(
                        [Record("event", 0, at, {"name": e.event}, (e.data,)) for e in events]
                    )
        return count

    return step


def commit_of_one_row(directory: Path) -> Step:
    """One durable commit of about the size of a step, by SQLite alone."""
    connection = sqlite3.connect(directory / "plain.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE steps (data BLOB)")

    async def step() -> int:
        connection.execute("INSERT INTO steps VALUES (?)", (b"x" * 1100,))
        return 5

    return step


def both(first: Step, second: Step) -> Step:
    """One step after the other; a commit after waiting for a server costs more than in a row."""

    async def step() -> int:
        await first()
        return await second()

    return step


async def measure(steps: dict[str, Step], idle: Callable[[], object]) -> dict[str, list[float]]:
    """The seconds of each step, all kinds in turns; the first round warms up.

    `idle` is what the debugger does while it waits for the person: it empties the log, so that
    later commits write over it instead of making the file longer, which takes twice as long.
    """
    times: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(ROUNDS + 1):
        for name, step in steps.items():
            for _ in range(STEPS):
                start = time.perf_counter()
                count = await step()
                if number:
                    times[name].append(time.perf_counter() - start)
                if count != 5:
                    raise SystemExit(f"{name} saw {count} events instead of 5")
        idle()
    return times


@contextlib.asynccontextmanager
async def clients(port: int, store: SessionStore) -> AsyncIterator[dict[str, Step]]:
    """Every kind of step, with its connections open."""
    async with contextlib.AsyncExitStack() as stack:
        streams, plain = await bare_streams(port), await plain_httpx(stack, port)
        commit = commit_of_one_row(store.path.parent)
        yield {
            "bare asyncio streams": streams,
            "httpx + httpx-sse": plain,
            "noukai-sdk": await vendor_sdk(stack, port),
            "ours": await our_client(stack, port, None),
            "streams and a commit": both(streams, commit),
            "httpx and a commit": both(plain, commit),
            "ours, stored": await our_client(stack, port, store),
        }


async def run(port: int) -> None:
    with (
        tempfile.TemporaryDirectory() as directory,
        SessionStore.create(Path(directory), session_id="b", meta={}) as store,
    ):
        async with clients(port, store) as steps:
            times = await measure(steps, store.checkpoint)
    middle = {name: statistics.median(values) * 1e6 for name, values in times.items()}
    for name, values in times.items():
        high = sorted(values)[int(len(values) * 0.99)] * 1e6
        print(f"{name:22} p50 {middle[name]:7.0f} us   p99 {high:7.0f} us")
    ratio = middle["ours, stored"] / middle["httpx and a commit"]
    print(f"ours, stored / httpx and a commit: {ratio:.2f} (goal: at most 1.3)")


def main() -> None:
    """Measure and print."""
    with server() as port:
        asyncio.run(run(port))


if __name__ == "__main__":
    main()
