"""How long the transport waits; by default only connecting has a limit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits in seconds; None waits for ever, behind a timer that a person can see."""

    connect: float | None = 10.0
    idle: float | None = None
    """Between two bytes of an answer, comments included, and before its first."""
    progress: float | None = None
    """Between two events of a stream, and before its first."""
