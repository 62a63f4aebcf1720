"""A session that was stored: read again, and given the end that its debugger could not write."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from flowdbg.core import rules
from flowdbg.core.entries import (
    Body,
    Entry,
    Outcome,
    Stopped,
    StopReason,
    TurnEnded,
)
from flowdbg.core.fold import apply_all
from flowdbg.core.recording import Decode, from_record
from flowdbg.core.session import Session
from flowdbg.debugger.stops import stop_after
from flowdbg.errors import SessionUnreadable
from flowdbg.store import SessionStore


def stored_session(store: SessionStore, decode: Decode) -> Session:
    """The session that a store holds; nothing is written.

    Raises:
        SessionUnreadable: The log is damaged, or a newer version wrote it.
    """
    with _no_collections():
        return apply_all(Session(), _entries(store, decode))


@contextmanager
def _no_collections() -> Iterator[None]:
    """Keep the garbage collector away while a long log is read.

    Everything that is made stays; looking through it again and again takes a quarter of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _entries(store: SessionStore, decode: Decode) -> Iterator[Entry]:
    for stored in store.read():
        try:
            yield from_record(stored.record, decode)
        except ValueError as error:
            raise SessionUnreadable(
                f"The session {store.session_id} has an entry that this version of flowdbg does "
                f"not know (number {stored.sequence}: {error}).",
                "Open it with the newer flowdbg that wrote it; the file was left as it is.",
            ) from error


def close_left_open(session: Session) -> list[Body]:
    """What a session lacks whose debugger died while a verb ran; nothing for any other.

    What the server had already said about the turn counts; else its outcome is unknown.
    """
    turn = session.running
    if turn is None and not session.verb:
        return []
    ended: list[Body] = []
    if turn is not None:
        known = turn.terminal if turn.terminal and not turn.surprise else Outcome.UNKNOWN
        what = "" if turn.terminal else "the debugger ended while this step ran"
        ended.append(TurnEnded(turn.number, known, what=what))
    session = apply_all(session, [Entry(0.0, session.current, body) for body in ended])
    last = rules.last_turn(session)
    stop = Stopped(StopReason.USER, "the debugger ended before anything was sent")
    if last is not None and last.outcome is not None:
        stop = stop_after(session, last.outcome, None)
    return [*ended, stop]
