"""Programs that `tui_budgets.py` measures: the debug screen under load, and bare ones beside it.

    python benchmarks/tui_program.py screen [EVENTS]   the debug screen, EVENTS a second, no server
    python benchmarks/tui_program.py widgets           the same widgets in a bare Textual app
    python benchmarks/tui_program.py label             a Textual app with one label

With FLOWDBG_BENCH_REPORT set, the stalls of the event loop and the memory are written there.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowdbg.debugger.journal import Journal

TICK = 0.005
STEPS = 100


def widgets_app() -> None:
    """The widgets of the debug screen with the same content, and nothing else of flowdbg."""
    from textual.app import App, ComposeResult
    from textual.containers import Horizontal, Vertical

    from flowdbg.present.looks import StepState
    from flowdbg.present.plan_rows import PlanRow
    from flowdbg.tui.widgets.detail_pane import DetailPane
    from flowdbg.tui.widgets.editor_pane import EditorPane
    from flowdbg.tui.widgets.edits_view import EditsView
    from flowdbg.tui.widgets.events_view import EventsView
    from flowdbg.tui.widgets.footer_bar import FooterBar, Hint
    from flowdbg.tui.widgets.json_view import JsonView
    from flowdbg.tui.widgets.leaf_editor import LeafEditor
    from flowdbg.tui.widgets.plan_view import PlanView
    from flowdbg.tui.widgets.search_bar import SearchBar
    from flowdbg.tui.widgets.status_bar import StatusBar
    from flowdbg.tui.widgets.tips_line import TipsLine
    from flowdbg.tui.widgets.view_tabs import ViewTabs

    class Widgets(App[None]):
        def compose(self) -> ComposeResult:
            yield StatusBar()
            with Horizontal():
                with Vertical():
                    yield PlanView()
                with Vertical():
                    yield ViewTabs(id="all")
                    with Horizontal():
                        yield DetailPane()
                        yield EditorPane()
                        with Vertical():
                            yield JsonView()
                            yield EditsView()
                    yield EventsView(str)  # type: ignore[arg-type] # it stays empty
                    yield LeafEditor()
                    yield SearchBar()
            yield TipsLine()
            yield FooterBar()

        def on_mount(self) -> None:
            rows = [
                PlanRow(f"s{at}", f"Step {at}", "llm", StepState.PENDING, at + 1)
                for at in range(STEPS)
            ]
            self.query_one(PlanView).show_rows(tuple(rows))
            self.query_one(FooterBar).show_hints([Hint("", "n", "Step", 1)])

    Widgets().run()


def label_app() -> None:
    """The least that Textual shows."""
    from textual.app import App, ComposeResult
    from textual.widgets import Label

    class Least(App[None]):
        def compose(self) -> ComposeResult:
            yield Label("Step 0")

    Least().run()


async def screen_app(events_a_second: int) -> None:
    """The debug screen on a session in memory, with events that come as a server's would."""
    from flowdbg.core.address import parse_address
    from flowdbg.core.entries import Body, Entry, PlanLoaded, SessionOpened, Stopped, StopReason
    from flowdbg.core.fold import apply_all
    from flowdbg.core.plan import Plan, Step
    from flowdbg.core.session import Session
    from flowdbg.debugger import Debugger
    from flowdbg.debugger.journal import Journal
    from flowdbg.dialects.targets import make_target
    from flowdbg.tui.app import DebugApp

    steps = tuple(Step(f"s{at}", f"Step {at}", "llm", {"prompt": "x"}) for at in range(STEPS))
    address = "acme/bench/flow"
    url = "http://127.0.0.1:1/api/v1"
    bodies: list[Body] = [
        SessionOpened("bench", "noukai", url, address, None, "hello"),
        PlanLoaded(Plan(steps, 1, "h", {}, True)),
        Stopped(StopReason.START),
    ]
    session = apply_all(Session(), [Entry(time.time(), 0, body) for body in bodies])
    target = make_target("noukai", url=url, address=parse_address(address), key=lambda: "")
    journal = Journal(None, session)
    app = DebugApp(Debugger(target, journal), state_dir=Path(tempfile.mkdtemp()))
    stalls: list[float] = []
    tasks = [asyncio.create_task(_tick(stalls))]
    if events_a_second:
        tasks.append(asyncio.create_task(_feed(journal, events_a_second)))
    await app.run_async()
    measured = len(stalls) - 40  # leaving the program is not part of it
    del stalls[max(measured, 1) :]
    for task in tasks:
        task.cancel()
    _report(stalls, len(journal.session.events))


async def _tick(stalls: list[float]) -> None:
    """Note by how much the event loop is late, every 5 ms."""
    await asyncio.sleep(1)
    while True:
        before = time.perf_counter()
        await asyncio.sleep(TICK)
        stalls.append(time.perf_counter() - before - TICK)


async def _feed(journal: Journal, events_a_second: int) -> None:
    """Stream one step's output, evenly."""
    from flowdbg.core.entries import CommandGiven, EventReceived, TurnStarted
    from flowdbg.core.events import Event, Received, RunStarted, StepOutput, StepStarted
    from flowdbg.core.json_text import JsonText

    def event(received: Event, name: str) -> EventReceived:
        return EventReceived(1, Received(name, ('{"delta":"word "}',), received))

    await asyncio.sleep(1)
    await journal.write(CommandGiven("step"), TurnStarted(1, 0, False, "/step", ("{}",)))
    await journal.write(event(RunStarted("run", STEPS, 1, "h"), "run_started"))
    await journal.write(event(StepStarted("s0", "Step 0"), "step_started"))
    batch = max(events_a_second // 100, 1)
    chunk = event(StepOutput("s0", JsonText('"word "')), "step_output")
    while True:
        await journal.write(*[chunk] * batch)
        await asyncio.sleep(batch / events_a_second)


def _report(stalls: list[float], events: int) -> None:
    file = os.environ.get("FLOWDBG_BENCH_REPORT")
    if file:
        ordered = sorted(stalls)
        report = {
            "stall_max_ms": ordered[-1] * 1000,
            "stall_p99_ms": ordered[int(len(ordered) * 0.99)] * 1000,
            "events": events,
            "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
        Path(file).write_text(json.dumps(report))


def main() -> None:
    match sys.argv[1:]:
        case ["label"]:
            label_app()
        case ["widgets"]:
            widgets_app()
        case ["screen", *rest]:
            asyncio.run(screen_app(int(rest[0]) if rest else 0))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
