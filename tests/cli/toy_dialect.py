"""A second dialect, as small as one can be: what stands in a new folder, and no line elsewhere.

Its flows have one step that says what it was told; nothing leaves this process.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from flowdbg.core.address import FlowAddress
from flowdbg.core.events import (
    Event,
    Received,
    RunCompleted,
    RunStarted,
    StepCompleted,
    StepStarted,
)
from flowdbg.core.json_text import JsonText
from flowdbg.core.plan import Plan, Step
from flowdbg.core.requests import TurnRequest
from flowdbg.dialects.target import Ability, Call, Capabilities, Exactness
from flowdbg.dialects.whole_runs import Finished, Paused, RunRequest, ToldPlan
from flowdbg.transport.timeouts import Limits

OPERATIONS = {
    "step": "tests.cli.toy_dialect:ToyTarget",
    "execute": "tests.cli.toy_dialect:ToyExecutor",
}
PLAN = Plan((Step("say", "say"),), told=True)
_EXACT = Ability(Exactness.EXACT)
_MISSING = Ability(Exactness.MISSING, "toys cannot")


class ToyTarget:
    """One flow, stepped."""

    dialect = "toy"
    capabilities = Capabilities(_EXACT, _EXACT, _EXACT, _EXACT, _MISSING, _MISSING, _MISSING)

    def __init__(
        self, url: str, address: FlowAddress, key: Callable[[], str], limits: Limits
    ) -> None:
        self.url = url

    def prepare(self, request: TurnRequest) -> Call:
        return Call("/toy", (JsonText.of({"told": request.message}),))

    @asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[AsyncIterator[list[Received]]]:
        (body,) = call.body
        assert isinstance(body, JsonText)

        async def batches() -> AsyncIterator[list[Received]]:
            yield [self.decode(name, body.text) for name in ("begin", "start", "said", "end")]

        yield batches()

    def decode(self, name: str, data: str) -> Received:
        said = JsonText.of(json.loads(data)["told"])
        events: dict[str, Event] = {
            "begin": RunStarted("toy-run", 1),
            "start": StepStarted("say"),
            "said": StepCompleted("say", said),
            "end": RunCompleted(said),
        }
        return Received(name, (data,), events[name])

    async def fetch_plan(self, pinned: int | None) -> Plan | None:
        return PLAN

    def plan_of(self, detail: Mapping[str, Any]) -> Plan:
        return PLAN

    async def aclose(self) -> None:
        return None


class ToyExecutor:
    """One flow, run whole."""

    def __init__(
        self, url: str, key: Callable[[], str], address: FlowAddress | None, *, session_id: str
    ) -> None:
        self.address = address

    async def plan(self, version: int | None) -> ToldPlan | None:
        return ToldPlan(PLAN, "toy-flow")

    def check(self, request: RunRequest) -> None:
        return None

    async def execute(self, version: int | None, request: RunRequest) -> Finished | Paused:
        return Finished("completed", JsonText.of(request.message), "toy-run")

    async def go_on(
        self,
        version: int | None,
        request: RunRequest,
        paused: Paused,
        results: Sequence[Mapping[str, Any]],
    ) -> Finished | Paused:
        raise AssertionError("toys never wait")

    async def aclose(self) -> None:
        return None
