"""The entries of a session's log: everything a person did and everything a server sent.

A session is the fold of its log and nothing else, so an entry carries all that the fold needs.
`recording` tells how entries go to disk and come back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from flowdbg.core.events import Received
from flowdbg.core.json_text import JsonText, Segments
from flowdbg.core.plan import Plan


class StopReason(StrEnum):
    """Why the debugger paused."""

    START = "start"
    STEP = "step"
    BREAKPOINT = "breakpoint"
    ERROR = "error"
    TOOL_CALL = "tool call"
    INPUT_NEEDED = "input needed"
    EDIT_REFUSED = "edit refused"
    STALE_PLAN = "stale plan"
    UNKNOWN = "outcome unknown"
    SERVER = "server trouble"
    USER = "user"
    END = "end"


class Outcome(StrEnum):
    """How a turn ended."""

    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    TOOL_CALLS = "tool calls"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    """The server answered with an error and ran nothing."""
    NOT_SENT = "not sent"
    """No connection came about, so nothing ran."""
    STALE = "stale plan"
    UNKNOWN = "unknown"
    """The request left and no end was seen: the step may have run."""


class ForkReason(StrEnum):
    """Why a branch was started."""

    RESTART = "restart"
    RETRY = "retry"
    FORK = "fork"


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """The first entry: which flow on which server, and the run's inputs."""

    session_id: str
    dialect: str
    url: str
    address: str
    pinned: int | None = None
    message: str | None = None
    parameters: JsonText = field(default_factory=lambda: JsonText("{}"))
    tools: str = ""
    """Tool definitions as JSON text, sent on every call; empty for none."""
    tool_choice: str = ""
    """JSON text; empty leaves the choice to the server."""
    attachments: str = ""
    """Attachments as JSON text, sent with the inputs; empty for none."""
    trace: bool = False
    """Ask the server to keep full inputs and outputs of the run."""
    file: str = ""
    """The flow file that the session was opened on; empty for a flow on a server."""


@dataclass(frozen=True, slots=True)
class InputsGiven:
    """The run's inputs were given or changed; they count from the next fresh run on."""

    message: str | None
    parameters: JsonText


@dataclass(frozen=True, slots=True)
class PlanLoaded:
    """The plan that the session goes by from now on."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class PlanWentStale:
    """The plan changed under the session; `plan` is what the server has now."""

    plan: Plan
    detail: str


@dataclass(frozen=True, slots=True)
class VersionPinned:
    """Calls go to this version from now on; None follows production."""

    version: int | None


@dataclass(frozen=True, slots=True)
class CommandGiven:
    """A running verb was given; the session runs until `Stopped`."""

    verb: str
    step_id: str = ""


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """A request is about to leave; its exact body is kept."""

    turn: int
    index: int
    run_remaining: bool
    route: str
    body: Segments


@dataclass(frozen=True, slots=True)
class EventReceived:
    """The server sent an event."""

    turn: int
    received: Received


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The turn is over; `what` says what went wrong and `next_step` what to do."""

    turn: int
    outcome: Outcome
    elapsed: float = 0.0
    """Seconds on the monotonic clock."""
    what: str = ""
    next_step: str = ""
    code: str = ""
    tail: str = ""
    """What came after the last whole event of a broken stream."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The debugger paused; the person has the word."""

    reason: StopReason
    detail: str = ""
    step_id: str = ""


@dataclass(frozen=True, slots=True)
class OutputEdited:
    """An input override: this value stands in for a step's whole output."""

    step_id: str
    value: JsonText


@dataclass(frozen=True, slots=True)
class OutputEditCleared:
    """The input override of a step was taken back."""

    step_id: str


@dataclass(frozen=True, slots=True)
class BlockEdited:
    """A block override: the fields of a block that differ, all of them; empty takes it back."""

    step_id: str
    fields: Mapping[str, JsonText]


@dataclass(frozen=True, slots=True)
class BreakpointSet:
    """A breakpoint before a step was set, switched off, or (with `enabled` None) removed."""

    step_id: str
    enabled: bool | None = True


@dataclass(frozen=True, slots=True)
class ToolAnswered:
    """The answer to a pending tool call; it goes out when all calls of the step are answered."""

    call_id: str
    content: str
    by: str = "person"
    """`person` or `handler`."""


@dataclass(frozen=True, slots=True)
class Forked:
    """A new branch begins before the step at `index`; nothing of the old one is overwritten."""

    branch: int
    parent: int
    index: int
    reason: ForkReason
    fresh: bool
    """True for a new run: the execution id is dropped and the inputs go out again."""


@dataclass(frozen=True, slots=True)
class StepSkipped:
    """The step at the cursor was gone past without running; its edited output stands in for it."""

    step_id: str


@dataclass(frozen=True, slots=True)
class ExecutionLost:
    """The server no longer knows the execution id; the next call starts a new run in its place."""

    execution_id: str


Body = (
    SessionOpened
    | InputsGiven
    | PlanLoaded
    | PlanWentStale
    | VersionPinned
    | CommandGiven
    | TurnStarted
    | EventReceived
    | TurnEnded
    | Stopped
    | OutputEdited
    | OutputEditCleared
    | BlockEdited
    | BreakpointSet
    | ToolAnswered
    | Forked
    | StepSkipped
    | ExecutionLost
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log: what happened, on which branch, and when (seconds since the epoch)."""

    at: float
    branch: int
    body: Body
