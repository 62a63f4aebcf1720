"""Stored sessions as rows of a list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from flowdbg.core.session import State
from flowdbg.present import formats
from flowdbg.present.looks import RUN_LOOKS, Look, RunState
from flowdbg.present.safe_text import safe_line

_LOOKS = {
    State.PAUSED: RunState.PAUSED,
    State.RUNNING: RunState.UNKNOWN,
    State.DONE: RunState.DONE,
    State.FAILED: RunState.FAILED,
    State.TOOLS: RunState.WAITING,
    State.STALE: RunState.STALE,
    State.UNKNOWN: RunState.UNKNOWN,
}
"""A stored session that says it runs is one whose process ended meanwhile."""


class Stored(Protocol):
    """What the store tells about a session without reading its log."""

    @property
    def path(self) -> Path:
        """Its file."""

    @property
    def session_id(self) -> str:
        """Its id."""

    @property
    def updated_at(self) -> float:
        """When it was written last, in seconds since the epoch."""

    @property
    def meta(self) -> Mapping[str, Any]:
        """Address, version, state, cursor, length; may be empty."""

    @property
    def holder(self) -> str:
        """Who writes it now; empty when nobody does."""

    @property
    def problem(self) -> str:
        """Why it cannot be opened; empty when it can."""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One stored session."""

    path: Path
    session_id: str
    flow: str
    look: Look
    place: str
    """How far it got: `3/5`."""
    when: str
    problem: str = ""
    is_here: bool = False
    """Whether it is the session that asks."""


def session_row(stored: Stored, now: float, here: str = "") -> SessionRow:
    """Return the row of a stored session.

    Args:
        stored: What the store tells about it.
        now: Seconds since the epoch.
        here: The id of the session that is open in this program; it holds its own file, so the
            store may not be able to read it.
    """
    is_here = bool(here) and stored.session_id == here
    meta = stored.meta
    version = meta.get("version")
    flow = safe_line(str(meta.get("address") or ("" if is_here else "?")), 60)
    try:
        state = State(str(meta.get("state")))
    except ValueError:
        state = State.UNKNOWN
    return SessionRow(
        stored.path,
        safe_line(stored.session_id, 40),
        flow if version is None else f"{flow}@{safe_line(str(version), 8)}",
        RUN_LOOKS[_LOOKS[state]],
        f"{meta.get('cursor', 0)}/{meta.get('length') or '?'}",
        formats.age(now - stored.updated_at),
        "" if is_here else safe_line(stored.problem or _held(stored.holder), 120),
        is_here,
    )


def _held(holder: str) -> str:
    return f"open in {holder}" if holder else ""
