"""A disk that is full or fails: nothing half-written, and the next try works (rows 31, 32)."""

from __future__ import annotations

import errno
import os
import resource
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flowdbg.core.json_text import JsonText
from flowdbg.errors import NotSaved
from flowdbg.store import SessionStore
from tests.store.samples import event, read_session, request


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SessionStore]:
    with SessionStore.create(tmp_path, session_id="s", meta={"title": "t"}) as one:
        yield one


@contextmanager
def full(store: SessionStore) -> Iterator[None]:
    """SQLite answers as on a full disk: the file may not grow."""
    connection = store._database._connection
    assert connection is not None
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    try:
        yield
    finally:
        connection.execute("PRAGMA max_page_count = 1073741823")


@contextmanager
def failing_writes(beyond: int) -> Iterator[None]:
    """The kernel refuses every write behind this many bytes of any file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (beyond, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_is_said_and_leaves_all_that_was_saved(store: SessionStore) -> None:
    store.append([event(1)])
    big = request(1, JsonText('"' + "x" * 100_000 + '"'))
    with full(store):
        for _ in range(3):
            with pytest.raises(NotSaved, match="no room for the session s on its disk"):
                store.append([event(2), big])
            assert [one.record for one in store.read()] == [event(1)]
        with pytest.raises(NotSaved):
            store.drafts.save("k", "x" * 100_000)
    assert store.append([event(2), big]) == range(2, 4)
    assert [one.record for one in store.read()] == [event(1), event(2), big]
    store.close()
    assert read_session(store.path) == [event(1), event(2), big]


def test_a_write_error_is_said_and_the_same_records_go_in_later(store: SessionStore) -> None:
    store.append([event(1)])
    log = store.path.with_name("s.flowdbg-wal").stat().st_size
    records = [event(2), request(1, JsonText('"' + "y" * 50_000 + '"'))]
    with failing_writes(beyond=log + 8192):
        for _ in range(2):
            with pytest.raises(NotSaved, match="the disk of the session s failed"):
                store.append(records)
    assert store.append(records) == range(2, 4)
    assert [one.parent for one in store.read()] == [0, 1, 2]
    store.close()
    assert read_session(store.path) == [event(1), *records]


def test_a_piece_of_a_failed_write_is_stored_by_the_next_one(store: SessionStore) -> None:
    piece = JsonText('"' + "z" * 60_000 + '"')
    with full(store), pytest.raises(NotSaved):
        store.append([request(1, piece)])
    store.append([request(2, piece), request(3, piece)])
    assert [one.record for one in store.read()] == [request(2, piece), request(3, piece)]


def test_another_program_in_the_file_is_said(store: SessionStore) -> None:
    other = sqlite3.connect(store.path, isolation_level=None)
    store._database._connection.execute("PRAGMA busy_timeout = 10")  # type: ignore[union-attr] # it is open
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(NotSaved, match="another program is using the file"):
        store.append([event(1)])
    other.execute("ROLLBACK")
    other.close()
    assert store.append([event(1)]) == range(1, 2)


def test_a_checkpoint_that_fails_loses_nothing(store: SessionStore) -> None:
    store.append([event(n) for n in range(500)])
    with failing_writes(beyond=store.path.stat().st_size):
        store.checkpoint()
    store.checkpoint()
    assert len(list(store.read())) == 500


def test_a_disk_that_fails_while_closing_loses_nothing(store: SessionStore) -> None:
    store.append([event(n) for n in range(500)])
    with failing_writes(beyond=store.path.stat().st_size):
        store.close()
    assert len(read_session(store.path)) == 500


def test_a_session_that_cannot_be_made_leaves_nothing_behind(tmp_path: Path) -> None:
    with failing_writes(beyond=4096), pytest.raises(NotSaved):
        SessionStore.create(tmp_path, session_id="new", meta={})
    assert [one.name for one in tmp_path.iterdir() if not one.name.endswith(".lock")] == []
    with SessionStore.create(tmp_path, session_id="new", meta={}) as store:
        assert store.append([event(1)]) == range(1, 2)


def test_a_disk_that_takes_no_new_names_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.link", refuse)
    with pytest.raises(NotSaved, match="No space left on device"):
        SessionStore.create(tmp_path, session_id="new", meta={})
