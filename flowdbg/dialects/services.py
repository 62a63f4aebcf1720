"""What the server offers to the routes of a dialect: flows to resolve and runs to record.

The routes see only these shapes, the server implements them; so a dialect depends on the engine
and on no storage, and all dialects share one set of flows, versions and runs.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from flowdbg.engine.definition import FlowDefinition
from flowdbg.engine.events import EngineEvent
from flowdbg.engine.plan import PlanEntry
from flowdbg.errors import FlowdbgError

Trigger = Literal["step", "execute", "job"]
CallEnd = Literal["paused", "completed", "failed", "cancelled", "interrupted"]

DRAFT = 0
"""The version number that addresses the draft."""


class Address(NamedTuple):
    """Where a flow lives: `org/project/flow`."""

    org: str
    project: str
    flow: str

    def __str__(self) -> str:
        return "/".join(self)


@dataclass(frozen=True, slots=True)
class Resolved:
    """One version of a flow, ready to run."""

    flow_id: str
    address: Address
    version: int | None
    """None for the draft."""
    production: bool
    """Whether this is the version that an address without a version means."""
    definition: FlowDefinition
    plan: tuple[PlanEntry, ...]
    plan_hash: str


class FlowUnknown(FlowdbgError):
    """No flow at the address, or no such version."""


class Flows(Protocol):
    """The flows that are served."""

    async def resolve(self, address: Address, version: int | None) -> Resolved:
        """The version that an address means: None = production, else the draft; 0 = the draft.

        Raises:
            FlowUnknown: No such flow or version.
            DefinitionError: The draft does not parse, or a frozen version is damaged.
        """


@dataclass(frozen=True, slots=True)
class RunStart:
    """How a call of a run begins."""

    resolved: Resolved
    trigger: Trigger
    initial: Mapping[str, Any]
    """`message`, `parameters` and `attachments` of the run."""
    run_id: str | None = None
    """A run that goes on; None begins a new one."""
    keep_initial: bool = True
    """Whether a run that goes on keeps what it was started with."""
    session_id: str | None = None
    full_capture: bool = False
    """Keep whole inputs and outputs in the run's record."""


class Call(Protocol):
    """One call of a run while it is served; what it does is recorded."""

    @property
    def run_id(self) -> str:
        """The run's id (a UUID), also known as executionId."""

    def enter(self, entry: PlanEntry) -> None:
        """Begin to record a plan entry; the one before it is over."""

    def note(self, event: EngineEvent) -> None:
        """Record what one of the entry's events tells."""

    async def close(self, end: CallEnd, error: Mapping[str, Any] | None = None) -> None:
        """Write what the call did and how it ended; durable when this returns."""

    def abandon(self, end: CallEnd) -> None:
        """Have the call's end written without waiting, for a task that is being cancelled."""


class Runs(Protocol):
    """The runs that are recorded."""

    async def initial(self, flow_id: str, run_id: str) -> Mapping[str, Any] | None:
        """What a run of this flow was started with; None when there is no such run."""

    async def begin(self, start: RunStart) -> Call:
        """Write the run's record; it is durable when this returns."""


class Engine(Protocol):
    """What runs plan entries; `flowdbg.engine.runner.Runner` does."""

    def run_entry(
        self,
        definition: FlowDefinition,
        index: int,
        *,
        outputs: Mapping[str, Any],
        initial: Mapping[str, Any],
        input_overrides: Mapping[str, Any],
        block_overrides: Mapping[str, Mapping[str, Any]],
    ) -> AsyncGenerator[EngineEvent, None]:
        """Run one plan entry; see the runner. Closing the generator cancels it.

        Raises:
            EngineError: The request does not fit; raised before the first event.
        """


class Stopping(Protocol):
    """The streams that are open, so that a stopping server can end them."""

    @property
    def begun(self) -> bool:
        """Whether the server is being stopped."""

    def on_stop(self, end: Callable[[], object]) -> AbstractContextManager[None]:
        """Have `end` called when the server stops, while the context is open."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a dialect's routes get."""

    flows: Flows
    runs: Runs
    engine: Engine
    stopping: Stopping
    max_body: int
    """Bytes of the largest request body."""
    heartbeat: float
    """Seconds of silence after which a stream sends a heartbeat."""
