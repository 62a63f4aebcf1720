"""What SQLite says is told in words that a person can act on."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from flowdbg.store.failures import not_saved, unreadable

PATH = Path("sessions/s1.flowdbg")


def failed(code: int) -> sqlite3.OperationalError:
    """An error as SQLite gives it; the upper bytes of a code are its finer reason."""
    error = sqlite3.OperationalError("its own words")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "what", "next_step"),
    [
        (sqlite3.SQLITE_FULL, "no room for the session s1", "Make room"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, "cannot be written (its own words)", "rights"),
        (sqlite3.SQLITE_CANTOPEN, "cannot be written", "rights"),
        (sqlite3.SQLITE_BUSY, "another program is using the file", "Close it"),
        (sqlite3.SQLITE_TOOBIG, "larger than the session s1 can hold", "Export"),
        (sqlite3.SQLITE_CORRUPT_INDEX, "was damaged meanwhile", "go on in a new session"),
        (sqlite3.SQLITE_IOERR_WRITE, "the disk of the session s1 failed", "Check the disk"),
    ],
)
def test_a_failed_write_says_why_and_what_to_do(code: int, what: str, next_step: str) -> None:
    error = not_saved(PATH, failed(code))
    assert error.what.startswith("Not saved: ")
    assert what in error.what
    assert next_step in error.next_step


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (failed(sqlite3.SQLITE_NOTADB), "is not a session"),
        (failed(sqlite3.SQLITE_CORRUPT), "is damaged (its own words)"),
        (failed(sqlite3.SQLITE_CANTOPEN), "cannot be read (its own words)"),
        (sqlite3.OperationalError("Could not decode to UTF-8"), "is damaged"),
        (sqlite3.OperationalError("something else"), "cannot be read"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), "is damaged"),
        (ValueError("a reason"), "is damaged (a reason)"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_apart_by_its_trouble(
    error: sqlite3.Error | ValueError, what: str
) -> None:
    assert what in unreadable(PATH, error).what
