"""Queued runs: written down, queued durably, played on the event loop entry by entry.

A run's record says what was asked for (`pending`), so whoever gets it from the queue can play it:
this server, the same one after a crash, or another one on the same database.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.engine import URL

from flowdbg.dialects.operations import UNAVAILABLE
from flowdbg.dialects.records import OPEN
from flowdbg.dialects.services import BlockOverrides, RunStart
from flowdbg.engine.definition import definition_json
from flowdbg.errors import StoreError
from flowdbg.server.job_play import JobPlay, JobPlays
from flowdbg.server.runs import new_run
from flowdbg.server.storage import runs
from flowdbg.server.storage.database import Database
from flowdbg.server.storage.location import prepare_file

if TYPE_CHECKING:
    from flowdbg.server.dbos_queue import DbosQueue

logger = logging.getLogger("flowdbg.server")

T = TypeVar("T")
WORKERS = 8
"""Runs from the queue that one server plays at the same time."""


class JobDesk:
    """Implements `flowdbg.dialects.services.Jobs`, and what DBOS's threads call."""

    def __init__(self, database: Database, plays: JobPlays) -> None:
        self._database = database
        self._plays = plays
        self._queue: DbosQueue | None = None
        self._launching = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._playing: dict[str, JobPlay] = {}
        self._put_off: list[str] = []
        self._stopping = False

    async def submit(self, start: RunStart, block_overrides: BlockOverrides) -> str:
        """Queue a run durably; returns its id."""
        new = new_run(start, status="pending")
        resolved = start.resolved
        # A published version never changes; the draft is taken along as it is now.
        draft = definition_json(resolved.definition) if resolved.version is None else None
        pending = {"blockOverrides": block_overrides, "definition": draft}
        owner = self._database.owner
        queue = await self._launched()
        await self._database.write(
            lambda connection: runs.start_run(connection, new, owner, pending)
        )
        try:
            await asyncio.to_thread(queue.submit, new.id)
        except StoreError as failure:
            error = {"code": UNAVAILABLE, "message": "The run could not be queued."}
            outcome = runs.CallOutcome("failed", error)
            await self._database.write(
                lambda connection: runs.close_call(connection, new.id, outcome, [])
            )
            raise failure
        return new.id

    async def resume(self) -> None:
        """Go on with the runs that a failing database put off.

        Raises:
            StoreError: It still fails.
        """
        while self._queue is not None and self._put_off:
            await asyncio.to_thread(self._queue.resume, self._put_off[0])
            del self._put_off[0]

    async def adopt(self) -> None:
        """See that what dead servers left in the queue's care is played."""
        doubtful = await self._database.write(
            lambda connection: runs.doubtful_jobs(connection, self._lives)
        )
        if not doubtful:
            return
        queue = await self._launched()
        for run_id, orphaned in doubtful:
            goes_on = await asyncio.to_thread(queue.adopt, run_id, self._alive)
            if orphaned or not goes_on:
                await self._database.write(functools.partial(self._take_over, run_id, goes_on))
                logger.info("queued run taken over", extra={"run_id": run_id})

    def _alive(self, owner: str) -> bool:
        """Whether a server process lives, asked from a thread."""
        return self._database.read_now(lambda connection: self._lives(connection, owner))

    def _lives(self, connection: Connection, owner: str) -> bool:
        return owner == self._database.owner or self._database.lives(connection, owner)

    def _take_over(self, run_id: str, goes_on: bool, connection: Connection) -> None:
        if goes_on:
            runs.take_over(connection, run_id, self._database.owner)
            return
        record = runs.find_run(connection, run_id)
        if record is None or record.status not in OPEN:
            return  # it ended meanwhile
        error = {"code": "INTERRUPTED", "message": "The server died while it ended this run."}
        runs.close_call(connection, run_id, runs.CallOutcome("interrupted", error), [])

    async def forget_ended(self) -> None:
        """Remove what the queue still remembers of runs that are over.

        Raises:
            StoreError: The queue's database fails.
        """
        if self._queue is not None:
            await asyncio.to_thread(self._queue.forget_ended)

    async def close(self) -> None:
        """Stop playing; what is not finished stays queued."""
        self._stopping = True
        self._plays.stop()
        if self._queue is not None:
            await asyncio.to_thread(self._queue.close)

    async def _launched(self) -> DbosQueue:
        async with self._launching:
            if self._queue is None:
                self._loop = asyncio.get_running_loop()
                self._queue = await asyncio.to_thread(self._launch)
            return self._queue

    def _launch(self) -> DbosQueue:
        from flowdbg.server.dbos_queue import DbosQueue  # noqa: PLC0415 - it loads DBOS

        return DbosQueue(_queue_url(self._database.url), self._database.owner, self, WORKERS)

    def open(self, run_id: str) -> int:
        """Get a run ready; how many plan entries it has, 0 when it is over already."""
        job = self._bridge(self._plays.open(run_id))
        if job is None:
            return 0
        self._playing[run_id] = job
        return len(job.play.resolved.plan)

    def play(self, run_id: str, index: int) -> str:
        """Play one plan entry; what it came to, as JSON text."""
        return self._bridge(self._plays.play(self._playing[run_id], index))

    def take(self, run_id: str, index: int, told: str) -> bool:
        """Take in what an entry came to, played now or before a crash; False ends the run."""
        return self._playing[run_id].take(index, told)

    def end(self, run_id: str) -> None:
        """Write the run's end."""
        job = self._playing.get(run_id)
        if job is not None:
            self._bridge(self._plays.end(job))
            del self._playing[run_id]

    def put_off(self, run_id: str, reason: str) -> None:
        """Play the run no further for now."""
        job = self._playing.pop(run_id, None)
        if self._stopping:
            return
        logger.warning("queued run put off", extra={"run_id": run_id, "reason": reason})
        if job is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(job.call.suspend)
        self._put_off.append(run_id)

    def _bridge(self, work: Coroutine[Any, Any, T]) -> T:
        """Do the work on the event loop and wait for it in this thread."""
        from flowdbg.server.dbos_queue import GoesOnLater  # noqa: PLC0415 - it loads DBOS

        assert self._loop is not None
        if self._stopping:
            work.close()
            raise GoesOnLater
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()
        except CancelledError:
            raise GoesOnLater from None
        except StoreError as error:
            raise GoesOnLater(str(error)) from error


def _queue_url(url: URL) -> str:
    """Where DBOS keeps its own tables: beside the SQLite file, or in the PostgreSQL database."""
    if url.get_backend_name() == "sqlite":
        path = Path(str(url.database)).with_suffix(".queue.db")
        prepare_file(path)
        return URL.create("sqlite", database=str(path)).render_as_string()
    return url.render_as_string(hide_password=False)
