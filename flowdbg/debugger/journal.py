"""The journal: every entry is saved, then folded, then told to the observers, in that order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from flowdbg.core.entries import Body, Entry
from flowdbg.core.fold import apply_all
from flowdbg.core.recording import to_record
from flowdbg.core.records import Record
from flowdbg.core.session import Session
from flowdbg.errors import NotSaved, UsageError
from flowdbg.store import SessionStore

_AGAIN = 5.0
"""Seconds after which a disk that failed is tried again."""
Result = TypeVar("Result")
_READ_ONLY = "Close the other debugger, or start a session of your own."


@dataclass(frozen=True, slots=True)
class Change:
    """What an observer is told: the session now, and the entries that made it so."""

    session: Session
    entries: tuple[Entry, ...] = ()
    unsaved: str = ""
    """Why the newest entries are not on disk; empty when all are."""


class Subscription:
    """One observer's view: first a snapshot, then changes in order; none is lost.

    An observer that is slow gets several changes as one.
    """

    def __init__(self, session: Session, unsaved: str, forget: Callable[[Subscription], None]):
        self._session = session
        self._unsaved = unsaved
        self._entries: list[Entry] = []
        self._news = asyncio.Event()
        self._news.set()
        self._closed = False
        self._forget = forget

    def tell(self, session: Session, entries: list[Entry], unsaved: str) -> None:
        """Take a change in; called by the journal."""
        self._session = session
        self._unsaved = unsaved
        self._entries += entries
        self._news.set()

    def close(self) -> None:
        """End the iteration after what was already told."""
        self._closed = True
        self._forget(self)
        self._news.set()

    def __aiter__(self) -> AsyncIterator[Change]:
        return self

    async def __anext__(self) -> Change:
        await self._news.wait()
        if self._closed and not self._entries:
            raise StopAsyncIteration
        self._news.clear()
        if self._closed:
            self._news.set()
        entries, self._entries = self._entries, []
        return Change(self._session, tuple(entries), self._unsaved)


class Journal:
    """The log of one session: the only place where a session changes."""

    def __init__(
        self,
        store: SessionStore | None,
        session: Session,
        clock: Callable[[], float] = time.time,
        *,
        read_only: str = "",
    ) -> None:
        self.session = session
        self.unsaved = ""
        self.read_only = read_only
        """Why nothing may be changed (another process writes the session); empty when it may."""
        self._store = store
        self._clock = clock
        self._lock = asyncio.Lock()
        self._waiting: list[Record] = []
        self._listed: Mapping[str, str | int | None] = {}
        self._observers: list[Subscription] = []
        self._thread = ThreadPoolExecutor(1, "store") if store else None
        self._trying: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    def subscribe(self) -> Subscription:
        """A new observer, told the current session first."""
        subscription = Subscription(self.session, self.unsaved, self._forget)
        self._observers.append(subscription)
        return subscription

    def _forget(self, subscription: Subscription) -> None:
        with suppress(ValueError):  # it may be closed by its observer and by us
            self._observers.remove(subscription)

    async def write(self, *bodies: Body, before_sending: bool = False) -> None:
        """Save entries in one transaction, fold them, and tell the observers.

        When the disk fails, the entries stay in memory, the session goes on and says so, and they
        are saved with the next ones, or by themselves as soon as the disk takes them.

        Raises:
            NotSaved: The disk failed and `before_sending` is set: nothing was changed, because
                what is not on disk must not be sent.
            UsageError: The session is open for reading only.
        """
        if self.read_only:
            raise UsageError(f"This session is read only: {self.read_only}", _READ_ONLY)
        writing = asyncio.create_task(self._write(bodies, before_sending))
        interrupted: asyncio.CancelledError | None = None
        while not writing.done():  # what may be on disk must be in memory, too
            try:
                await asyncio.wait([writing])
            except asyncio.CancelledError as error:
                interrupted = error
        writing.result()
        if interrupted is not None:
            raise interrupted

    async def _write(self, bodies: Sequence[Body], before_sending: bool) -> None:
        async with self._lock:
            now = self._clock()
            entries = [Entry(now, self.session.current, body) for body in bodies]
            session = apply_all(self.session, entries)
            await self._save(entries, session, before_sending)
            self.session = session
            self._tell(entries)
            if self.unsaved and (self._trying is None or self._trying.done()):
                self._trying = asyncio.create_task(self._try_again())

    def _tell(self, entries: list[Entry]) -> None:
        for observer in tuple(self._observers):
            observer.tell(self.session, entries, self.unsaved)

    async def _save(self, entries: list[Entry], session: Session, must: bool) -> None:
        if self._store is None:
            return
        batch = [*self._waiting, *map(to_record, entries)]
        summary = _summary(session)
        changed = {} if summary == self._listed else summary
        try:
            await self.in_store(lambda store: store.append(batch, changed))
        except NotSaved as error:
            if must:
                raise
            self.unsaved = str(error)
            self._waiting = batch
            return
        self.unsaved, self._waiting, self._listed = "", [], summary

    async def _try_again(self) -> None:
        """Save what the disk did not take, until it does or the journal is closed."""
        while self.unsaved and not self._closing.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), _AGAIN)
            async with self._lock:
                if self.unsaved:
                    await self._save([], self.session, must=False)
                    if not self.unsaved:
                        self._tell([])

    async def in_store(self, work: Callable[[SessionStore], Result]) -> Result | None:
        """Do something with the session's file in its thread; None when there is no file.

        Raises:
            StoreError: As the work.
        """
        if self._store is None or self._thread is None:
            return None
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, work, self._store)

    async def checkpoint(self) -> None:
        """Tidy the session's file while nothing runs; a failure is not worth a word."""
        await self.in_store(lambda store: store.checkpoint())

    async def close(self) -> None:
        """End all subscriptions and close the session's file; may be called twice."""
        self._closing.set()
        if self._trying:
            await self._trying  # it tries a last time
        for observer in tuple(self._observers):
            observer.close()
        if self._store and self._thread:
            store, self._store = self._store, None
            await asyncio.get_running_loop().run_in_executor(self._thread, store.close)
            self._thread.shutdown()


def _summary(session: Session) -> Mapping[str, str | int | None]:
    """What a list of sessions shows without reading the log."""
    return {
        "address": session.address,
        "url": session.url,
        "dialect": session.dialect,
        "version": session.version,
        "state": session.state.value,
        "cursor": session.cursor,
        "length": session.plan.length,
    }
