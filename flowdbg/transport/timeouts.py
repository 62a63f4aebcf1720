"""How long the transport waits, and how much it takes; by default only connecting is short."""

from __future__ import annotations

from dataclasses import dataclass, field

from flowdbg.transport.event_stream import MAX_EVENT_BYTES


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits in seconds; None waits for ever, behind a timer that a person can see."""

    connect: float | None = 10.0
    idle: float | None = None
    """Between two bytes of an answer, comments included, and before its first."""
    progress: float | None = None
    """Between two events of a stream, and before its first."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a person allows a server."""

    timeouts: Timeouts = field(default_factory=Timeouts)
    max_event_bytes: int = MAX_EVENT_BYTES
    """Of one event, and of one JSON answer, decompressed."""


DEFAULT_LIMITS = Limits()
