"""Whole runs and queued ones, in no dialect's words: what is asked, what is answered, who is asked.

A value of a server's is kept as the text it came in. What a server does not tell is empty or None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from flowdbg.core.address import FlowAddress
from flowdbg.core.json_text import JsonText
from flowdbg.core.plan import Plan
from flowdbg.core.tool_calls import ToolCall


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a whole run is asked with."""

    message: str | None = None
    messages: JsonText | None = None
    """A conversation, in place of the message."""
    parameters: JsonText = field(default_factory=lambda: JsonText("{}"))
    block_edits: Mapping[str, Mapping[str, JsonText]] = field(default_factory=dict)
    attachments: Sequence[Mapping[str, Any]] = ()
    tools: JsonText | None = None
    tool_choice: JsonText | None = None
    trace: bool = False
    """Whether whole inputs and outputs are kept in the run's trace."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that came to its end, well or not."""

    status: str
    """`completed` or `failed`, or another word of the server's."""
    result: JsonText
    """The flow's output; of a failed run a message as a rule."""
    execution_id: str = ""
    flow_id: str = ""
    block_count: int | None = None
    error: Mapping[str, Any] | None = None
    """What went wrong: `code`, `message`, `stepId`."""

    @property
    def completed(self) -> bool:
        """Whether the run ended well."""
        return self.status == "completed"


@dataclass(frozen=True, slots=True)
class Paused:
    """A run that waits for tool results."""

    execution_id: str
    step_id: str
    calls: tuple[ToolCall, ...]
    messages: JsonText
    """The conversation so far: echoed with the results behind it."""
    outputs: JsonText
    """Echoed as it is."""
    iterations_used: int = 0
    flow_id: str = ""
    block_count: int | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A job that was queued."""

    execution_id: str
    status: str
    flow_id: str = ""
    block_count: int | None = None


@dataclass(frozen=True, slots=True)
class JobState:
    """How a job stands."""

    execution_id: str
    status: str
    """`pending`, `running`, `completed`, `failed`, or another word of the server's."""
    result: JsonText
    error: str = ""


class ToldPlan(NamedTuple):
    """A plan, and the id of its flow."""

    plan: Plan
    flow_id: str


class Remote(Protocol):
    """A server, and one flow on it where `address` is given."""

    address: FlowAddress | None

    async def plan(self, version: int | None) -> ToldPlan | None:
        """The plan of a version; None where the server tells none.

        Raises:
            TargetError: The server could not be asked, or the flow does not exist.
        """

    async def aclose(self) -> None:
        """Close all connections."""


class Runner(Remote, Protocol):
    """A server that new runs are asked of."""

    def check(self, request: RunRequest) -> None:
        """Check what the server would refuse; pure.

        Raises:
            UsageError: The request cannot be sent.
        """


class Executor(Runner, Protocol):
    """Whole runs in one call; each call is sent once.

    After any `TargetError` but `Refused` and `ConnectionFailed` it is not known what ran.
    """

    async def execute(self, version: int | None, request: RunRequest) -> Finished | Paused:
        """Run a flow to its end, or to the next pause for tool calls.

        Raises:
            TargetError: The server refused, or no whole answer came.
        """

    async def go_on(
        self,
        version: int | None,
        request: RunRequest,
        paused: Paused,
        results: Sequence[Mapping[str, Any]],
    ) -> Finished | Paused:
        """Go on after a pause, with one tool message for each of its calls.

        Raises:
            TargetError: The server refused, or no whole answer came.
        """


class Queue(Runner, Protocol):
    """Runs that nobody needs to wait for."""

    async def submit(self, version: int | None, request: RunRequest) -> Accepted:
        """Queue a run; sent once.

        Raises:
            TargetError: After any but `Refused` and `ConnectionFailed` it may be queued.
        """

    async def job(self, execution_id: str) -> JobState:
        """How a job stands.

        Raises:
            FlowNotFound: The server does not know it, or does not know it yet.
            TargetError: The server could not be asked.
        """
