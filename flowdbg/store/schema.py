"""The tables of a session file, and how a file is recognised as one of ours.

Rows of `records` and `pieces` are only ever added. The property `last` is noted in idle time and
on closing: a file that holds fewer records has lost its end.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from flowdbg.errors import SessionUnreadable
from flowdbg.store.failures import not_a_session

APPLICATION_ID = 0x666C6462
"""`fldb` in ASCII, in SQLite's header."""

SCHEMA_VERSION = 1
"""The version that this program writes, in SQLite's header and in every record."""

TABLES = (
    """
CREATE TABLE records (
    sequence INTEGER PRIMARY KEY,
    parent INTEGER NOT NULL,
    branch INTEGER NOT NULL,
    schema INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at REAL NOT NULL,
    meta BLOB NOT NULL,
    body BLOB NOT NULL,
    layout TEXT,
    checksum INTEGER NOT NULL
)""",
    "CREATE TABLE pieces "
    "(number INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, text BLOB NOT NULL)",
    "CREATE TABLE properties (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE drafts (name BLOB PRIMARY KEY, text BLOB NOT NULL) WITHOUT ROWID",
)


def check_header(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file that is no session, or a newer one.

    Raises:
        SessionUnreadable: The file is foreign or newer.
        sqlite3.Error: The file is no database or damaged.
    """
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application_id != APPLICATION_ID or version < 1:
        raise not_a_session(path)
    if version > SCHEMA_VERSION:
        raise SessionUnreadable(
            f"{path} was written by a newer flowdbg (format {version}, this one reads up to "
            f"{SCHEMA_VERSION}).",
            "Open it with that version; the file was left as it is.",
        )


def uri(path: Path, options: str) -> str:
    """SQLite's address of a file, with characters that mean something there escaped."""
    return f"{path.absolute().as_uri()}?{options}"
