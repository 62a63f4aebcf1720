"""How long the screen is held up by what takes long: large outputs, long logs, hard searches.

    python benchmarks/tui_stalls.py

Presses keys on the real debug screen, without a terminal, while a ticker looks every 5 ms whether
the loop is late. Prints the longest stall of each: the processor time in it, and the clock's, to
which a busy machine adds what it gives to others.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot

from flowdbg.core.address import parse_address
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
from flowdbg.core.events import Event, Received, RunStarted, StepCompleted, StepOutput, StepStarted
from flowdbg.core.fold import apply_all
from flowdbg.core.json_text import JsonText
from flowdbg.core.plan import Plan, Step
from flowdbg.core.session import Session
from flowdbg.debugger import Debugger
from flowdbg.debugger.journal import Journal
from flowdbg.dialects.targets import make_target
from flowdbg.tui.app import DebugApp
from flowdbg.tui.debug import DebugScreen

TICK = 0.005
URL = "http://127.0.0.1:1/api/v1"
RUNS = 3

LONGEST = 50
"""Milliseconds that a stall may take."""

Stall = tuple[float, float]
"""Milliseconds: of the processor in it, and by the clock."""

Act = Callable[[Pilot[Path | None]], Awaitable[None]]


def received(event: Event, name: str) -> EventReceived:
    """An event of the first turn, as it comes from a server."""
    return EventReceived(1, Received(name, ('{"delta":"word "}',), event))


@asynccontextmanager
async def screen(*then: Body) -> AsyncIterator[tuple[Pilot[Path | None], Journal]]:
    """The debug screen on a session whose first step runs, with what comes then."""
    steps = tuple(Step(f"s{at}", f"Step {at}", "llm", {"prompt": "x"}) for at in range(20))
    bodies: list[Body] = [
        SessionOpened("bench", "noukai", URL, "acme/bench/flow", None, "hello"),
        PlanLoaded(Plan(steps, 1, "h", {}, True)),
        Stopped(StopReason.START),
        CommandGiven("step"),
        TurnStarted(1, 0, False, "/step", ("{}",)),
        received(RunStarted("run", 20, 1, "h"), "run_started"),
        received(StepStarted("s0", "Step 0"), "step_started"),
        *then,
    ]
    session = apply_all(Session(), [Entry(time.time(), 0, body) for body in bodies])
    target = make_target(
        "noukai", url=URL, address=parse_address("acme/bench/flow"), key=lambda: ""
    )
    journal = Journal(None, session)
    app = DebugApp(Debugger(target, journal), state_dir=Path(tempfile.mkdtemp()))
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause(1.0)
        yield pilot, journal


async def longest_stall(act: Awaitable[None]) -> Stall:
    """By how much the loop is late at most while something is done."""
    stalls: list[Stall] = []

    async def tick() -> None:
        while True:
            before, worked = time.perf_counter(), time.process_time()
            await asyncio.sleep(TICK)
            late = time.perf_counter() - before - TICK
            stalls.append((min(time.process_time() - worked, late) * 1000, late * 1000))

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0.1)
    stalls.clear()
    await act
    ticking.cancel()
    return max(stalls)


def finished(output: object) -> tuple[Body, ...]:
    """The first step ended with an output."""
    text = JsonText(json.dumps(output))
    return (
        received(StepCompleted("s0", text), "step_completed"),
        TurnEnded(1, Outcome.PAUSED, 1.0),
        Stopped(StopReason.STEP),
    )


async def press(pilot: Pilot[Path | None], *keys: str) -> None:
    """Press keys and let the screen work for half a second."""
    await pilot.press(*keys)
    await pilot.pause(0.5)


async def search(pilot: Pilot[Path | None], typed: str) -> None:
    """Search in the output for as long as the search takes."""
    await press(pilot, "2", "slash")
    debug = pilot.app.screen_stack[0]
    assert isinstance(debug, DebugScreen)
    line = debug.search_bar.query_one("Input")
    line.value = typed  # type: ignore[attr-defined] # as a paste does
    view = debug.detail.shown
    end = time.monotonic() + 20
    while (view.hits is None or view.hits.query.typed != typed) and time.monotonic() < end:
        await pilot.pause(0.02)


async def measure(act: Act, *then: Body) -> Stall:
    """The best of several runs, each on a screen of its own."""
    best = (float("inf"), float("inf"))
    for _ in range(RUNS):
        async with screen(*then) as (pilot, _):
            best = min(best, await longest_stall(act(pilot)))
    return best


async def all_stalls() -> dict[str, Stall]:
    """The longest stall of each case."""
    os.environ["EDITOR"] = "true"
    item = {"text": "lorem ipsum dolor sit amet " * 3, "tags": ["a", "b"], "score": 0.5}
    megabyte = finished({"docs": [{"id": at, **item} for at in range(8000)]})
    words = tuple(
        received(StepOutput("s0", JsonText('"word "')), "step_output") for _ in range(10_000)
    )
    text = finished({"text": ("the quick brown fox jumps over the lazy dog; " * 4 + "\n") * 28_000})
    letters = finished({"text": "a" * 100_000 + "!"})
    return {
        "i on an output of 1 MB": await measure(lambda pilot: press(pilot, "i"), *megabyte),
        "events pane after 10,000 words": await measure(
            lambda pilot: press(pilot, "5", "k", "z"), *words
        ),
        "search in 5 MB of text": await measure(lambda pilot: search(pilot, "zebra"), *text),
        "expression in 5 MB of text": await measure(lambda pilot: search(pilot, "/z.b/"), *text),
        "search in 1 MB of JSON": await measure(lambda pilot: search(pilot, "zebra"), *megabyte),
        "an expression that never ends": await measure(
            lambda pilot: search(pilot, "/(a+)+$/"), *letters
        ),
    }


def main() -> None:
    for name, (worked, late) in asyncio.run(all_stalls()).items():
        verdict = "ok" if worked <= LONGEST else "OVER"
        print(f"longest stall: {name:<32} {worked:>6.1f} ms ({late:.0f} by the clock)  {verdict}")


if __name__ == "__main__":
    main()
