"""How each state looks: a glyph, a word and a colour token, so that none of them is needed alone.

The token is a name that a front-end's theme turns into a colour; every glyph is one cell wide and
has an ASCII twin.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Tone = Literal["plain", "muted", "accent", "running", "good", "warning", "bad", "edit"]
"""The names of the colours that states and marks may have."""


class StepState(StrEnum):
    """Where one step of the plan stands."""

    PENDING = "pending"
    NEXT = "next"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    WAITING = "waiting"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class RunState(StrEnum):
    """Where the whole session stands."""

    PAUSED = "paused"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STALE = "stale"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"
    WAITING = "waiting"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class Look:
    """A state as it is shown."""

    glyph: str
    """One cell wide."""
    ascii: str
    """The glyph where only ASCII may be used."""
    word: str
    tone: Tone


STEP_LOOKS: dict[StepState, Look] = {
    StepState.PENDING: Look("·", ".", "not yet", "muted"),
    StepState.NEXT: Look("▶", ">", "next", "accent"),
    StepState.RUNNING: Look("⟳", "%", "running", "running"),
    StepState.DONE: Look("✓", "+", "done", "good"),
    StepState.FAILED: Look("✗", "x", "failed", "bad"),
    StepState.WAITING: Look("‖", "!", "waiting", "warning"),
    StepState.SKIPPED: Look("⊘", "-", "skipped", "muted"),
    StepState.CANCELLED: Look("■", "#", "cancelled", "warning"),
    StepState.UNKNOWN: Look("≟", "?", "outcome unknown", "warning"),
}

RUN_LOOKS: dict[RunState, Look] = {
    RunState.PAUSED: Look("‖", "=", "PAUSED", "accent"),
    RunState.RUNNING: Look("⟳", "%", "RUNNING", "running"),
    RunState.DONE: Look("✓", "+", "DONE", "good"),
    RunState.FAILED: Look("✗", "x", "FAILED", "bad"),
    RunState.STALE: Look("≠", "~", "PLAN CHANGED", "warning"),
    RunState.UNKNOWN: Look("≟", "?", "OUTCOME UNKNOWN", "warning"),
    RunState.CANCELLED: Look("■", "#", "CANCELLED", "warning"),
    RunState.WAITING: Look("!", "!", "TOOLS", "warning"),
    RunState.OFFLINE: Look("⊘", "-", "OFFLINE", "bad"),
}

BREAKPOINT = Look("●", "*", "breakpoint", "bad")
EDITED = Look("±", "~", "edited", "edit")
DRAFT = Look("∓", "&", "unfinished edit", "warning")
OPEN = Look("▼", "v", "open", "muted")
FOLDED = Look("▶", ">", "folded", "muted")
ADDED = Look("+", "+", "added", "good")
REMOVED = Look("−", "-", "removed", "bad")
CHANGED = Look("±", "~", "changed", "edit")
DIFFERENT = Look("≠", "~", "differs", "edit")
EQUAL = Look("=", "=", "the same", "muted")
MOVED = Look("↕", "^", "moved", "accent")
ELLIPSIS = Look("…", "~", "more", "muted")
LINE_END = Look("¶", "$", "end of a line", "muted")
VIEWING = Look("◀", "<", "VIEWING", "accent")
