"""What servers keep of runs, in no dialect's words: summaries, traces, and who is asked for them.

Inputs and outputs are kept as the text they came in, so that a session made from a trace sends
them on unchanged. What a server does not tell is empty or None.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from flowdbg.core.address import FlowAddress
from flowdbg.core.entries import Body
from flowdbg.core.events import Path, Received, Tokens
from flowdbg.core.json_text import JsonText
from flowdbg.dialects.whole_runs import Remote


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run, without what its steps did."""

    id: str
    flow_id: str = ""
    status: str = ""
    trigger: str = ""
    started_at: str = ""
    """ISO 8601."""
    completed_at: str = ""
    duration_ms: int | None = None
    step_count: int | None = None
    version: int | None = None
    """None where the server does not tell it, or the run was one of the draft."""
    plan_hash: str = ""
    address: str = ""
    """`org/project/flow`."""
    capture: str = ""
    """`full`, `redacted`, `metadata_only` or `off`."""
    initial: Mapping[str, Any] | None = None
    """What the run was started with."""
    error: str = ""


@dataclass(frozen=True, slots=True)
class StepTrace:
    """One execution of a step, or of something inside one."""

    step_id: str
    attempt: int = 1
    loop_index: int | None = None
    status: str = ""
    """`running`, `completed`, `failed` or `skipped`."""
    name: str = ""
    entry_id: str = ""
    """The plan entry around it; empty when it is one itself, or not told."""
    path: Path = ()
    """Where below the entry it stands."""
    started_at: str = ""
    """ISO 8601."""
    completed_at: str = ""
    duration_ms: int | None = None
    model: str = ""
    tokens: Tokens | None = None
    cost: Decimal | None = None
    """US dollars."""
    input: JsonText | None = None
    """None when it was not captured; so with the next two."""
    output: JsonText | None = None
    error: Mapping[str, Any] | None = None
    prompt: str = ""
    """The prompt the model was given, when the trace tells it."""
    input_bytes: int | None = None
    output_bytes: int | None = None
    truncated: bool = False
    """Whether the snapshots were cut."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A run, and the latest execution of each step in the order in which they ran."""

    run: RunSummary
    steps: tuple[StepTrace, ...] = ()

    @property
    def captured(self) -> bool:
        """Whether inputs and outputs were kept."""
        if self.run.capture:
            return self.run.capture in ("full", "redacted")
        return any(step.input is not None or step.output is not None for step in self.steps)


@dataclass(frozen=True, slots=True)
class OpenedRun:
    """A run as the log of a session, and the flow that further steps go to."""

    address: FlowAddress
    pinned: int | None
    """The run's version; None where the server does not tell, or it ran the draft."""
    bodies: list[Body]


class Archive(Remote, Protocol):
    """A server's records of runs; reading them changes nothing."""

    async def runs(self, flow_id: str, *, status: str = "", limit: int = 20) -> list[RunSummary]:
        """The newest runs of a flow.

        Raises:
            TargetError: The server could not be asked.
        """

    async def trace(self, run_id: str) -> Trace:
        """A run's whole trace.

        Raises:
            TargetError: The server could not be asked, or does not know the run.
        """

    async def step_trace(
        self, run_id: str, step_id: str, *, attempt: str = "", loop_index: int | None = None
    ) -> list[StepTrace]:
        """One step's executions: the latest, a numbered one, or `all` of them.

        Raises:
            TargetError: The server could not be asked, or does not know the run or the step.
        """

    def follow(self, run_id: str) -> AbstractAsyncContextManager[AsyncIterator[list[Received]]]:
        """A run's events so far, then those to come; ends when the run does.

        Raises:
            TargetError: The server could not be asked, or the stream broke.
        """

    async def open_run(self, run_id: str, session_id: str) -> OpenedRun:
        """A run as the log of the session `session_id`.

        Raises:
            UsageError: The server does not tell the run's flow, and none is named.
            TargetError: The server could not be asked, or does not know the run.
        """
