"""Stored sessions as rows of a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from flowdbg.core.session import State
from flowdbg.present import formats
from flowdbg.present.looks import RUN_LOOKS, Look, RunState
from flowdbg.present.safe_text import safe_line
from flowdbg.present.status_line import STATES

_LOOKS = {**STATES, State.PAUSED: RunState.PAUSED, State.RUNNING: RunState.UNKNOWN}
"""A stored session that says it runs is one whose process ended meanwhile."""

_SIZE_FROM, _ID_FROM = 54, 44
"""Cells behind the state from which there is room for the size, and for the id."""


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
    def size(self) -> int:
        """Bytes on disk."""

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
    size: str = ""
    problem: str = ""
    holder: str = ""
    """Who writes it now, so that it can only be looked at; empty when nobody does."""
    is_here: bool = False
    """Whether it is the session that asks."""

    @property
    def title(self) -> str:
        """How it is called in a question: `triage@3, 2/5 steps, 5 min ago`."""
        if self.problem or not self.flow:
            return self.session_id
        return f"{self.flow.rpartition('/')[2]}, {self.place} steps, {self.when}"

    def columns(self, width: int) -> tuple[str, str]:
        """Return the flow and the columns behind it, as wide as `heading` says."""
        flow = _flow_width(width)
        name = self.flow if len(self.flow) <= flow else f"…{self.flow[len(self.flow) - flow + 1 :]}"
        when = "in use" if self.holder else self.when
        rest = _columns(self.place, self.size, when, self.session_id[-6:], width)
        return f"{name:<{flow}}  ", rest


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
        formats.size(stored.size),
        "" if is_here else safe_line(stored.problem, 120),
        "" if is_here else safe_line(stored.holder, 40),
        is_here,
    )


def heading(width: int) -> str:
    """Return the names of the columns, where `width` cells are behind the state."""
    flow = _flow_width(width)
    return f"   {'state':<15} {'flow':<{flow}}  {_columns('steps', 'size', 'when', 'id', width)}"


def matching(rows: Sequence[SessionRow], typed: str) -> list[SessionRow]:
    """Return the rows in which every word stands that was typed: flow, state, id, when."""
    words = typed.lower().split()
    return [row for row in rows if all(word in _text(row) for word in words)]


def _text(row: SessionRow) -> str:
    here = "open here" if row.is_here else "in use" if row.holder else ""
    word = "unreadable" if row.problem else row.look.word
    return f"{row.flow} {word} {row.session_id} {row.when} {here}".lower()


def _columns(place: str, size: str, when: str, session_id: str, width: int) -> str:
    size = f"{size:>8}  " if width >= _SIZE_FROM else ""
    session_id = f" {session_id}" if width >= _ID_FROM else ""
    return f"{place:>7}  {size}{when:<13}{session_id}"


def _flow_width(width: int) -> int:
    rest = 25 + 10 * (width >= _SIZE_FROM) + 7 * (width >= _ID_FROM)
    return min(max(width - rest, 12), 60)
