"""How long a stored session of 100,000 events takes to open: read, decode and fold.

    python benchmarks/open_session.py

Its peer is what any debugger would have to do at least: read the rows and parse their JSON.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from pathlib import Path

from flowdbg.core.address import FlowAddress
from flowdbg.core.entries import (
    Body,
    CommandGiven,
    Entry,
    EventReceived,
    Outcome,
    PlanLoaded,
    SessionOpened,
    Stopped,
    StopReason,
    TurnEnded,
    TurnStarted,
)
from flowdbg.core.json_text import join
from flowdbg.core.plan import Plan, Step
from flowdbg.core.recording import to_record
from flowdbg.debugger import Debugger
from flowdbg.dialects.noukai.decode import decode
from flowdbg.dialects.noukai.target import NoukaiTarget
from flowdbg.store import SessionStore, session_path

EVENTS = 100_000
RUNS = 3


def write_session(folder: Path) -> None:
    """One step that streamed 100,000 tokens."""
    chunk = '{"eventType":"step_output","stepId":"a","outputData":" token number %d of many"}'
    bodies: list[Body] = [
        SessionOpened("s", "noukai", "http://x", "o/p/f", message="hi"),
        PlanLoaded(Plan((Step("a", "A"),), 1, "h", told=True)),
        CommandGiven("step"),
        TurnStarted(1, 0, False, "/step", ("{}",)),
        EventReceived(1, decode("run_started", '{"executionId":"e"}')),
        EventReceived(1, decode("step_started", '{"stepId":"a"}')),
        *(EventReceived(1, decode("step_output", chunk % number)) for number in range(EVENTS)),
        EventReceived(1, decode("step_completed", '{"stepId":"a","output":1}')),
        EventReceived(1, decode("flow_completed", '{"result":1}')),
        TurnEnded(1, Outcome.COMPLETED, 1.0),
        Stopped(StopReason.END),
    ]
    store = SessionStore.create(folder, session_id="s", meta={})
    store.append([to_record(Entry(0.0, 0, body)) for body in bodies])
    store.close()


def open_session(path: Path) -> float:
    """Seconds until the debugger stands where the session stood."""

    async def opened() -> float:
        begun = time.perf_counter()
        target = NoukaiTarget("http://127.0.0.1:9", FlowAddress("o", "p", "f"), str)
        debugger = await Debugger.resume(target, SessionStore.open(path))
        seconds = time.perf_counter() - begun
        assert len(debugger.session.events) == EVENTS + 4
        await debugger.close()
        return seconds

    return asyncio.run(opened())


def read_and_parse(path: Path) -> float:
    """Seconds to read the same rows and parse each as JSON, and nothing more."""
    begun = time.perf_counter()
    store = SessionStore.open(path)
    parsed = sum(1 for stored in store.read() if json.loads(join(stored.record.body) or "{}"))
    seconds = time.perf_counter() - begun
    store.close()
    assert parsed >= EVENTS
    return seconds


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "sessions"
        write_session(folder)
        path = session_path(folder, "s")
        pairs = [(open_session(path), read_and_parse(path)) for _ in range(RUNS)]
    ours, floor = (min(column) for column in zip(*pairs, strict=True))
    print(f"open {EVENTS:,} events           {ours:6.2f} s   (goal: below 1.5 s)")
    print(f"read and parse the same rows   {floor:6.2f} s")
    print(f"ratio                          {ours / floor:6.2f}")


if __name__ == "__main__":
    main()
