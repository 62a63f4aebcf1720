"""The few values of a session beside its records: what a list shows, and where the log ends."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from flowdbg.store.records import meta_bytes

_WRITE = "INSERT OR REPLACE INTO properties VALUES (?, ?)"


def read_meta(connection: sqlite3.Connection) -> dict[str, Any]:
    """What a list of sessions shows.

    Raises:
        ValueError: It is missing or no JSON object.
    """
    value = _read(connection, "meta")
    meta = json.loads(value) if isinstance(value, bytes) else None
    if not isinstance(meta, dict):
        raise ValueError("the session's properties are missing")
    return meta


def write_meta(connection: sqlite3.Connection, meta: Mapping[str, Any]) -> None:
    """Replace what a list of sessions shows.

    Raises:
        ValueError: A value is not JSON.
    """
    connection.execute(_WRITE, ("meta", meta_bytes(meta)))


def last_sequence(connection: sqlite3.Connection) -> int:
    """The sequence up to which the log was last seen whole; later records may follow.

    Raises:
        ValueError: It is missing.
    """
    value = _read(connection, "last")
    if not isinstance(value, int):
        raise ValueError("the session's properties are missing")
    return value


def write_last_sequence(connection: sqlite3.Connection, last: int) -> None:
    """Note the last record, so that a file which loses its end is found out."""
    connection.execute(_WRITE, ("last", last))


def _read(connection: sqlite3.Connection, name: str) -> Any:
    row = connection.execute("SELECT value FROM properties WHERE name = ?", (name,)).fetchone()
    return None if row is None else row[0]
