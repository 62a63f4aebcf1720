"""Dialect-free events: what a server told about a run, whatever protocol it spoke."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from flowdbg.core.json_text import JsonText, Segments

Path = tuple[str | int, ...]
"""Where inside a step something happened: ids and iteration numbers; `()` is the step itself."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of a model call."""

    prompt: int = 0
    completion: int = 0
    total: int = 0

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(
            self.prompt + other.prompt,
            self.completion + other.completion,
            self.total + other.total,
        )


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A call was accepted; `execution_id` names the run from now on."""

    execution_id: str = ""
    step_count: int | None = None
    version: int | None = None
    plan_hash: str = ""


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step, or something inside it, began."""

    step_id: str
    name: str = ""
    path: Path = ()


@dataclass(frozen=True, slots=True)
class StepInput:
    """The input that a step runs on."""

    step_id: str
    value: JsonText
    path: Path = ()


@dataclass(frozen=True, slots=True)
class StepOutput:
    """A part of a step's output while it is produced; a JSON string is text to append."""

    step_id: str
    delta: JsonText
    path: Path = ()


@dataclass(frozen=True, slots=True)
class StepCompleted:
    """A step ended well; `output` is what later steps read."""

    step_id: str
    output: JsonText
    name: str = ""
    duration_ms: int | None = None
    tokens: Tokens | None = None
    cost: Decimal | None = None
    path: Path = ()
    skipped: bool = False
    """True when a guard left the step out; its output is defined all the same."""


@dataclass(frozen=True, slots=True)
class StepFailed:
    """A step failed as a whole; `error` has at least a `message`, `path` is what inside failed."""

    step_id: str
    error: Mapping[str, Any]
    name: str = ""
    path: Path = ()


@dataclass(frozen=True, slots=True)
class StepProgress:
    """The run goes on, or an iteration of a loop began or ended; informative only."""

    step_id: str = ""
    path: Path = ()
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepPaused:
    """The call ends here and the run can go on; `next_index` is the server's cursor, if told."""

    step_id: str = ""
    next_index: int | None = None


@dataclass(frozen=True, slots=True)
class ToolCallsRequested:
    """A step waits for tool results; `state` is opaque and goes back with them."""

    step_id: str
    calls: tuple[Mapping[str, Any], ...]
    state: JsonText
    iterations_used: int = 0
    index: int | None = None


@dataclass(frozen=True, slots=True)
class RunCompleted:
    """The flow came to its end."""

    result: JsonText | None = None


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """An event that the dialect does not know, or cannot read; `problem` says why."""

    problem: str


Event = (
    RunStarted
    | StepStarted
    | StepInput
    | StepOutput
    | StepCompleted
    | StepFailed
    | StepProgress
    | StepPaused
    | ToolCallsRequested
    | RunCompleted
    | UnknownEvent
)


@dataclass(frozen=True, slots=True)
class Received:
    """An event as it came: its name and raw text, and what the dialect made of it."""

    name: str
    data: Segments
    event: Event
