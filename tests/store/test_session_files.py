"""Session files are their owner's alone, and nothing else is taken for one (rows 36, 38, 43)."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowdbg.errors import NotSaved, SessionHeld, SessionUnreadable, StoreError, UsageError
from flowdbg.store import SessionStore, list_sessions, remove_session, session_path
from flowdbg.store.lock import holder_of, lock_path
from tests.store.samples import event, read_session, write_session


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def modes(directory: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}


# 43
@pytest.mark.usefixtures("open_umask")
def test_every_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    directory = tmp_path / "share" / "sessions"
    with SessionStore.create(directory, session_id="s", meta={}) as store:
        store.append([event(1)])
        assert modes(directory) == {
            "s.flowdbg": 0o600,
            "s.flowdbg-wal": 0o600,
            "s.flowdbg-shm": 0o600,
            "s.flowdbg.lock": 0o600,
        }
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_a_directory_open_to_others_is_closed_to_them(tmp_path: Path) -> None:
    directory = tmp_path / "sessions"
    directory.mkdir(mode=0o755)
    directory.chmod(0o755)
    write_session(directory, [event(1)])
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_closing_leaves_only_the_session_and_its_lock(tmp_path: Path) -> None:
    write_session(tmp_path, [event(1)])
    assert sorted(modes(tmp_path)) == ["s-1.flowdbg", "s-1.flowdbg.lock"]


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotSaved, match=r"sessions directory .*file/sessions cannot be used"):
        SessionStore.create(tmp_path / "file" / "sessions", session_id="s", meta={})


# 38
def unusual(path: Path, kind: str) -> None:
    match kind:
        case "symbolic link":
            target = write_session(path.parent / "elsewhere", [event(1)])
            path.symlink_to(target)
        case "pipe":
            os.mkfifo(path)
        case "directory":
            path.mkdir()
        case "socket":
            with socket.socket(socket.AF_UNIX) as server:
                here = Path.cwd()
                os.chdir(path.parent)  # a socket's address must be short
                try:
                    server.bind(path.name)
                finally:
                    os.chdir(here)


@pytest.mark.parametrize("kind", ["symbolic link", "pipe", "directory", "socket"])
@pytest.mark.parametrize("read_only", [True, False])
def test_what_is_no_plain_file_is_refused_without_touching_it(
    tmp_path: Path, kind: str, read_only: bool
) -> None:
    path = tmp_path / "s.flowdbg"
    unusual(path, kind)
    with pytest.raises(SessionUnreadable, match=f"is a {kind}, not a session file"):
        SessionStore.open(path, read_only=read_only)
    with pytest.raises(SessionUnreadable, match=f"is a {kind}"):
        remove_session(path)
    (summary,) = list_sessions(tmp_path)
    assert f"is a {kind}" in summary.problem
    assert path.lstat()


def test_a_link_in_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    path = write_session(tmp_path / "sessions", [event(1)])
    victim = tmp_path / "victim"
    victim.write_text("keep me")
    lock = path.with_name("s-1.flowdbg.lock")
    lock.unlink()
    lock.symlink_to(victim)
    with pytest.raises(NotSaved, match="lock file"):
        SessionStore.open(path)
    assert victim.read_text() == "keep me"


def test_a_link_in_place_of_a_new_session_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    directory = tmp_path / "sessions"
    directory.mkdir()
    (directory / "s.flowdbg").symlink_to(victim)
    with pytest.raises(UsageError, match="already a session"):
        SessionStore.create(directory, session_id="s", meta={})
    assert not victim.exists()


def test_a_missing_session_is_said_to_be_missing(tmp_path: Path) -> None:
    for path in (tmp_path / "none.flowdbg", tmp_path / "a\0b", tmp_path / ("x" * 300)):
        with pytest.raises(SessionUnreadable, match="There is no session at"):
            SessionStore.open(path)


@pytest.mark.parametrize(
    "session_id",
    ["../evil", "/etc/passwd", "a/b", "..", ".", "", ".hidden", "a\0b", "x" * 101, "a\n", "ü"],
)
def test_ids_that_could_leave_the_directory_are_refused(tmp_path: Path, session_id: str) -> None:
    directory = tmp_path / "sessions"
    with pytest.raises(UsageError, match="is not a session id"):
        SessionStore.create(directory, session_id=session_id, meta={})
    assert not directory.exists()
    assert session_path(directory, "2024-05-01.a_b").name == "2024-05-01.a_b.flowdbg"


@pytest.fixture
def unwritable(tmp_path: Path) -> Iterator[Path]:
    """A session in a directory that this process may only read."""
    path = write_session(tmp_path / "sessions", [event(1)])
    outside = Path(tempfile.mkdtemp())  # pytest's own directories are closed to other users
    shared = outside / path.name
    shutil.copyfile(path, shared)
    shared.chmod(0o644)
    outside.chmod(0o555)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield shared
    finally:
        os.seteuid(user)
        outside.chmod(0o700)
        shutil.rmtree(outside)


def test_a_session_in_a_directory_that_may_only_be_read_can_be_read(unwritable: Path) -> None:
    assert read_session(unwritable) == [event(1)]
    with pytest.raises(NotSaved, match=r"lock file .* cannot be opened: Permission denied"):
        SessionStore.open(unwritable)
    (summary,) = list_sessions(unwritable.parent)
    assert (summary.records, summary.problem) == (1, "")
    with pytest.raises(NotSaved):
        remove_session(unwritable)


def test_names_with_signs_that_sqlite_reads_are_opened_as_they_are(tmp_path: Path) -> None:
    directory = tmp_path / "a?mode=memory#b%20c"
    path = write_session(directory, [event(1)])
    assert read_session(path) == [event(1)]
    assert path.exists()


# 36
HOLD = """
import sys, time
from pathlib import Path
from flowdbg.store import SessionStore
store = SessionStore.open(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def held(tmp_path: Path) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """A session that another process is writing."""
    path = write_session(tmp_path, [event(1)])
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        yield path, other
        other.kill()


def test_a_second_writer_is_told_who_holds_the_session(
    held: tuple[Path, subprocess.Popen[str]],
) -> None:
    path, other = held
    with pytest.raises(SessionHeld) as caught:
        SessionStore.open(path)
    holder = f"process {other.pid} on {socket.gethostname()!r}"
    assert holder in str(caught.value)
    assert "read-only" in str(caught.value)
    assert list_sessions(path.parent)[0].holder == holder
    with pytest.raises(SessionHeld):
        remove_session(path)
    assert read_session(path) == [event(1)]


def test_the_lock_goes_with_its_holder_even_when_that_is_killed(
    held: tuple[Path, subprocess.Popen[str]],
) -> None:
    path, other = held
    other.kill()
    other.wait()
    assert list_sessions(path.parent)[0].holder == ""
    with SessionStore.open(path) as store:
        assert store.append([event(2)]) == range(2, 3)


def test_a_second_writer_in_the_same_process_is_refused_too(tmp_path: Path) -> None:
    with SessionStore.create(tmp_path, session_id="s", meta={}) as store:
        store.append([event(1)])
        with pytest.raises(SessionHeld, match=f"process {os.getpid()} "):
            SessionStore.open(store.path)
        with SessionStore.open(store.path, read_only=True) as reader:
            assert len(list(reader.read())) == 1
            store.append([event(2)])
            assert len(list(reader.read())) == 2, "a reader sees what is written meanwhile"
        assert [one.records for one in list_sessions(tmp_path)] == [2]
        store.append([event(3)])
    assert len(read_session(store.path)) == 3


def test_a_lock_file_full_of_nonsense_still_locks(tmp_path: Path) -> None:
    with SessionStore.create(tmp_path, session_id="s", meta={}) as store:
        (tmp_path / "s.flowdbg.lock").write_bytes(b"\xff{")
        with pytest.raises(SessionHeld, match="by another process"):
            SessionStore.open(store.path)


# lists of sessions
def test_the_list_shows_what_a_person_chooses_by(tmp_path: Path) -> None:
    old = write_session(tmp_path, [event(1)], "old")
    new = write_session(tmp_path, [event(1), event(2)], "new")
    os.utime(old, (1000, 1000))
    os.utime(new, (2000, 2000))
    first, second = list_sessions(tmp_path)
    assert (first.session_id, first.records, first.updated_at) == ("new", 2, 2000.0)
    assert (second.session_id, second.records, second.meta) == ("old", 1, {"title": "t"})
    assert first.size == new.stat().st_size
    assert sorted(modes(tmp_path)) == [
        "new.flowdbg", "new.flowdbg.lock", "old.flowdbg", "old.flowdbg.lock",
    ], "looking leaves nothing behind"  # fmt: skip


def test_a_broken_file_does_not_hide_the_other_sessions(tmp_path: Path) -> None:
    write_session(tmp_path, [event(1)], "good")
    (tmp_path / "text.flowdbg").write_text("not a database at all")
    (tmp_path / "empty.flowdbg").touch()
    (tmp_path / "notes.txt").touch()
    problems = {one.session_id: one.problem for one in list_sessions(tmp_path)}
    assert problems.keys() == {"good", "text", "empty"}
    assert problems["good"] == ""
    assert "not a session" in problems["text"]
    assert "not a session" in problems["empty"]


def test_a_directory_that_is_not_there_has_no_sessions(tmp_path: Path) -> None:
    assert list_sessions(tmp_path / "none") == []


def test_removing_a_session_removes_all_its_files(tmp_path: Path) -> None:
    path = write_session(tmp_path, [event(1)])
    damaged = tmp_path / "damaged.flowdbg"
    damaged.write_text("?")
    remove_session(path)
    remove_session(damaged)
    assert modes(tmp_path) == {}


def test_nothing_but_sessions_is_removed(tmp_path: Path) -> None:
    other = tmp_path / "thesis.txt"
    other.touch()
    with pytest.raises(UsageError, match="not the name of a session"):
        remove_session(other)
    with pytest.raises(StoreError, match="no session at"):
        remove_session(tmp_path / "none.flowdbg")
    assert other.exists()


def test_the_note_of_an_earlier_holder_does_not_hide_who_holds_it_now(tmp_path: Path) -> None:
    path = session_path(tmp_path, "s")
    lock_path(path).write_text("x" * 500)
    with SessionStore.create(tmp_path, session_id="s", meta={}):
        assert holder_of(path) == f"process {os.getpid()} on {socket.gethostname()!r}"
