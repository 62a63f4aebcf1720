"""What the server offers to the routes of a dialect: flows to resolve and runs to record.

The routes see only these shapes, the server implements them; so a dialect depends on the engine
and on no storage, and all dialects share one set of flows, versions and runs.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from flowdbg.core.json_text import JsonText
from flowdbg.dialects.records import (
    CallEnd,
    Capture,
    RunRecord,
    RunStatus,
    StepNote,
    StepRecord,
    Trigger,
)
from flowdbg.engine.definition import FlowDefinition
from flowdbg.engine.events import EngineEvent
from flowdbg.engine.plan import PlanEntry
from flowdbg.engine.runner import Runner
from flowdbg.engine.scripts import ScriptedReplies
from flowdbg.errors import FlowdbgError

BlockOverrides = Mapping[str, Mapping[str, Any]]
"""Step id to the fields that stand in for its configuration."""

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
    capture: Capture
    """How much of inputs and outputs its runs keep."""


class FlowUnknown(FlowdbgError):
    """No flow at the address, or no such version."""


class PauseTaken(FlowdbgError):
    """Another call of the run goes on after its pause, or has done so meanwhile."""


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
    """`message`, `parameters` and what else the run was asked with."""
    run_id: str | None = None
    """A run that goes on; None begins a new one."""
    keep_initial: bool = True
    """Whether a run that goes on keeps what it was started with."""
    after: RunRecord | None = None
    """The run as it was found, when the call goes on after a pause: one such call at a time may."""
    session_id: str | None = None
    full_capture: bool = False
    """Keep whole inputs and outputs in the run's record, whatever the flow's mode is."""


class Call(Protocol):
    """One call of a run while it is served; what it does is recorded and told to followers."""

    @property
    def run_id(self) -> str:
        """The run's id (a UUID), also known as executionId."""

    def enter(self, index: int, resume: Mapping[str, Any] | None = None) -> None:
        """Begin to record a plan entry; the one before it is over.

        `resume` is the engine's state that the entry goes on from.
        """

    def note(self, event: EngineEvent) -> None:
        """Record what one of the entry's events tells."""

    async def close(
        self,
        end: CallEnd,
        *,
        error: Mapping[str, Any] | None = None,
        pending: Mapping[str, Any] | None = None,
        result: JsonText | None = None,
    ) -> None:
        """Write what the call did and how it ended; durable when this returns.

        `pending` is what a pause needs in order to go on, `result` an output to be fetched later.
        """

    def abandon(self, end: CallEnd) -> None:
        """Have the call's end written without waiting, for a task that is being cancelled."""


class Runs(Protocol):
    """The runs that are recorded."""

    async def find(self, flow_id: str, run_id: str) -> RunRecord | None:
        """A run of a flow; None when the flow has no such run."""

    async def begin(self, start: RunStart) -> Call:
        """Write the run's record; it is durable when this returns.

        Raises:
            PauseTaken: The run is not as `start.after` says any more, or is being served.
        """


@dataclass(frozen=True, slots=True)
class Entered:
    """A followed run begins a plan entry."""

    index: int
    entry: PlanEntry


@dataclass(frozen=True, slots=True)
class Replayed:
    """A followed run's earlier step."""

    record: StepNote


@dataclass(frozen=True, slots=True)
class Ended:
    """A followed run is over, or waits for its next call."""

    run: RunRecord


Followed = Entered | Replayed | EngineEvent | Ended


class History(Protocol):
    """What runs left behind."""

    async def run(self, run_id: str) -> tuple[RunRecord, Address] | None:
        """A run, and its flow's address."""

    async def steps(self, run_id: str) -> list[StepRecord]:
        """Every step record of a run, in the order in which they ended."""

    async def runs(
        self, flow_id: str, statuses: Sequence[RunStatus], limit: int
    ) -> list[RunRecord]:
        """The newest runs of a flow; no statuses means all."""

    async def address(self, flow_id: str) -> Address | None:
        """The address of a flow, by its id."""

    async def flow_id(self, address: Address) -> str | None:
        """The id of a flow, by its address."""

    async def session(self, session_id: str) -> list[tuple[RunRecord, Address]]:
        """The runs that carry a session's tag, in the order in which they were called."""

    def follow(self, run_id: str) -> AsyncGenerator[Followed, None]:
        """A run's steps so far, then what happens while it happens; ends with `Ended`."""


class Jobs(Protocol):
    """The queue of runs that nobody waits for on an open connection."""

    async def submit(self, start: RunStart, block_overrides: BlockOverrides) -> str:
        """Queue a run durably; returns its id."""


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
    history: History
    jobs: Jobs
    engine: Runner
    sees_images: Callable[[str, Mapping[str, ScriptedReplies]], bool]
    """Whether a model, by its id and the flow's scripts, takes images."""
    stopping: Stopping
    strict_first_call: bool
    """Whether a later step needs the `executionId` of its run."""
    max_body: int
    """Bytes of the largest request body."""
    heartbeat: float
    """Seconds of silence after which a stream sends a heartbeat."""
