"""What the runner yields while it runs one plan entry; the dialects turn these into wire events.

A `path` names a node below the plan entry: identifiers and, inside loops, iteration indexes
(0-based). `()` is the entry itself; `(2, "draft")` is block `draft` in the third iteration of an
entry that is a loop. Order: `StepInput` of the entry first, one terminal event last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

NodePath = tuple[str | int, ...]
"""Identifiers and iteration indexes below the plan entry."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What model calls consumed; adds up over the blocks of an entry."""

    prompt: int = 0
    """Tokens read."""
    completion: int = 0
    """Tokens written."""
    cost: Decimal | None = Decimal(0)
    """US dollars; None when a provider did not tell and no price is configured."""

    @property
    def total(self) -> int:
        """Tokens read and written."""
        return self.prompt + self.completion

    def __add__(self, other: Usage) -> Usage:
        known = self.cost is not None and other.cost is not None
        cost = self.cost + other.cost if known else None  # type: ignore[operator]  # both known
        return Usage(self.prompt + other.prompt, self.completion + other.completion, cost)

    @property
    def cost_text(self) -> str | None:
        """The cost as a plain decimal string such as `0.000150`; None when it is not known."""
        return None if self.cost is None else format(self.cost, "f")


@dataclass(frozen=True, slots=True)
class StepInput:
    """What a block or the entry reads (its pipeline input)."""

    path: NodePath
    value: Any


@dataclass(frozen=True, slots=True)
class OutputChunk:
    """A piece of a block's output: token text (`str`), or any JSON value."""

    path: NodePath
    delta: Any


@dataclass(frozen=True, slots=True)
class PromptRendered:
    """An `llm` block is about to ask its model; once for each attempt."""

    path: NodePath
    model: str
    messages: Sequence[Mapping[str, Any]]
    """OpenAI chat messages, as they are sent."""


@dataclass(frozen=True, slots=True)
class IterationStarted:
    """Iteration `index` (0-based) of `count` begins; `path` is the loop."""

    path: NodePath
    index: int
    count: int


@dataclass(frozen=True, slots=True)
class IterationFinished:
    """Iteration `index` ended with `output`; `path` is the loop."""

    path: NodePath
    index: int
    count: int
    output: Any


@dataclass(frozen=True, slots=True)
class NodeStarted:
    """A node inside a container begins."""

    path: NodePath
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class NodeFinished:
    """A node inside a container ended with `output`."""

    path: NodePath
    output: Any
    usage: Usage
    duration_ms: int


@dataclass(frozen=True, slots=True)
class NodeSkipped:
    """A node (or the entry) did not run because its `when` was false; `output` is its input.

    For a node inside a container it stands in place of `NodeFinished`; for the entry the terminal
    event still follows.
    """

    path: NodePath
    output: Any


@dataclass(frozen=True, slots=True)
class NodeRetried:
    """Attempt `attempt` (1-based) failed with `error` and is repeated."""

    path: NodePath
    attempt: int
    error: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EntryCompleted:
    """Terminal: the entry ended with `output`."""

    output: Any
    usage: Usage
    duration_ms: int
    model: str | None
    """The model when the entry used exactly one; else None."""


@dataclass(frozen=True, slots=True)
class EntryFailed:
    """Terminal: the block at `path` failed; `error` has at least `code` and `message`."""

    path: NodePath
    error: Mapping[str, Any]
    usage: Usage = Usage()
    duration_ms: int = 0


@dataclass(frozen=True, slots=True)
class EntryPaused:
    """Terminal for this call: the entry stopped on purpose and can be resumed with `state`."""

    reason: Literal["tool_calls", "stop"]
    state: Mapping[str, Any]
    """JSON-serialisable; give it to `run_entry(resume=…)`."""
    path: NodePath = ()
    """The block that asks for tools, or that would run next."""
    tool_calls: Sequence[Mapping[str, Any]] = ()
    """Calls the model asked for: `{id, type, function: {name, arguments (JSON text)}}`."""
    messages: Sequence[Mapping[str, Any]] = ()
    """The conversation so far, opaque to a client; append tool messages and resume."""
    iterations_used: int = 0
    """Rounds of tool calls so far, this one included."""
    usage: Usage = Usage()
    duration_ms: int = 0


TerminalEvent = EntryCompleted | EntryFailed | EntryPaused
EngineEvent = (
    StepInput
    | OutputChunk
    | PromptRendered
    | IterationStarted
    | IterationFinished
    | NodeStarted
    | NodeFinished
    | NodeSkipped
    | NodeRetried
    | TerminalEvent
)
