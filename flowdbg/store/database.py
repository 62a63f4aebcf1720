"""One connection behind one lock, with transactions that either hold or never were."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flowdbg.errors import StoreError
from flowdbg.store.failures import damaged, not_saved, unreadable


class Database:
    """An open session file; every use takes the lock, so any thread may come."""

    def __init__(self, path: Path, connection: sqlite3.Connection, *, read_only: bool) -> None:
        self.path = path
        self.read_only = read_only
        self._connection: sqlite3.Connection | None = connection
        self._mutex = threading.RLock()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._connection is None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is durable when the block has ended.

        Raises:
            NotSaved: The disk is full or failed; nothing of the transaction is left, and the
                next one may work.
            StoreError: The session is closed or read-only.
        """
        with self._mutex:
            connection = self._opened()
            if self.read_only:
                raise StoreError(
                    f"The session {self.path.stem} is open read-only, so nothing was saved.",
                    "Close it where it is being written, and open it again here.",
                )
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                raise not_saved(self.path, error) from error
            finally:
                if connection.in_transaction:
                    with suppress(sqlite3.Error):  # a failing disk may have ended it already
                        connection.execute("ROLLBACK")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection for one read.

        Raises:
            SessionUnreadable: The file is damaged or cannot be read.
            StoreError: The session is closed.
        """
        with self._mutex:
            connection = self._opened()
            try:
                yield connection
            except sqlite3.Error as error:
                raise unreadable(self.path, error) from error
            except ValueError as error:
                raise damaged(self.path, str(error)) from error

    def checkpoint(self) -> None:
        """Copy the log into the file, for idle time; a disk that refuses loses nothing."""
        with self._mutex:
            connection = self._opened()
            if not self.read_only:
                with suppress(sqlite3.Error):
                    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        with self._mutex:
            connection, self._connection = self._connection, None
            if connection is not None:
                with suppress(sqlite3.Error):  # its checkpoint may fail; the log keeps it all
                    connection.close()

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError(f"The session {self.path.stem} is closed.", "Open it again.")
        return self._connection
