"""The session: all that the client knows about one debugging run, as one immutable value.

`fold.apply` makes the next session from an entry of the log; nothing else changes one. The parts:

    Session ── plan, edits, breakpoints, turns, events, anomalies
       └── branches ── cursor, execution id, outputs, executions (an attempt each)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from flowdbg.core.entries import ForkReason, Outcome, Stopped, StopReason, ToolAnswered
from flowdbg.core.events import Path, Received, Tokens, ToolCallsRequested
from flowdbg.core.json_text import JsonText, Segments
from flowdbg.core.plan import Plan, StepChange, compare_plans
from flowdbg.core.trail import Trail


class State(StrEnum):
    """What the session is doing, in the words of the status line."""

    PAUSED = "paused"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    TOOLS = "tools"
    STALE = "stale"
    UNKNOWN = "unknown"


class Status(StrEnum):
    """How an execution stands."""

    RUNNING = "running"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    WAITING = "waiting"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Execution:
    """One attempt at a step, or at something inside one (`path`)."""

    step_id: str
    attempt: int = 1
    path: Path = ()
    name: str = ""
    status: Status = Status.RUNNING
    turn: int = 0
    started_at: float = 0.0
    ended_at: float | None = None
    input: JsonText | None = None
    chunks: Trail[JsonText] = field(default_factory=Trail)
    output: JsonText | None = None
    error: Mapping[str, Any] | None = None
    duration_ms: int | None = None
    tokens: Tokens | None = None
    cost: Decimal | None = None
    children: Mapping[Path, Execution] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """What was streamed so far: strings joined, other values as JSON on lines of their own."""
        return "".join(
            chunk.value if isinstance(chunk.value, str) else f"{chunk.text}\n"
            for chunk in self.chunks
        )


@dataclass(frozen=True, slots=True)
class Branch:
    """A line of turns: where it came from, and where it stands."""

    number: int = 0
    parent: int | None = None
    forked_at: int = 0
    """The cursor at which it left its parent."""
    reason: ForkReason | None = None
    cursor: int = 0
    execution_id: str = ""
    """How the server calls the run; empty before the first answer and for a fresh run."""
    outputs: Mapping[str, JsonText] = field(default_factory=dict)
    """What each step produced, never touched by edits; in the order of the steps."""
    executions: Mapping[str, tuple[Execution, ...]] = field(default_factory=dict)
    skipped: frozenset[str] = frozenset()
    """Steps that were gone past without running; their edited outputs stand in for them."""
    pending: ToolCallsRequested | None = None
    """The tool calls that the step at the cursor waits for."""
    answers: Mapping[str, ToolAnswered] = field(default_factory=dict)
    """What was answered so far, by the call's id."""
    done: bool = False
    result: JsonText | None = None

    @property
    def unanswered(self) -> tuple[Mapping[str, Any], ...]:
        """The pending calls that have no answer yet."""
        calls = self.pending.calls if self.pending else ()
        return tuple(call for call in calls if str(call.get("id", "")) not in self.answers)

    def replace(self, **changes: Any) -> Branch:
        """This branch with some fields changed."""
        return dataclasses.replace(self, **changes)


@dataclass(frozen=True, slots=True)
class Given:
    """What a turn was asked with: the plan, the inputs and the edits in force when it began."""

    plan: Plan = field(default_factory=Plan)
    message: str | None = None
    parameters: JsonText = field(default_factory=lambda: JsonText("{}"))
    output_edits: Mapping[str, JsonText] = field(default_factory=dict)
    block_edits: Mapping[str, Mapping[str, JsonText]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Turn:
    """One request to the server and how it ended."""

    number: int
    branch: int
    index: int
    run_remaining: bool
    route: str
    body: Segments
    started_at: float
    given: Given = field(default_factory=Given)
    completed: int = 0
    """Plan entries that were completed in this turn."""
    terminal: Outcome | None = None
    """What the event that ends a turn said; None while none came."""
    version: int | None = None
    plan_hash: str = ""
    surprise: str = ""
    """What moved under the session in this turn; empty when nothing did."""
    failure: str = ""
    """The message of the failure that ended it; empty when none did."""
    outcome: Outcome | None = None
    """How it ended; None while it runs."""
    elapsed: float = 0.0
    what: str = ""
    next_step: str = ""
    code: str = ""
    tail: str = ""


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event in the order it came, with the time it was received at."""

    at: float
    branch: int
    turn: int
    received: Received


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Something the server sent that does not fit; recorded and shown, never acted on."""

    at: float
    turn: int
    event: int
    """Which of the session's events it was."""
    what: str


@dataclass(frozen=True, slots=True)
class Breakpoint:
    """A breakpoint before a step."""

    step_id: str
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class StalePlan:
    """The plan changed under the session: what it was, what it is, and each step's fate."""

    old: Plan
    new: Plan
    detail: str

    @property
    def changes(self) -> tuple[StepChange, ...]:
        """Each step of the new plan in order, then those that are gone."""
        return compare_plans(self.old, self.new)


@dataclass(frozen=True, slots=True)
class Totals:
    """What the session's executions took together."""

    tokens: Tokens = field(default_factory=Tokens)
    cost: Decimal | None = None
    elapsed: float = 0.0
    """Seconds in finished turns."""


@dataclass(frozen=True, slots=True)
class Session:
    """One debugging run; immutable."""

    id: str = ""
    dialect: str = ""
    url: str = ""
    address: str = ""
    pinned: int | None = None
    """The version that calls go to; None follows production."""
    message: str | None = None
    parameters: JsonText = field(default_factory=lambda: JsonText("{}"))
    tools: str = ""
    tool_choice: str = ""
    attachments: str = ""
    trace: bool = False
    file: str = ""
    """The flow file that the session was opened on; empty for a flow on a server."""
    plan: Plan = field(default_factory=Plan)
    stale: StalePlan | None = None
    branches: tuple[Branch, ...] = (Branch(),)
    current: int = 0
    output_edits: Mapping[str, JsonText] = field(default_factory=dict)
    block_edits: Mapping[str, Mapping[str, JsonText]] = field(default_factory=dict)
    breakpoints: Mapping[str, Breakpoint] = field(default_factory=dict)
    turns: Trail[Turn] = field(default_factory=Trail)
    running: Turn | None = None
    """The turn under way; None between turns."""
    verb: str = ""
    """The running verb; empty when the person has the word."""
    stop: Stopped = field(default_factory=lambda: Stopped(StopReason.START))
    events: Trail[LoggedEvent] = field(default_factory=Trail)
    anomalies: Trail[Anomaly] = field(default_factory=Trail)
    totals: Totals = field(default_factory=Totals)

    def replace(self, **changes: Any) -> Session:
        """This session with some fields changed."""
        return dataclasses.replace(self, **changes)

    @property
    def branch(self) -> Branch:
        """The branch that the session is on."""
        return self.branches[self.current]

    @property
    def cursor(self) -> int:
        """The index of the step that runs next."""
        return self.branch.cursor

    @property
    def at_end(self) -> bool:
        """Whether no step is left to run on the current branch."""
        length = self.plan.length
        return self.branch.done or (length is not None and length <= self.cursor)

    @property
    def state(self) -> State:
        """What the session is doing."""
        if self.verb or self.running:
            return State.RUNNING
        if self.stale:
            return State.STALE
        if self.at_end:
            return State.DONE
        by_reason = {
            StopReason.ERROR: State.FAILED,
            StopReason.TOOL_CALL: State.TOOLS,
            StopReason.UNKNOWN: State.UNKNOWN,
        }
        return by_reason.get(self.stop.reason, State.PAUSED)

    @property
    def given(self) -> Given:
        """What a turn that began now would be asked with."""
        return Given(self.plan, self.message, self.parameters, self.output_edits, self.block_edits)

    @property
    def version(self) -> int | None:
        """The version the session runs, as far as the server tells."""
        return self.pinned if self.pinned is not None else self.plan.version

    def attempts(self, step_id: str) -> tuple[Execution, ...]:
        """Every attempt at a step on the current branch, oldest first."""
        return self.branch.executions.get(step_id, ())

    def execution(self, step_id: str) -> Execution | None:
        """The latest attempt at a step on the current branch."""
        attempts = self.attempts(step_id)
        return attempts[-1] if attempts else None
