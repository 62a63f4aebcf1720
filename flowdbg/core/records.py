"""The shape in which a session's log goes to disk and comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flowdbg.core.json_text import Segments


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of a session's log, ready for the store.

    `meta` is small and JSON-serialisable; `body` is the text that must come back byte for byte
    (a request body, an event's data), in pieces so that large values are stored once.
    """

    kind: str
    branch: int
    at: float
    """Wall-clock seconds since the epoch, for people; order is the sequence, never the time."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    body: Segments = ()
