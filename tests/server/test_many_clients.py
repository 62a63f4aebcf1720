"""Two hundred clients at once: every one gets every event, in order."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx

from flowdbg.server.storage.schema import runs
from tests.dialects.noukai.server.stream import Event, names, read_events
from tests.serving import running_server, write_flows

CLIENTS = 200
CHUNKS = 40
FLOW = f"""\
flow: acme/demo/many
inputs:
  message: {{type: string}}
scripts:
  counting:
    replies:
      - chunks: [{", ".join(f'"{number} "' for number in range(CHUNKS))}]
        delay: 0.001
steps:
  - {{id: one, kind: llm, model: scripted/counting, prompt: go}}
  - {{id: two, kind: code, code: "return {{'said': initial['message']}}"}}
"""


async def read_all(base: str) -> list[list[Event]]:
    limits = httpx.Limits(max_connections=CLIENTS)
    async with httpx.AsyncClient(timeout=120, limits=limits) as client:

        async def one(number: int) -> list[Event]:
            body = {"stepIndex": 0, "message": f"client {number}", "runRemaining": True}
            answer = await client.post(f"{base}/seq/acme/demo/many/step", json=body)
            return read_events(answer.content)

        return await asyncio.gather(*(one(number) for number in range(CLIENTS)))


def test_not_one_event_is_lost_or_mixed_up(tmp_path: Path) -> None:
    write_flows(tmp_path, FLOW)
    with running_server([tmp_path], tmp_path / "server.db") as server:
        streams = asyncio.run(read_all(server.base))
        statuses = server.server.database.read_now(
            lambda connection: connection.execute(runs.select()).all()
        )
    for number, events in enumerate(streams):
        assert names(events) == [
            *("run_started", "step_started", "step_input"),
            *["step_output"] * CHUNKS,
            *("step_completed", "step_progress", "step_started", "step_input", "step_completed"),
            *("run_completed", "flow_completed"),
        ]
        said = [event["outputData"] for event in events if event["eventType"] == "step_output"]
        assert said == [f"{index} " for index in range(CHUNKS)]
        assert events[-1]["result"] == {"said": f"client {number}"}
    assert len({events[0]["executionId"] for events in streams}) == CLIENTS
    assert [row.status for row in statuses] == ["completed"] * CLIENTS
