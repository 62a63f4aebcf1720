"""What the debugger needs of a server, in whatever dialect: the two verbs and what it can do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from flowdbg.core.events import Received
from flowdbg.core.json_text import Segments
from flowdbg.core.plan import Plan
from flowdbg.core.requests import TurnRequest


class Exactness(StrEnum):
    """How well a target can do something."""

    EXACT = "exact"
    EMULATED = "emulated"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Ability:
    """One capability: how exact it is, and why it is not when it is not."""

    exactness: Exactness
    why: str = ""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a target can do, one ability for each thing that a person may want of it."""

    pause: Ability
    edit_output: Ability
    edit_block: Ability
    run_to_end: Ability
    cancel: Ability
    answer: Ability
    checkpoints: Ability


@dataclass(frozen=True, slots=True)
class Call:
    """A turn in the dialect's own words: where it goes and the exact body, before it leaves."""

    route: str
    """Path below the base URL."""
    body: Segments
    headers: tuple[tuple[str, str], ...] = ()
    """Headers that belong to this turn; credentials are never among them."""


class Target(Protocol):
    """One flow on one server, spoken to in one dialect."""

    @property
    def dialect(self) -> str:
        """The dialect's name."""

    @property
    def url(self) -> str:
        """The server's base URL, without credentials."""

    @property
    def capabilities(self) -> Capabilities:
        """What this target can do."""

    def prepare(self, request: TurnRequest) -> Call:
        """Turn a request into the call that `stream` would make; pure."""

    def stream(self, call: Call) -> AbstractAsyncContextManager[AsyncIterator[list[Received]]]:
        """Send a call, once, and give the events of its answer in the groups they come in.

        The iterator ends when the stream does; leaving the context closes the connection.

        Raises:
            Refused: The server answered with an error.
            ConnectionFailed: The request did not leave.
            TargetError: It left, and no whole answer came.
        """

    def decode(self, name: str, data: str) -> Received:
        """Read a stored event again; pure, never raises."""

    async def fetch_plan(self, pinned: int | None) -> Plan | None:
        """The current plan of a version, or of production; None where the server has no such route.

        Raises:
            TargetError: The server could not be asked.
        """

    def plan_of(self, detail: Mapping[str, Any]) -> Plan:
        """The plan that a refusal for a stale plan carries, as far as it tells; pure."""

    async def aclose(self) -> None:
        """Close all connections."""
