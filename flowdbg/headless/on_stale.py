"""What a headless run does about a stale plan; on its own, because the command line needs it."""

from __future__ import annotations

from enum import StrEnum


class OnStale(StrEnum):
    """What to do when the plan changes under the run."""

    STOP = "stop"
    RESTART = "restart"
    PIN = "pin"
