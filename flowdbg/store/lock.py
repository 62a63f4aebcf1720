"""One writer a session: a lock that the kernel releases when its process dies, however it dies.

SQLite before 3.51.3 can lose data when two connections write and checkpoint one file at the
same time, so its own locks are not relied on. The lock is on a file of its own: closing any
descriptor of the database would release SQLite's locks in this process.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from pathlib import Path

from flowdbg.errors import NotSaved, SessionHeld

_PATIENCE = 0.1
"""Seconds to try: a picker that only looks holds the lock for microseconds."""


def lock_path(path: Path) -> Path:
    """The lock file of a session."""
    return path.with_name(f"{path.name}.lock")


class WriterLock:
    """The right to write one session, held until released."""

    def __init__(self, path: Path) -> None:
        """Take the lock.

        Raises:
            SessionHeld: Another process has it.
            NotSaved: The lock file cannot be opened or written.
        """
        self._path = lock_path(path)
        self._descriptor = _open(self._path)
        try:
            if not _lock(self._descriptor):
                holder = _read_holder(self._descriptor)
                raise SessionHeld(
                    f"The session {path.stem} is being written by {holder}.",
                    "Open it read-only, or close it there first.",
                )
            note = json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode()
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, note, 0)
        except OSError as error:
            os.close(self._descriptor)
            raise NotSaved(
                f"The lock file {self._path} cannot be written: {error.strerror}.",
                "Check the disk and who owns the directory.",
            ) from error
        except SessionHeld:
            os.close(self._descriptor)
            raise

    def release(self) -> None:
        """Give the lock back; a second call does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def holder_of(path: Path) -> str:
    """Who writes a session, in words; empty when nobody does."""
    try:
        descriptor = os.open(lock_path(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_holder(descriptor)
    except OSError:
        return ""
    else:
        return ""
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    flags = os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o600)
    except OSError as error:
        raise NotSaved(
            f"The lock file {path} cannot be opened: {error.strerror}.",
            "Check who owns the directory; what is not a plain file there is refused.",
        ) from error


def _lock(descriptor: int) -> bool:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        else:
            return True


def _read_holder(descriptor: int) -> str:
    try:
        note = json.loads(os.pread(descriptor, 1000, 0))
        return f"process {int(note['pid'])} on {str(note['host'])[:100]!r}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
