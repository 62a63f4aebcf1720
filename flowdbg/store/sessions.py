"""One session on disk: an append-only log of records, with its title and unfinished edits.

What `append` has taken is durable when it returns. A failed `append` leaves nothing behind and
can be called again with the same records. All methods may be called from any thread.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from flowdbg.core.records import Record
from flowdbg.errors import NotSaved, SessionUnreadable
from flowdbg.store.connection import connect_beside_writer, connect_to_read, connect_to_write
from flowdbg.store.creation import create_session_file, remove_session_file
from flowdbg.store.database import Database
from flowdbg.store.drafts import Drafts
from flowdbg.store.files import check_regular, make_private_directory, session_path
from flowdbg.store.lock import WriterLock
from flowdbg.store.pieces import PieceReader, Pieces
from flowdbg.store.properties import last_sequence, read_meta, write_last_sequence, write_meta
from flowdbg.store.records import (
    INSERT,
    Row,
    StoredRecord,
    body_bytes,
    checksum,
    fetch,
    meta_bytes,
    read_rows,
)
from flowdbg.store.schema import SCHEMA_VERSION

_PAGE = 256
"""Records read at once; more of them keep the garbage collector busy."""


class SessionStore:
    """One open session; `create` or `open` makes it, `close` or `with` ends it."""

    def __init__(
        self, path: Path, connection: sqlite3.Connection, writer_lock: WriterLock | None
    ) -> None:
        """Take over an open connection; use `create` or `open` instead."""
        self.path = path
        self.read_only = writer_lock is None
        self._database = Database(path, connection, read_only=self.read_only)
        self.drafts = Drafts(self._database)
        self._writer_lock = writer_lock
        self._appending = threading.Lock()
        self._pieces = Pieces(connection)
        self._last = self._noted = 0
        self._ends: dict[int, int] = {}
        self._suspect = False  # a failed commit may have left rows behind `_last` in the log
        if not self.read_only:
            self._find_ends()

    @classmethod
    def create(cls, directory: Path, *, session_id: str, meta: Mapping[str, Any]) -> SessionStore:
        """Make a new session and open it to write; `meta` is what a list of sessions shows.

        Raises:
            UsageError: The id cannot name a session, or there is one of that id.
            NotSaved: The directory or the disk refused.
        """
        path = session_path(directory, session_id)
        make_private_directory(directory)
        writer_lock = WriterLock(path)
        try:
            create_session_file(path, meta)
            try:
                return cls(path, connect_to_write(path), writer_lock)
            except BaseException:
                with suppress(OSError):
                    remove_session_file(path)
                raise
        except SessionUnreadable as error:
            writer_lock.release()
            raise NotSaved(error.what, "Check the disk and try again.") from error
        except BaseException:
            writer_lock.release()
            raise

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False) -> SessionStore:
        """Open a session; nothing is changed by opening.

        Raises:
            SessionUnreadable: The file is missing, no regular file, corrupt, foreign or newer.
            SessionHeld: Another process writes it; `read_only` opens it all the same.
        """
        check_regular(path)
        if read_only:
            return cls(path, connect_beside_writer(path), None)
        connect_to_read(path).close()  # no lock file is made beside what is no session
        writer_lock = WriterLock(path)
        try:
            return cls(path, connect_to_write(path), writer_lock)
        except BaseException:
            writer_lock.release()
            raise

    @property
    def session_id(self) -> str:
        """The id, which is also the file's name."""
        return self.path.stem

    @property
    def meta(self) -> dict[str, Any]:
        """What a list of sessions shows: title, flow, state and the like."""
        with self._database.reading() as connection:
            return read_meta(connection)

    def append(self, records: Sequence[Record], meta: Mapping[str, Any] | None = None) -> range:
        """Write records in one transaction; their sequence numbers when all are durable.

        A record's parent is the record before it on its branch; that of a branch's first
        record is the record before it in the session. `meta` changes some keys of the
        session's `meta` with it.

        Raises:
            NotSaved: The disk is full or failed. None of the records was written; call again.
            StoreError: The session is closed or read-only.
            ValueError: A record's meta, or the session's, is not JSON.
        """
        with self._appending:
            return self._append(records, meta)

    def read(self, after: int = 0) -> Iterator[StoredRecord]:
        """The records behind a sequence number, in order.

        Raises:
            SessionUnreadable: Records are damaged or missing, found when they are reached.
        """
        piece: PieceReader | None = None
        while True:
            with self._database.reading() as connection:
                piece = piece or PieceReader(connection)
                noted = last_sequence(connection)  # before the rows: a writer may be at work
                rows = fetch(connection, after, _PAGE)
                _check_complete(rows, after, noted)
                records = read_rows(rows, piece)
            if not records:
                return
            yield from records
            after += len(records)

    def checkpoint(self) -> None:
        """Move the log into the file; for idle time, as it takes up to tens of milliseconds.

        A disk that refuses loses nothing.
        """
        self._note_last()
        self._database.checkpoint()

    def close(self) -> None:
        """Close the session and let others write it; a second call does nothing."""
        if not self._database.closed:
            self._note_last()
        self._database.close()
        if self._writer_lock is not None:
            self._writer_lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _append(self, records: Sequence[Record], meta: Mapping[str, Any] | None) -> range:
        last, ends = self._last, dict(self._ends)
        rows: list[Row] = []
        try:
            with self._database.transaction() as connection:
                if self._suspect:
                    connection.execute("DELETE FROM records WHERE sequence > ?", (self._last,))
                for record in records:
                    parent = ends.get(record.branch, last)
                    last += 1
                    ends[record.branch] = last
                    rows.append(self._row(last, parent, record))
                connection.executemany(INSERT, rows)
                if meta:
                    write_meta(connection, {**read_meta(connection), **meta})
        except BaseException:
            self._pieces.dropped()
            self._suspect = True
            raise
        self._pieces.kept()
        self._suspect = False
        written = range(self._last + 1, last + 1)
        self._last, self._ends = last, ends
        return written

    def _note_last(self) -> None:
        """Note where the log ends; in idle time, as it would cost each append a page more."""
        if self.read_only or self._noted == self._last:
            return
        with (
            suppress(NotSaved),
            self._appending,
            self._database.transaction() as connection,
        ):
            write_last_sequence(connection, self._last)
            self._noted = self._last

    def _row(self, sequence: int, parent: int, record: Record) -> Row:
        meta = meta_bytes(record.meta)
        body, layout = body_bytes(record.body, self._pieces.number_of)
        at = record.at + 0.0  # SQLite knows no negative zero
        row = (sequence, parent, record.branch, SCHEMA_VERSION, record.kind, at, meta, body, layout)
        return (*row, checksum(row))

    def _find_ends(self) -> None:
        try:
            with self._database.reading() as connection:
                query = "SELECT branch, max(sequence) FROM records GROUP BY branch"
                self._ends = dict(connection.execute(query).fetchall())
                self._last = max(self._ends.values(), default=0)
                self._noted = last_sequence(connection)
                if self._last < self._noted:
                    raise ValueError(f"records behind {self._last} are missing")
        except BaseException:
            self._database.close()
            raise


def _check_complete(rows: Sequence[Row], after: int, noted: int) -> None:
    """Whether rows follow each other behind `after`, and none is missing up to the noted one.

    Raises:
        ValueError: Some are missing.
    """
    if rows:
        complete = rows[0][0] == after + 1 and rows[-1][0] == after + len(rows)
    else:
        complete = after >= noted
    if not complete:
        raise ValueError(f"records behind {after} are missing")
