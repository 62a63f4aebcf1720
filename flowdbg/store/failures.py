"""The one place where SQLite's errors become ours."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from flowdbg.errors import NotSaved, SessionUnreadable

FAILURES = (sqlite3.Error, UnicodeError)
"""What reading a file can raise; a damaged one makes SQLite's own messages undecodable."""

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_LEFT_ALONE = (
    "The file was left as it is; what is readable of it goes into a new session: "
    "flowdbg sessions salvage SESSION."
)


def not_saved(path: Path, error: sqlite3.Error) -> NotSaved:
    """For a write that failed; everything written before it is safe."""
    code = primary_code(error)
    session = f"the session {path.stem}"
    if code == sqlite3.SQLITE_FULL:
        return NotSaved(
            f"Not saved: no room for {session} on its disk.",
            "Make room and try again.",
        )
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
        return NotSaved(
            f"Not saved: {session} cannot be written ({error}).",
            "Check the rights of the file, its directory and its disk.",
        )
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return NotSaved(
            f"Not saved: another program is using the file of {session}.",
            "Close it and try again.",
        )
    if code == sqlite3.SQLITE_TOOBIG:
        return NotSaved(
            f"Not saved: one value is larger than {session} can hold (1 GB).",
            "Export what is on the screen.",
        )
    if code in _DAMAGED:
        return NotSaved(
            f"Not saved: the file of {session} was damaged meanwhile ({error}).",
            "Export what is on the screen, and go on in a new session.",
        )
    return NotSaved(
        f"Not saved: the disk of {session} failed ({error}).",
        "Check the disk and try again.",
    )


def unreadable(path: Path, error: sqlite3.Error | UnicodeError | ValueError) -> SessionUnreadable:
    """For a file that cannot be read as a session."""
    code = primary_code(error) if isinstance(error, sqlite3.Error) else sqlite3.SQLITE_CORRUPT
    if code == sqlite3.SQLITE_NOTADB:
        return not_a_session(path)
    if code in _DAMAGED:
        return damaged(path, str(error))
    return SessionUnreadable(
        f"The session file {path} cannot be read ({error}).",
        "Check the rights of the file, its directory and its disk.",
    )


def not_a_session(path: Path) -> SessionUnreadable:
    """For a file that something else has written."""
    return SessionUnreadable(
        f"{path} is not a session of flowdbg.", "The file was left as it is; give another path."
    )


def damaged(path: Path, reason: str) -> SessionUnreadable:
    """For a session that was one, and has been hurt."""
    return SessionUnreadable(f"The session file {path} is damaged ({reason}).", _LEFT_ALONE)


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's primary result code; text that cannot be decoded counts as damage."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        decoding = "Could not decode" in str(error)
        return sqlite3.SQLITE_CORRUPT if decoding else sqlite3.SQLITE_ERROR
    return int(code) & 0xFF
