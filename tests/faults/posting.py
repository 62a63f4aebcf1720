"""One POST against one script, and all that came of it; shared by the tests of streams."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from flowdbg.errors import (
    FlowdbgError,
    Interrupted,
)
from flowdbg.transport.client import HttpClient
from flowdbg.transport.event_stream import ServerSentEvent
from flowdbg.transport.stream import EventStream
from flowdbg.transport.timeouts import Timeouts
from tests.faults.server import (
    FaultServer,
    Script,
    sse,
)

STARTED = sse("run_started", {"executionId": "e-1"})
OUTPUT = sse("step_output", {"stepId": "a", "outputData": "hello"})
PAUSED = sse("step_paused", {"stepIndex": 0})


@dataclass
class Outcome:
    """What one POST brought: events, then an end or an error."""

    events: list[ServerSentEvent] = field(default_factory=list)
    error: FlowdbgError | None = None
    stream: EventStream | None = None

    @property
    def names(self) -> list[str]:
        return [event.event for event in self.events]


async def post(
    fault: FaultServer, timeouts: Timeouts | None = None, limit: int = 1 << 26
) -> Outcome:
    """Send one step and note all that comes."""
    outcome = Outcome()
    async with HttpClient(
        fault.url,
        headers=lambda: {"Authorization": "Bearer nk_live_canary0_secret"},
        timeouts=timeouts or Timeouts(),
        max_event_bytes=limit,
    ) as client:
        outcome.stream = client.post_events("/step", b"{}")
        try:
            async with outcome.stream:
                async for event in outcome.stream:
                    outcome.events.append(event)
        except FlowdbgError as error:
            outcome.error = error
    return outcome


async def post_against(
    script: Script, timeouts: Timeouts | None = None, limit: int = 1 << 26
) -> Outcome:
    """One POST against one script; it must have been the only one."""
    async with FaultServer(script) as fault:
        outcome = await post(fault, timeouts, limit)
        await asyncio.wait_for(fault.asked.wait(), 60)  # a client may give up before we look
    assert fault.posts == 1
    return outcome


def assert_interrupted(outcome: Outcome, text: str) -> None:
    assert type(outcome.error) is Interrupted
    assert text in str(outcome.error)
    assert "nothing was sent again" in str(outcome.error)
    assert outcome.stream is not None
    assert outcome.stream.sent
