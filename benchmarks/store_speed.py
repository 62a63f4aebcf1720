"""Sessions on disk: durable appends against one row of bare SQLite, and opening a large one.

Goals: a session of 100,000 small events is opened and read in less than 0.3 s; a turn that sends
500 outputs again does not store them again. Run: `python -m benchmarks.store_speed`.
"""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from flowdbg.core.json_text import JsonText
from flowdbg.core.records import Record
from flowdbg.store import SessionStore

EVENTS = 100_000
ROUNDS = 400


def event(number: int) -> Record:
    text = f'{{"eventType":"step_output","stepId":"s-{number:05}","outputData":"{"x" * 70}"}}'
    return Record(
        "event_received", 0, 1.5e9, {"turn": number // 100, "name": "step_output"}, (text,)
    )


def middle_of(*works: Callable[[], object]) -> list[float]:
    """The median seconds of several works, done in turns."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for work, seconds in zip(works, times, strict=True):
            start = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - start)
    return [statistics.median(seconds) for seconds in times]


def appends(directory: Path) -> None:
    plain = sqlite3.connect(directory / "plain.db", isolation_level=None)
    plain.execute("PRAGMA journal_mode = WAL")
    plain.execute("PRAGMA synchronous = FULL")
    plain.execute("CREATE TABLE steps (data BLOB)")
    five = [event(number) for number in range(5)]
    with SessionStore.create(directory, session_id="appends", meta={}) as store:
        for _ in range(ROUNDS):
            store.append(five)
        store.checkpoint()  # as the debugger does between steps: the log is written over then
        bare, ours, one = middle_of(
            lambda: plain.execute("INSERT INTO steps VALUES (?)", (b"x" * 1100,)),
            lambda: store.append(five),
            lambda: store.append(five[:1]),
        )
    print(f"one row of 1100 B, bare SQLite       {bare * 1e6:7.0f} us")
    print(f"append of 5 events                   {ours * 1e6:7.0f} us   ratio {ours / bare:.2f}")
    print(f"append of 1 event                    {one * 1e6:7.0f} us   ratio {one / bare:.2f}")


def opening(directory: Path) -> None:
    with SessionStore.create(directory, session_id="large", meta={}) as store:
        start = time.perf_counter()
        store.append([event(number) for number in range(EVENTS)])
        print(f"append of {EVENTS} events at once       {time.perf_counter() - start:7.3f} s")
    opened, read = [], []
    for _ in range(7):
        start = time.perf_counter()
        with SessionStore.open(store.path) as again:
            opened.append(time.perf_counter() - start)
            count = sum(1 for _ in again.read())
            read.append(time.perf_counter() - start)
        if count != EVENTS:
            raise SystemExit(f"{count} events came back")
    print(f"opening it to write, with its check  {min(opened):7.3f} s")
    print(f"opening and reading it               {min(read):7.3f} s   (goal: at most 0.3)")


def repeated_outputs(directory: Path) -> None:
    outputs = [JsonText(f'{{"n":{number},"text":"{"x" * 1000}"}}') for number in range(500)]
    with SessionStore.create(directory, session_id="turns", meta={}) as store:
        seconds = 0.0
        for turn in range(500):
            pieces = [p for output in outputs[: turn + 1] for p in (",", output)]
            record = Record("turn_started", 0, 1.5e9, {"turn": turn}, tuple(pieces))
            start = time.perf_counter()
            store.append([record])
            seconds = time.perf_counter() - start
        store.checkpoint()
        size = store.path.stat().st_size
    sent = sum(1000 * (turn + 1) for turn in range(500))
    print(f"500 turns of 1 to 500 outputs: {size / 1e6:.1f} MB on disk, {sent / 1e6:.0f} MB sent")
    print(f"the last of them took                {seconds * 1e3:7.2f} ms")


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as directory:
        for part in (appends, opening, repeated_outputs):
            part(Path(directory))


if __name__ == "__main__":
    main()
