"""SQLite connections of a session: durable to write, harmless to read.

The write-ahead log with synchronous FULL makes a commit durable against loss of power in one
sync. Checkpoints are left to idle time: an automatic one would stop a step for 18 ms. While
there is a log, the main file alone may be half-way through a checkpoint and means nothing.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from flowdbg.errors import SessionUnreadable
from flowdbg.store.failures import FAILURES, damaged, primary_code, unreadable
from flowdbg.store.files import companions
from flowdbg.store.schema import check_header, uri

_LOG_PAGES = 16_384
"""Pages of the log (64 MB) at which SQLite checkpoints by itself, if no idle time ever comes."""

_BUSY_SECONDS = 2.0


def connect_to_write(path: Path) -> sqlite3.Connection:
    """A connection for the one writer; call with the writer's lock held.

    The file is checked first through a connection that cannot change it: closing a writing one
    would copy the log into a file that may be damaged.

    Raises:
        SessionUnreadable: The file is damaged, foreign, newer, or cannot be opened.
    """
    reader = connect_to_read(path)
    try:
        (verdict,) = reader.execute("PRAGMA quick_check(1)").fetchone()
    except FAILURES as error:
        raise unreadable(path, error) from error
    finally:
        reader.close()
    if verdict != "ok":
        raise damaged(path, str(verdict).splitlines()[0])
    try:
        connection = _connect(path, "mode=rw")
        try:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA fullfsync = ON")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
        except FAILURES:
            connection.close()
            raise
    except FAILURES as error:
        raise unreadable(path, error) from error
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """A connection for a short look; it never changes the session.

    Raises:
        SessionUnreadable: The file is damaged, foreign, newer, or cannot be opened.
    """
    log, _ = companions(path)
    # without a log nobody writes, and an immutable file needs no companions created beside it
    return _checked(path, "mode=ro" if log.exists() else "mode=ro&immutable=1")


def connect_beside_writer(path: Path) -> sqlite3.Connection:
    """A connection that never changes the session and sees what another process writes.

    Raises:
        SessionUnreadable: The file is damaged, foreign, newer, or cannot be opened.
    """
    connect_to_read(path).close()  # nothing is created beside a file that is no session
    try:
        return _checked(path, "mode=ro")
    except SessionUnreadable as error:
        cause = error.__cause__
        if isinstance(cause, sqlite3.Error) and primary_code(cause) in {
            sqlite3.SQLITE_CANTOPEN,
            sqlite3.SQLITE_READONLY,
        }:
            return connect_to_read(path)  # a directory in which no companions can be made
        raise


def _checked(path: Path, options: str) -> sqlite3.Connection:
    try:
        connection = _connect(path, options)
        try:
            check_header(connection, path)
        except (*FAILURES, SessionUnreadable):
            connection.close()
            raise
    except FAILURES as error:
        raise unreadable(path, error) from error
    return connection


def _connect(path: Path, options: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        uri(path, options),
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    return connection
