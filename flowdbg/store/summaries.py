"""The sessions of a directory, for a list to choose from; a broken one does not hide the rest."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flowdbg.errors import FlowdbgError, StoreError, UsageError
from flowdbg.store.connection import connect_to_read
from flowdbg.store.creation import remove_session_file
from flowdbg.store.failures import damaged, unreadable
from flowdbg.store.files import SUFFIX, check_regular, companions
from flowdbg.store.lock import WriterLock, holder_of, lock_path
from flowdbg.store.properties import read_meta


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """What a list shows of one session."""

    path: Path
    session_id: str
    updated_at: float
    """Seconds since the epoch."""
    size: int
    """Bytes on disk."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    records: int = 0
    holder: str = ""
    """Who writes it now; empty when nobody does."""
    problem: str = ""
    """Why it cannot be opened; empty when it can."""


def list_sessions(directory: Path, most: int | None = None) -> list[SessionSummary]:
    """The sessions of a directory, the one written last first; changes nothing there.

    `most` looks only into so many of them, the newest by their files.
    """
    try:
        paths = [path for path in directory.iterdir() if _is_session(path)]
    except OSError:
        return []
    if most is not None:
        paths = sorted(paths, key=_changed_at, reverse=True)[:most]
    return sorted(map(_summary, paths), key=lambda one: (-one.updated_at, one.session_id))


def remove_session(path: Path) -> None:
    """Delete a session, also a damaged one.

    Raises:
        UsageError: The path does not have the name of a session.
        SessionHeld: Another process writes it.
        StoreError: It is no regular file or cannot be deleted.
    """
    if not _is_session(path):
        raise UsageError(f"{path} is not the name of a session.", f"It must end in {SUFFIX}.")
    check_regular(path)
    writer_lock = WriterLock(path)
    try:
        remove_session_file(path)
        lock_path(path).unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(
            f"The session {path.stem} cannot be deleted: {error.strerror}.",
            "Check the rights of the directory.",
        ) from error
    finally:
        writer_lock.release()


def _is_session(path: Path) -> bool:
    return path.name.endswith(SUFFIX) and not path.name.startswith(".")


def _changed_at(path: Path) -> float:
    times = [0.0]
    for file in (path, companions(path)[0]):
        with suppress(OSError):
            times.append(file.lstat().st_mtime)
    return max(times)


def _summary(path: Path) -> SessionSummary:
    size = 0
    for file in (path, companions(path)[0]):
        with suppress(OSError):
            size += file.lstat().st_size
    meta: dict[str, Any] = {}
    records, problem = 0, ""
    try:
        check_regular(path)
        meta, records = _look_into(path)
    except FlowdbgError as error:
        problem = error.what
    holder = "" if problem else holder_of(path)
    return SessionSummary(path, path.stem, _changed_at(path), size, meta, records, holder, problem)


def _look_into(path: Path) -> tuple[dict[str, Any], int]:
    connection = connect_to_read(path)
    try:
        (last,) = connection.execute("SELECT max(sequence) FROM records").fetchone()
        return read_meta(connection), int(last or 0)
    except sqlite3.Error as error:
        raise unreadable(path, error) from error
    except (ValueError, TypeError) as error:
        raise damaged(path, str(error)) from error
    finally:
        connection.close()
