"""What a server is started with."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flowdbg.dialects.records import CAPTURES, Capture
from flowdbg.engine.services import EngineSettings
from flowdbg.errors import UsageError
from flowdbg.server.storage.hold import FileHold
from flowdbg.server.storage.location import database_url

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Every choice about one server process."""

    paths: Sequence[Path]
    """Flow files, and folders of `*.flow.yaml` files."""
    database: str
    """A SQLite file or a PostgreSQL URL."""
    hold: FileHold | None = None
    """The hold on the SQLite file, when it has been taken already."""
    host: str = "127.0.0.1"
    port: int = 8080
    """0: any free port."""
    api_keys: Sequence[str] = field(default=(), repr=False)
    """Keys that may do everything; none given: no key is asked for."""
    max_body: int = 16 * MEGABYTE
    """Bytes of the largest request body."""
    heartbeat: float = 15.0
    """Seconds of silence after which a stream sends a heartbeat."""
    write_timeout: float = 60.0
    """Seconds without reading after which a client that has something to read is let go."""
    request_timeout: float = 120.0
    """Seconds within which a request has to be there whole."""
    retention_days: float | None = None
    """Days after which a finished run's record is removed; None keeps it."""
    capture: Capture = "metadata_only"
    """How much of inputs and outputs runs keep, where their flow says nothing."""
    rate_limit: int | None = None
    """Requests a minute that each caller may make; None: as many as it likes."""
    strict_first_call: bool = False
    """Whether a later step needs the `executionId` of its run."""
    engine: EngineSettings = field(default_factory=EngineSettings)
    """Models, limits and time-outs."""
    reload: bool = False
    """Watch the flow files all the time and report changes as they are saved."""

    def __post_init__(self) -> None:
        database_url(self.database)
        if not is_loopback(self.host) and not self.api_keys:
            raise UsageError(
                f"Listening on {self.host} lets other machines run these flows.",
                "Give `--api-key`, or listen on 127.0.0.1.",
            )


def read_capture(name: str) -> Capture:
    """Read a `--capture` value.

    Raises:
        UsageError: There is no such mode.
    """
    for mode in CAPTURES:
        if mode == name:
            return mode
    raise UsageError(f"There is no capture mode {name!r}.", f"Use one of {', '.join(CAPTURES)}.")


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach a server that listens on the host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
