"""What the screen costs: first frame, answer to a key, bytes sent, stalls, big values, memory.

    python -m benchmarks.tui_budgets

Prints a line for each budget with what was measured. Times are whole processes in a pseudo-terminal
of 120 x 36, the best of several runs, on a machine that should have nothing else to do.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pexpect
import pyte

from benchmarks import tui_stalls
from flowdbg.tui.widgets.stream_view import StreamView

PROGRAM = Path(__file__).with_name("tui_program.py")
SIZE = (36, 120)
RUNS = 7


def spawn(*arguments: str, **environment: str) -> pexpect.spawn[bytes]:
    """Start a program with compiled modules, as an installed one has them."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    compiled = {"PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / "flowdbg-compiled")}
    return pexpect.spawn(
        sys.executable,
        [str(PROGRAM), *arguments],
        dimensions=SIZE,
        env={**kept, **compiled, "TERM": "xterm-256color", **environment},
        timeout=30,
    )


def first_frames(kinds: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Wall and processor milliseconds to the first frame with content; the programs take turns."""
    best = dict.fromkeys(kinds, (float("inf"), float("inf")))
    for _ in range(RUNS):
        for kind in kinds:
            start = time.perf_counter()
            process = spawn(kind)
            process.expect_exact(b"Step 0")
            wall = (time.perf_counter() - start) * 1000
            cpu = processor_ms(process.pid)
            process.close(force=True)
            best[kind] = (min(best[kind][0], wall), min(best[kind][1], cpu))
    return best


def processor_ms(pid: int) -> float:
    """How much processor time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


class Reader(threading.Thread):
    """Reads a program's output all the time, as a terminal does, and notes when a title came."""

    def __init__(self, process: pexpect.spawn[bytes]) -> None:
        super().__init__(daemon=True)
        self._process = process
        self._wanted = ""
        self._seen = threading.Event()
        self._screen = pyte.Screen(SIZE[1], SIZE[0])
        self._stream = pyte.ByteStream(self._screen)
        self.count = 0
        """Bytes that came since it began to read."""
        # What was waited for is on the screen already, and is not sent again.
        self._stream.feed(b"".join(map(bytes, (process.before, process.after, process.buffer))))
        self.start()

    def run(self) -> None:
        """Read until the terminal is closed."""
        while True:
            try:
                data = os.read(self._process.fileno(), 1 << 16)
            except (OSError, ValueError):
                return
            self.count += len(data)
            self._stream.feed(data)
            if self._wanted and self._wanted in self._title:
                self._seen.set()

    @property
    def _title(self) -> str:
        """The row with the titles of the panes."""
        return "".join(self._screen.buffer[1][x].data for x in range(SIZE[1]))

    def until_quiet(self, seconds: float = 1.0) -> int:
        """Wait until nothing came for a while; returns how many bytes have come by then."""
        before = -1
        while before != self.count:
            before = self.count
            time.sleep(seconds)
        return before

    def answer(self, key: bytes, wanted: str) -> float:
        """Milliseconds from a key to a title on the screen."""
        self._wanted = wanted
        self._seen.clear()
        start = time.perf_counter()
        os.write(self._process.fileno(), key)
        if not self._seen.wait(10):
            raise AssertionError(f"{wanted!r} never came")
        return (time.perf_counter() - start) * 1000


def key_answers(events_a_second: int) -> tuple[list[float], dict[str, Any]]:
    """Milliseconds from a key to its effect on the screen while events come in."""
    report = Path(tempfile.mkdtemp()) / "report.json"
    process = spawn("screen", str(events_a_second), FLOWDBG_BENCH_REPORT=str(report))
    process.expect_exact(b"Step 0")
    reader = Reader(process)
    time.sleep(3)
    answers = []
    for at in range(1, 61):
        answers.append(reader.answer(b"j", f"2 Step {at} "))
        time.sleep(0.1)
    time.sleep(2)
    os.write(process.fileno(), b"q")
    time.sleep(0.5)
    os.write(process.fileno(), b"y")
    while not report.exists():
        time.sleep(0.05)
    time.sleep(0.2)
    process.close(force=True)
    return sorted(answers), json.loads(report.read_text())


STEPS_FLOW = """\
flow: acme/bench/steps
scripts:
  talk:
    replies:
      - text: "The customer was charged twice for one order and asks for the second charge back."
steps:
  - {id: first, name: First, kind: llm, model: scripted/talk, prompt: "Say it."}
  - {id: second, name: Second, kind: code, code: "return {'words': 14, 'tags': ['a', 'b']}"}
  - {id: third, name: Third, kind: passthrough}
"""


def bytes_sent() -> dict[str, float]:
    """Bytes that the real program sends for keys, steps and a stream, at 120 x 36."""
    folder = Path(tempfile.mkdtemp())
    (folder / "steps.flow.yaml").write_text(STEPS_FLOW, encoding="utf-8")
    process = pexpect.spawn(
        sys.executable,
        ["-m", "flowdbg", "debug", str(folder / "steps.flow.yaml"), "-m", "hello"],
        dimensions=SIZE,
        env={**os.environ, "HOME": str(folder), "TERM": "xterm-256color", "COLORTERM": "truecolor"},
        timeout=30,
    )
    process.expect_exact(b"PAUSED")
    reader = Reader(process)
    sent: dict[str, float] = {}
    for name, key in (
        ("j", b"j"), ("k", b"k"), ("a step of a model", b"n"), ("a step of code", b"n"),
        ("going to a pane", b"3"), ("opening the help", b"?"),
    ):  # fmt: skip
        before = reader.until_quiet()
        os.write(process.fileno(), key)
        sent[name] = reader.until_quiet() - before
    process.close(force=True)
    process = spawn("screen", "200", COLORTERM="truecolor")
    process.expect_exact(b"Step 0")
    reader = Reader(process)
    time.sleep(3)
    before, start = reader.count, time.perf_counter()
    time.sleep(4)
    sent["a second of 200 tokens"] = (reader.count - before) / (time.perf_counter() - start)
    process.close(force=True)
    return sent


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


async def big_json() -> dict[str, float]:
    """Milliseconds to open, unfold, fold and search a value of 50,000 nodes, drawn each time."""
    from textual.app import App, ComposeResult

    from flowdbg.present.search import Query
    from flowdbg.tui.widgets.json_view import JsonView

    value = {
        "docs": [
            {"id": at, "score": at / 7, "tags": ["a", "b"], "meta": {"x": True, "y": None}}
            for at in range(5550)
        ]
    }

    class Viewer(App[None]):
        def compose(self) -> ComposeResult:
            yield JsonView()

    app = Viewer()
    found: dict[str, float] = {}
    async with app.run_test(size=(120, 36)) as pilot:
        view = app.query_one(JsonView)

        async def drawn(name: str, work: Callable[[], object]) -> None:
            spent = timed(work)
            spent += timed(lambda: [view.render_line(y) for y in range(view.size.height)])
            found[name] = spent
            await pilot.pause()

        await drawn("open", lambda: view.show_value(value))
        view.cursor = 0
        await drawn("unfold all", view.action_unfold_all)
        await drawn("search", lambda: view.search(Query("5549")))
        await drawn("expression", lambda: view.search(Query("/^55[0-9]9$/")))
        view.cursor = 1
        await drawn("fold", view.action_fold_toggle)
        found["nodes"] = 49_951
    return found


def append_words(view: StreamView, count: int) -> None:
    for _ in range(count):
        view.append("word ")


async def big_text() -> dict[str, float]:
    """Milliseconds of the longest handler while a 5 MB text is taken in, and to search it."""
    from textual.app import App, ComposeResult

    from flowdbg.present.search import Query

    text = ("the quick brown fox jumps over the lazy dog and goes home; " * 3 + "\n") * 28_000

    class Viewer(App[None]):
        def compose(self) -> ComposeResult:
            yield StreamView()

    app = Viewer()
    found: dict[str, float] = {}
    async with app.run_test(size=(120, 36)) as pilot:
        view = app.query_one(StreamView)
        found["first slice"] = timed(lambda: view.show_text(text))
        while view._waiting:
            await pilot.pause(0.02)
        found["append 100 tokens"] = timed(lambda: append_words(view, 100))
        found["search"] = timed(lambda: view.search(Query("zebra")))
        found["200 KB line"] = timed(lambda: view.show_text("x" * 200_000))
    return found


def line(name: str, measured: float, budget: float, unit: str = "ms") -> None:
    verdict = "ok" if measured <= budget else "OVER"
    print(f"{name:<44} {measured:>9.1f} {unit:<3} budget {budget:>7.1f}  {verdict}")


def main() -> None:
    import asyncio

    frames = first_frames(("label", "widgets", "screen"))
    for kind, (wall, cpu) in frames.items():
        print(f"first frame of {kind:<8} {wall:7.0f} ms wall, {cpu:5.0f} ms processor")
    for at, clock in enumerate(("wall", "processor")):
        ratio = frames["screen"][at] / frames["widgets"][at]
        line(f"first frame / the same widgets bare, {clock}", ratio, 1.5, "x")
    line("first frame", frames["screen"][0], 450)
    for speed in (0, 1000):
        answers, report = key_answers(speed)
        name = f"key to screen at {speed:,} events/s"
        line(f"{name}, p95", answers[int(len(answers) * 0.95)], 50)
        line(f"{name}, median", answers[len(answers) // 2], 50)
        line(f"longest stall at {speed:,} events/s", report["stall_max_ms"], 50)
        line(f"memory after {report['events']:,} events", report["rss_mb"], 130, "MB")
    sent = bytes_sent()
    for name, budget in (("j", 1), ("k", 1), ("a step of a model", 8), ("a step of code", 8),
                         ("going to a pane", 8), ("opening the help", 16),
                         ("a second of 200 tokens", 32)):  # fmt: skip
        line(f"bytes for {name}", sent[name] / 1024, budget, "KB")
    values = asyncio.run(big_json())
    for name, budget in (("open", 100), ("unfold all", 150), ("fold", 200), ("search", 50),
                         ("expression", 200)):  # fmt: skip
        line(f"50,000 nodes: {name}", values[name], budget)
    texts = asyncio.run(big_text())
    for name, budget in (("first slice", 16), ("append 100 tokens", 16), ("search", 50),
                         ("200 KB line", 16)):  # fmt: skip
        line(f"5 MB text: {name}", texts[name], budget)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    line("memory with 50,000 nodes and 5 MB of text", memory, 130, "MB")
    for name, (stall, _) in asyncio.run(tui_stalls.all_stalls()).items():
        line(f"longest stall: {name}", stall, tui_stalls.LONGEST)


if __name__ == "__main__":
    main()
