"""The database behind the server: one writer thread, a few readers, no work on the event loop.

Every write is a function of a connection that runs in a transaction. Writes that wait at the same
time share one commit, because the disk's flush is what costs: two hundred runs that start together
pay it a few times, not two hundred times. A write that fails is taken out of the shared
transaction and tried again alone, so that it cannot spoil the others.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from flowdbg.errors import FlowdbgError, NotSaved, SessionUnreadable, StoreError
from flowdbg.server.storage.hold import FileHold, SharedHold
from flowdbg.server.storage.location import database_url, prepare_file
from flowdbg.server.storage.migrations import migrate

T = TypeVar("T")
Work = Callable[[Connection], Any]

_BATCH = 64
_ALONE_ATTEMPTS = 3


class Database:
    """An open database; close it when the server stops.

    `exclusive` says that no other server process can write to it, so that what this process
    remembers of it stays true.
    """

    def __init__(self, location: str, owner: str, hold: FileHold | None = None) -> None:
        """Open, lock and migrate.

        Args:
            location: A file path or a URL, as `--db` takes it.
            owner: This server process's id, under which its runs are written.
            hold: The hold on the file, when the caller has taken it already.

        Raises:
            UsageError: The location cannot be read.
            StoreError: The database is held, newer, foreign, or out of reach.
        """
        url = self.url = database_url(location)
        """Where the database is."""
        self.owner = owner
        """This server process's id."""
        self.exclusive = url.get_backend_name() == "sqlite"
        with contextlib.ExitStack() as undo, mapped():
            if self.exclusive:
                path = Path(cast(str, url.database))
                prepare_file(path)
                self._hold: FileHold | SharedHold = hold or FileHold(path)
                undo.callback(self._hold.release)
            self._writing, self._reading = _engines(url, exclusive=self.exclusive)
            undo.callback(self._reading.dispose)
            undo.callback(self._writing.dispose)
            with self._writing.begin() as connection:
                migrate(connection)
            if not self.exclusive:
                self._hold = SharedHold(self._writing, owner)
            undo.pop_all()
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(4, thread_name_prefix="database-read")
        self._writer = threading.Thread(target=self._write_all, name="database-write", daemon=True)
        self._writer.start()

    def lives(self, connection: Connection, owner: str) -> bool:
        """Say whether another server process that wrote under this id still runs."""
        return self._hold.lives(connection, owner)

    async def renew_hold(self) -> None:
        """See that other servers still know this one to be alive.

        Raises:
            StoreError: The database cannot be reached.
        """
        hold = self._hold
        if isinstance(hold, SharedHold):
            with mapped():
                await asyncio.to_thread(hold.renew)

    def write(self, work: Callable[[Connection], T]) -> asyncio.Future[T]:
        """Run the work in the writer's next transaction; done when it is committed.

        The work may run more than once (each time in a fresh transaction), so it changes nothing
        but the database. It is carried out even when nobody waits for it any more.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._queue.put(_Waiting(work, loop, future))
        return future

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run the work on a reading connection, in a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, functools.partial(self.read_now, work))

    def read_now(self, work: Callable[[Connection], T]) -> T:
        """Run the work on a reading connection, in this thread."""
        with mapped(), self._reading.begin() as connection:
            return work(connection)

    def write_now(self, work: Callable[[Connection], T]) -> T:
        """Run the work in a transaction of its own, in this thread; for starting and stopping."""
        with mapped(), self._writing.begin() as connection:
            return work(connection)

    def close(self) -> None:
        """Carry out what was asked for, then let everything go."""
        self._queue.put(None)
        self._writer.join()
        self._readers.shutdown()
        if not self.exclusive:
            self._hold.release()  # its connection goes back to the pool that is closed next
        self._reading.dispose()
        self._writing.dispose()
        if self.exclusive:
            self._hold.release()  # the file is free once nothing of it is open

    def _write_all(self) -> None:
        while (first := self._queue.get()) is not None:
            batch = [first]
            last = False
            with contextlib.suppress(queue.Empty):
                while len(batch) < _BATCH and not last:
                    item = self._queue.get_nowait()
                    if item is None:
                        last = True
                    else:
                        batch.append(item)
            self._write_batch(batch)
            if last:
                return

    def _write_batch(self, batch: list[_Waiting]) -> None:
        begun = False

        def carry_out(connection: Connection) -> list[Any]:
            nonlocal begun
            begun = True
            return [item.work(connection) for item in batch]

        try:
            results = self.write_now(carry_out)
        except Exception as error:  # noqa: BLE001 - whatever it was, each work is tried again alone
            for item in batch:
                # Where not even the transaction could begin, each alone would wait as long.
                item.settle(*(self._write_alone(item.work) if begun else (None, error)))
            return
        for item, result in zip(batch, results, strict=True):
            item.settle(result, None)

    def _write_alone(self, work: Work) -> tuple[Any, BaseException | None]:
        """Try one work by itself; two servers that meet in one row are parted by trying again."""
        error: BaseException | None = None
        for _ in range(_ALONE_ATTEMPTS):
            try:
                return self.write_now(work), None
            except StoreError as failure:
                error = failure
            except Exception as failure:  # noqa: BLE001 - it belongs to whoever asked for the work
                return None, failure
        return None, error


class _Waiting:
    """A work in the writer's queue, and who waits for it."""

    __slots__ = ("_future", "_loop", "work")

    def __init__(
        self, work: Work, loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any]
    ) -> None:
        self.work = work
        self._loop = loop
        self._future = future

    def settle(self, result: Any, error: BaseException | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._finish, result, error)

    def _finish(self, result: Any, error: BaseException | None) -> None:
        if self._future.done():
            return
        if error is None:
            self._future.set_result(result)
        else:
            self._future.set_exception(error)


def _engines(url: URL, *, exclusive: bool) -> tuple[Engine, Engine]:
    """The engine that writes and the one that reads."""
    if not exclusive:
        # Statement parameters are payloads: they stay out of every error message.
        engine = create_engine(url, hide_parameters=True, pool_pre_ping=True, pool_size=6)
        return engine, engine
    writing = create_engine(url, hide_parameters=True, pool_size=1, max_overflow=0)
    reading = create_engine(url, hide_parameters=True, pool_size=4, max_overflow=0)
    event.listen(writing, "connect", functools.partial(_prepare, reading=False))
    event.listen(reading, "connect", functools.partial(_prepare, reading=True))
    event.listen(writing, "begin", _begin_writing)
    event.listen(reading, "begin", _begin_reading)
    return writing, reading


def _prepare(connection: sqlite3.Connection, _record: object, *, reading: bool) -> None:
    connection.isolation_level = None  # transactions are begun below, not guessed by the driver
    connection.execute("PRAGMA busy_timeout = 5000")
    if reading:
        connection.execute("PRAGMA query_only = ON")
        return
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


def _begin_writing(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


@contextlib.contextmanager
def mapped() -> Iterator[None]:
    """Turn the database library's errors into ours, without the statements' parameters."""
    try:
        yield
    except FlowdbgError:
        raise
    except DBAPIError as error:
        reason = str(error.orig).partition("\n")[0]
        if "not a database" in reason or "malformed" in reason:
            raise SessionUnreadable(
                f"The server's database cannot be read: {reason}.",
                "Give `--db` another file, or restore this one from a copy.",
            ) from error
        advice = "Check that it is reachable and its disk has room."
        if "locked" in reason:
            advice = "Close the program that keeps it locked."
        raise NotSaved(f"The server's database failed: {reason}.", advice) from error
    except SQLAlchemyError as error:
        raise StoreError(f"The server's database failed: {type(error).__name__}.") from error
