"""A headless run whose flow is published again between two of its steps."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from flowdbg.core.entries import EventReceived
from flowdbg.core.events import StepCompleted
from flowdbg.core.plan import Plan
from flowdbg.debugger import Change
from flowdbg.headless.exit_codes import ExitCode
from flowdbg.headless.report import JsonReport
from flowdbg.headless.run import OnStale, RunOptions, run
from tests.debugger.conftest import OpenDebugger, open_debugger, server
from tests.debugger.flows import FLOW, publish
from tests.serving import Running

__all__ = ["open_debugger", "server"]

NEW = FLOW.replace("id: take", "id: accept")


class RepublishingReport(JsonReport):
    """Publishes the flow again as soon as the first step has ended."""

    def __init__(self, out: io.StringIO, plan: Plan, base: str) -> None:
        super().__init__(out, plan)
        self._base = base
        self._published = False

    def show(self, change: Change) -> None:
        super().show(change)
        for entry in change.entries:
            body = entry.body
            if isinstance(body, EventReceived) and isinstance(body.received.event, StepCompleted):
                self._publish()

    def _publish(self) -> None:
        if not self._published:
            self._published = True
            publish(self._base, NEW)


async def run_with(
    open_debugger: OpenDebugger, server: Running, on_stale: OnStale
) -> tuple[ExitCode, list[dict[str, Any]]]:
    debugger = await open_debugger()
    out = io.StringIO()
    report = RepublishingReport(out, debugger.session.plan, server.base)
    code = await run(debugger, RunOptions(on_stale=on_stale), report)
    return code, [json.loads(line) for line in out.getvalue().splitlines()]


async def test_stop_ends_with_5_and_shows_what_moved(
    open_debugger: OpenDebugger, server: Running
) -> None:
    code, lines = await run_with(open_debugger, server, "stop")
    assert code == 5
    stale, outcome = lines[-2:]
    assert stale["event"] == "plan_stale"
    assert (stale["was_version"], stale["version"]) == (1, 2)
    assert {step["step_id"]: step["change"] for step in stale["steps"]} == {
        "accept": "new",
        "summarise": "same",
        "count": "same",
        "take": "gone",
    }
    assert outcome["reason"] == "stale plan"
    assert "(R)" not in outcome["detail"]


@pytest.mark.parametrize(
    ("on_stale", "first", "version"), [("restart", "accept", 2), ("pin", "take", 1)]
)
async def test_restart_and_pin_go_on_to_the_end(
    open_debugger: OpenDebugger,
    server: Running,
    on_stale: OnStale,
    first: str,
    version: int,
) -> None:
    code, lines = await run_with(open_debugger, server, on_stale)
    assert code == 0
    outcome = lines[-1]
    assert list(outcome["outputs"]) == [first, "summarise", "count"]
    assert outcome["version"] == version
