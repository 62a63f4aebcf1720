"""Whole runs against stepping, and the traces that they leave.

1. `execute` of 20 trivial steps against the same steps driven one by one: by bare calls of the
   client, and by the debugger with its session on disk.
2. A trace of 1,000 steps, fetched and opened as a session, against the same bytes fetched by a
   bare client and parsed as JSON.

Everything is measured in turns in one run, so that a busy machine slows all alike.
Run: `python -m benchmarks.execute_trace`.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from benchmarks.server_peers import our_server
from flowdbg.core.address import parse_address
from flowdbg.core.entries import Entry, SessionOpened
from flowdbg.core.events import StepCompleted
from flowdbg.core.fold import apply_all
from flowdbg.core.json_text import JsonText
from flowdbg.core.plan import Plan
from flowdbg.core.session import Session, State
from flowdbg.debugger import Debugger
from flowdbg.dialects.noukai.client.remote import NoukaiRemote
from flowdbg.dialects.noukai.client.trace_entries import Opened, entries_from_trace
from flowdbg.dialects.noukai.decode import decode
from flowdbg.dialects.noukai.target import NoukaiTarget
from flowdbg.dialects.whole_runs import Finished, RunRequest
from flowdbg.store import SessionStore
from flowdbg.transport.client import HttpClient

SHORT, LONG = 20, 1000
ROUNDS = 15
REQUEST = RunRequest(message="hello", trace=True)


def flow(name: str, steps: int) -> str:
    lines = [f"flow: bench/runs/{name}", "inputs:", "  message: {type: string}", "steps:"]
    lines += [f"  - {{id: s{number}, kind: passthrough}}" for number in range(steps)]
    return "\n".join(lines)


class Bench:
    """The server's clients, and the work that is measured."""

    def __init__(self, base: str, folder: Path) -> None:
        self.short = NoukaiRemote(base, str, parse_address("bench/runs/short"))
        self.long = NoukaiRemote(base, str, parse_address("bench/runs/long"))
        self.http = HttpClient(base)
        self.base = base
        self.folder = folder
        self.plan: Plan | None = None
        self.long_plan: Plan | None = None
        self.run_id = ""
        self.number = 0

    async def prepare(self) -> None:
        """Get the plans, and leave a long trace behind."""
        told, long_told = await self.short.plan(None), await self.long.plan(None)
        assert told
        assert long_told
        self.plan, self.long_plan = told.plan, long_told.plan
        answer = await self.long.execute(None, REQUEST)
        assert isinstance(answer, Finished)
        assert answer.completed
        self.run_id = answer.execution_id

    async def execute(self) -> None:
        """All steps in one call."""
        answer = await self.short.execute(None, REQUEST)
        assert isinstance(answer, Finished)
        assert answer.completed

    async def step_bare(self) -> None:
        """Step by step, with nothing kept but the outputs."""
        outputs: dict[str, JsonText] = {}
        execution_id = None
        for index in range(SHORT):
            head = {"executionId": execution_id, "stepIndex": index, "message": "hello"}
            sent = ",".join(f'"{step}":{output.text}' for step, output in outputs.items())
            body = f'{json.dumps(head)[:-1]},"accumulatedOutputs":{{{sent}}},"trace":true}}'
            path = "/seq/bench/runs/short/step"
            async with self.http.post_events(path, body.encode()) as stream:
                async for received in stream:
                    event: Any = decode(received.event, received.data).event
                    execution_id = getattr(event, "execution_id", "") or execution_id
                    if isinstance(event, StepCompleted):
                        outputs[event.step_id] = event.output
        assert len(outputs) == SHORT

    async def step_debugger(self) -> None:
        """Step by step by the debugger, each command and event on disk before it counts."""
        self.number += 1
        name = f"session-{self.number}"
        store = SessionStore.create(self.folder, session_id=name, meta={})
        target = NoukaiTarget(self.base, parse_address("bench/runs/short"), str)
        opened = SessionOpened(name, "noukai", self.base, "bench/runs/short", None, "hello")
        debugger = await Debugger.start(target, store, opened, self.plan)
        await debugger.continue_()
        assert debugger.session.state is State.DONE
        await debugger.close()

    async def fetch_bare(self) -> None:
        """The trace's bytes, parsed."""
        answer = await self.http.get_json(f"/flow-runs/{self.run_id}/trace")
        assert len(json.loads(answer.text)["steps"]) == LONG

    async def fetch(self) -> None:
        """The trace, read."""
        assert len((await self.long.trace(self.run_id)).steps) == LONG

    async def fetch_and_open(self) -> None:
        """The trace, read and folded into a session."""
        trace = await self.long.trace(self.run_id)
        where = Opened("s", self.base, "bench/runs/long")
        bodies = entries_from_trace(trace, self.long_plan, where)
        session = apply_all(Session(), [Entry(0.0, 0, body) for body in bodies])
        assert len(session.branch.outputs) == LONG

    async def aclose(self) -> None:
        """Close all connections."""
        for client in (self.short, self.long, self.http):
            await client.aclose()


async def measure(works: dict[str, Callable[[], Awaitable[None]]]) -> dict[str, float]:
    """The middle time of each, in seconds; the first round warms up."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for number in range(ROUNDS + 1):
        for name, work in works.items():
            began = time.perf_counter()
            await work()
            if number:
                times[name].append(time.perf_counter() - began)
    return {name: sorted(values)[len(values) // 2] for name, values in times.items()}


def show(times: dict[str, float]) -> None:
    """Print the times, and each against the first."""
    first = next(iter(times.values()))
    for name, seconds in times.items():
        print(f"{name:32} {seconds * 1000:8.1f} ms   {seconds / first:6.2f}")


async def run(port: int, folder: Path) -> None:
    bench = Bench(f"http://127.0.0.1:{port}/api/v1", folder)
    await bench.prepare()
    show(
        await measure(
            {
                f"execute {SHORT} steps": bench.execute,
                "the same, call by call": bench.step_bare,
                "the same, in the debugger": bench.step_debugger,
            }
        )
    )
    show(
        await measure(
            {
                f"trace of {LONG} steps, bare": bench.fetch_bare,
                "the same, read": bench.fetch,
                "the same, opened": bench.fetch_and_open,
            }
        )
    )
    await bench.aclose()


def main() -> None:
    """Measure and print."""
    flows = (flow("short", SHORT), flow("long", LONG))
    with our_server(*flows) as port, tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(port, Path(folder)))


if __name__ == "__main__":
    main()
