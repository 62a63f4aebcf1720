"""Which server processes are alive, told by locks that the system releases when one dies.

A SQLite file is held by one server at a time: a lock beside it says so. Servers that share a
PostgreSQL database each keep an advisory lock under their own id, so that the runs of a process
that was killed can be told from those of a living one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from flowdbg.errors import NotSaved, SessionHeld


class FileHold:
    """The exclusive hold on a SQLite file, through a lock file beside it."""

    def __init__(self, database: Path) -> None:
        """Take the hold.

        Raises:
            SessionHeld: Another server has this database open.
            NotSaved: The lock file cannot be made.
        """
        path = database.with_name(database.name + ".lock")
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise NotSaved(
                f"The lock file {path} cannot be made: {error.strerror}.",
                "Check the folder's permissions, or give `--db` another file.",
            ) from error
        if not _try_lock(self._handle):
            owner = os.read(self._handle, 32).decode("ascii", "replace").strip()
            os.close(self._handle)
            raise SessionHeld(
                f"Another server (process {owner or 'unknown'}) uses the database {database}.",
                "Stop it, give `--db` another file, or share a PostgreSQL database.",
            )
        with contextlib.suppress(OSError):  # a full disk: the lock holds without its owner's name
            os.ftruncate(self._handle, 0)
            os.write(self._handle, str(os.getpid()).encode())

    def lives(self, connection: Connection, owner: str) -> bool:
        """Say whether another server process lives; with a file, there never is one."""
        return False

    def release(self) -> None:
        """Give the file back."""
        with contextlib.suppress(OSError):
            os.close(self._handle)


class SharedHold:
    """This process's mark of life in a PostgreSQL database."""

    def __init__(self, engine: Engine, owner: str) -> None:
        self._key = {"key": _key(owner)}
        self._engine = engine
        self._connection, self._held = self._take()

    def renew(self) -> None:
        """See that the mark is there: it goes with its connection, and others go on as if we died.

        Raises:
            DBAPIError: The database cannot be reached.
        """
        with contextlib.suppress(DBAPIError):
            self._connection.execute(text("SELECT 1"))
            if self._held:
                return
        self._connection.close()
        self._connection, self._held = self._take()

    def _take(self) -> tuple[Connection, bool]:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        # Where a lost connection is still thought alive, it holds the mark: not waited for.
        lock = text("SELECT pg_try_advisory_lock(:key)")
        return connection, bool(connection.execute(lock, self._key).scalar())

    def lives(self, connection: Connection, owner: str) -> bool:
        """Say whether the process that wrote under this id still runs."""
        key = {"key": _key(owner)}
        lock = text("SELECT pg_try_advisory_xact_lock(:key)")
        return not connection.execute(lock, key).scalar()

    def release(self) -> None:
        """Give the mark up."""
        with contextlib.suppress(DBAPIError):
            self._connection.execute(text("SELECT pg_advisory_unlock(:key)"), self._key)
        self._connection.close()


def _key(owner: str) -> int:
    """A stable signed 64-bit number for an owner's id."""
    digest = hashlib.sha256(f"flowdbg-server:{owner}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _try_lock(handle: int) -> bool:
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - exists on Windows only

        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl  # noqa: PLC0415 - does not exist on Windows

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
