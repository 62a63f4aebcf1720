"""Damaged, foreign and newer files: said plainly, never changed, salvaged elsewhere (row 37)."""

from __future__ import annotations

import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from flowdbg.core.json_text import JsonText
from flowdbg.core.records import Record
from flowdbg.errors import FlowdbgError, SessionUnreadable
from flowdbg.store import SessionStore, list_sessions, salvage
from tests.store.samples import LARGE, event, read_session, request, write_session

RECORDS = [*[event(n) for n in range(60)], request(1, LARGE, JsonText("1")), event(61)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_session(tmp_path / "sessions", RECORDS)


def open_and_read(path: Path) -> list[Record] | str:
    """The records of a session opened to write, or what is wrong with it."""
    try:
        with SessionStore.open(path) as store:
            return [stored.record for stored in store.read()]
    except SessionUnreadable as error:
        return error.what


def test_a_flipped_byte_never_changes_a_record_and_never_the_file(path: Path) -> None:
    whole = path.read_bytes()
    places = [*range(100), *random.Random(1).sample(range(100, len(whole)), 250)]
    refused = 0
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        path.write_bytes(damaged)
        found = open_and_read(path)
        assert path.read_bytes() == damaged, f"byte {place}: the file was changed"
        assert isinstance(found, str) or found == RECORDS, f"byte {place}: a record was changed"
        refused += isinstance(found, str)
    assert refused > 100


def test_a_truncated_file_is_refused_or_whole_and_never_changed(path: Path) -> None:
    whole = path.read_bytes()
    for size in range(0, len(whole), 512):
        path.write_bytes(whole[:size])
        found = open_and_read(path)
        assert path.read_bytes() == whole[:size]
        assert isinstance(found, str), f"{size} bytes passed for a session"


def test_a_foreign_database_is_not_a_session(tmp_path: Path) -> None:
    path = tmp_path / "foreign.flowdbg"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE records (sequence INTEGER)")
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    assert open_and_read(path) == f"{path} is not a session of flowdbg."
    assert path.read_bytes() == before
    assert sorted(one.name for one in tmp_path.iterdir()) == ["foreign.flowdbg"]


@pytest.mark.parametrize("content", [b"", b"hello", b"SQLite format 3\0", bytes(8192)])
def test_a_file_of_something_else_is_not_a_session(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.flowdbg"
    path.write_bytes(content)
    with pytest.raises(SessionUnreadable):
        SessionStore.open(path)
    with pytest.raises(SessionUnreadable):
        SessionStore.open(path, read_only=True)
    assert path.read_bytes() == content


def test_random_bytes_are_never_a_traceback(tmp_path: Path) -> None:
    generator = random.Random(2)
    path = tmp_path / "noise.flowdbg"
    for _ in range(50):
        path.write_bytes(b"SQLite format 3\0" + generator.randbytes(generator.randrange(20_000)))
        with pytest.raises(FlowdbgError):
            SessionStore.open(path)
        assert list_sessions(tmp_path)[0].problem


def test_a_newer_session_is_named_so_and_left_alone(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 2")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    before = path.read_bytes()
    for read_only in (True, False):
        with pytest.raises(SessionUnreadable, match=r"written by a newer flowdbg \(format 2"):
            SessionStore.open(path, read_only=read_only)
    assert "newer" in list_sessions(path.parent)[0].problem
    assert path.read_bytes() == before


def tamper(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("UPDATE records SET body = x'7b7d' WHERE sequence = 5", "record 5 was changed"),
        ("UPDATE records SET branch = 1 WHERE sequence = 5", "record 5 was changed"),
        ("UPDATE records SET kind = 'stopped' WHERE sequence = 5", "record 5 was changed"),
        (
            "UPDATE records SET meta = 'text' WHERE sequence = 5",
            "record 5 was changed|make no sense",
        ),
        ("UPDATE records SET layout = 7 WHERE sequence = 61", "record 61 was changed"),
        ("DELETE FROM records WHERE sequence = 5", "records behind 0 are missing"),
        ("UPDATE pieces SET text = x'31'", "piece 1 was changed"),
        ("DELETE FROM pieces", "piece 1 is missing"),
        ("DROP TABLE pieces", "no such table"),
        ("DROP TABLE records", "no such table"),
    ],
)
def test_a_changed_row_is_found_when_it_is_read(path: Path, statement: str, text: str) -> None:
    tamper(path, statement)
    with pytest.raises(SessionUnreadable, match=text):
        read_session(path)


def test_a_session_without_its_properties_is_damaged(path: Path) -> None:
    tamper(path, "DELETE FROM properties")
    with pytest.raises(SessionUnreadable, match="properties are missing"):
        SessionStore.open(path)
    with SessionStore.open(path, read_only=True) as store:
        with pytest.raises(SessionUnreadable, match="properties are missing"):
            _ = store.meta
        with pytest.raises(SessionUnreadable, match="properties are missing"):
            list(store.read())


@pytest.mark.parametrize("read_only", [True, False])
def test_a_session_that_lost_its_end_is_damaged(path: Path, read_only: bool) -> None:
    tamper(path, "DELETE FROM records WHERE sequence > 40")
    with (
        pytest.raises(SessionUnreadable, match="records behind 40 are missing"),
        SessionStore.open(path, read_only=read_only) as store,
    ):
        list(store.read())


# salvage
def test_salvage_copies_what_is_readable_and_leaves_the_original(path: Path) -> None:
    tamper(path, "UPDATE records SET body = x'7b7d' WHERE sequence IN (5, 9)")
    before = path.read_bytes()
    saved = salvage(path, path.parent)
    assert (saved.saved, saved.lost) == (60, 2)
    assert saved.path.name == "s-1-salvaged-1.flowdbg"
    assert read_session(saved.path) == [r for n, r in enumerate(RECORDS, 1) if n not in (5, 9)]
    with SessionStore.open(saved.path) as store:
        assert store.meta == {"title": "t", "salvaged_from": "s-1.flowdbg"}
    assert path.read_bytes() == before
    assert salvage(path, path.parent).path.name == "s-1-salvaged-2.flowdbg"


def test_salvage_reads_around_torn_pages(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    page = 4096
    torn = 0
    for start in range(2 * page, len(whole), page):
        if b"step_output" in whole[start : start + page] and torn == 0:
            whole[start : start + page] = bytes(page)
            torn = start
    assert torn
    path.write_bytes(whole)
    assert isinstance(open_and_read(path), str)
    saved = salvage(path, path.parent)
    assert 0 < saved.saved < len(RECORDS)
    assert all(record in RECORDS for record in read_session(saved.path))


def test_salvage_takes_what_only_stands_in_the_log(tmp_path: Path) -> None:
    with SessionStore.create(tmp_path / "live", session_id="s-1", meta={}) as store:
        store.append(RECORDS)
        for suffix in ("", "-wal"):  # as after a crash: nothing was moved into the file yet
            shutil.copyfile(f"{store.path}{suffix}", tmp_path / f"s-1.flowdbg{suffix}")
    saved = salvage(tmp_path / "s-1.flowdbg", tmp_path)
    assert (saved.saved, saved.lost) == (len(RECORDS), 0)
    assert read_session(saved.path) == RECORDS


def test_a_file_of_which_nothing_is_left_cannot_be_salvaged(tmp_path: Path) -> None:
    path = tmp_path / "gone.flowdbg"
    path.write_bytes(bytes(4096))
    with pytest.raises(SessionUnreadable, match=r"Nothing in .* can be read"):
        salvage(path, tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["gone.flowdbg"]
