"""The entries of a session's log: everything a person did and everything a server sent.

A session is the fold of its log and nothing else, so an entry carries all that the fold needs.
Entries go to disk as records (`to_record`) and come back (`from_record`) byte for byte; events
are read again from their raw text by the dialect that received them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from flowdbg.core.events import Received
from flowdbg.core.json_text import JsonText, Segments, join
from flowdbg.core.plan import Plan
from flowdbg.core.records import Record


class StopReason(StrEnum):
    """Why the debugger paused."""

    START = "start"
    STEP = "step"
    BREAKPOINT = "breakpoint"
    ERROR = "error"
    TOOL_CALL = "tool call"
    INPUT_NEEDED = "input needed"
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
    | ExecutionLost
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log: what happened, on which branch, and when (seconds since the epoch)."""

    at: float
    branch: int
    body: Body


_KINDS: dict[str, type[Any]] = {
    "session_opened": SessionOpened,
    "inputs_given": InputsGiven,
    "plan_loaded": PlanLoaded,
    "plan_went_stale": PlanWentStale,
    "version_pinned": VersionPinned,
    "command_given": CommandGiven,
    "turn_started": TurnStarted,
    "event_received": EventReceived,
    "turn_ended": TurnEnded,
    "stopped": Stopped,
    "output_edited": OutputEdited,
    "output_edit_cleared": OutputEditCleared,
    "block_edited": BlockEdited,
    "breakpoint_set": BreakpointSet,
    "tool_answered": ToolAnswered,
    "forked": Forked,
    "execution_lost": ExecutionLost,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}
_ENUMS: dict[str, type[StrEnum]] = {
    "turn_ended.outcome": Outcome,
    "stopped.reason": StopReason,
    "forked.reason": ForkReason,
}

Decode = Callable[[str, str], Received]
"""How a dialect reads an event: its name and its raw text; never raises."""


def to_record(entry: Entry) -> Record:
    """What goes to disk for an entry."""
    body = entry.body
    kind = _NAMES[type(body)]
    text: Segments = ()
    meta: dict[str, Any]
    match body:
        case EventReceived(turn, received):
            meta, text = {"turn": turn, "name": received.name}, received.data
        case TurnStarted():
            meta, text = _fields(body, "body"), body.body
        case OutputEdited(step_id, value):
            meta, text = {"step_id": step_id}, (value,)
        case BlockEdited(step_id, fields):
            meta = {"step_id": step_id, "names": list(fields)}
            text = (_object_text(fields),)
        case SessionOpened() | InputsGiven():
            meta, text = _fields(body, "parameters"), (body.parameters,)
        case PlanLoaded(plan):
            meta, text = {}, (JsonText.of(plan.to_json()),)
        case PlanWentStale(plan, detail):
            meta, text = {"detail": detail}, (JsonText.of(plan.to_json()),)
        case _:
            meta = _fields(body)
    return Record(kind, entry.branch, entry.at, meta, text)


def from_record(record: Record, decode: Decode) -> Entry:
    """The entry that a record was made from.

    Raises:
        ValueError: The record's kind or fields are not known; the message names the kind.
    """
    kind = _KINDS.get(record.kind)
    if kind is None:
        raise ValueError(f"the kind '{record.kind}' is not known")
    meta = dict(record.meta)
    try:
        return Entry(record.at, record.branch, _body(record, kind, meta, decode))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"'{record.kind}' has another shape: {error}") from error


def _body(record: Record, kind: type[Any], meta: dict[str, Any], decode: Decode) -> Body:
    if kind is EventReceived:
        return EventReceived(meta["turn"], decode(meta["name"], join(record.body)))
    if kind is TurnStarted:
        return TurnStarted(**meta, body=record.body)
    if kind is OutputEdited:
        return OutputEdited(meta["step_id"], JsonText(join(record.body)))
    if kind is BlockEdited:
        texts = JsonText(join(record.body)).value
        return BlockEdited(meta["step_id"], {name: JsonText(texts[name]) for name in meta["names"]})
    if kind in (SessionOpened, InputsGiven):
        opened: Body = kind(**meta, parameters=JsonText(join(record.body)))
        return opened
    if kind is PlanLoaded:
        return PlanLoaded(Plan.from_json(JsonText(join(record.body)).value))
    if kind is PlanWentStale:
        return PlanWentStale(Plan.from_json(JsonText(join(record.body)).value), meta["detail"])
    for name, value in meta.items():
        enum = _ENUMS.get(f"{record.kind}.{name}")
        if enum:
            meta[name] = enum(value)
    plain: Body = kind(**meta)
    return plain


def _fields(body: Any, *without: str) -> dict[str, Any]:
    return {
        field.name: getattr(body, field.name)
        for field in dataclasses.fields(body)
        if field.name not in without
    }


def _object_text(fields: Mapping[str, JsonText]) -> JsonText:
    """A JSON object from names to the *texts* of their values, so that they come back verbatim."""
    return JsonText.of({name: value.text for name, value in fields.items()})
