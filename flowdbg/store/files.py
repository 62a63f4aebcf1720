"""Files and directories of sessions: private to their owner, never through a link.

SQLite gives its companions (`-wal`, `-shm`) the mode of the database file, so it is enough
to create that one with 0600.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from flowdbg.errors import NotSaved, SessionUnreadable, UsageError

SUFFIX = ".flowdbg"
_SESSION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def session_path(directory: Path, session_id: str) -> Path:
    """Where a session lives.

    Raises:
        UsageError: The id is none: too long, or with characters that file names give a meaning.
    """
    if not _SESSION_ID.fullmatch(session_id):
        raise UsageError(
            f"{session_id[:60]!r} is not a session id.",
            "Use letters, digits, '.', '_' and '-', at most 100 of them.",
        )
    return directory / f"{session_id}{SUFFIX}"


def companions(path: Path) -> tuple[Path, Path]:
    """SQLite's files beside a session: the log of new pages and its index."""
    return path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")


def check_regular(path: Path) -> None:
    """Refuse what is not a plain file, without opening it: a pipe would block.

    Raises:
        SessionUnreadable: There is nothing, or something else than a regular file.
    """
    try:
        mode = path.lstat().st_mode
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise SessionUnreadable(
            f"There is no session at {path} ({reason}).",
            "List the sessions to see what there is.",
        ) from error
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "not a regular file")
        raise SessionUnreadable(
            f"{path} is {kind}, not a session file; it was not opened.",
            "Give the path of the file itself.",
        )


def make_private_directory(directory: Path) -> None:
    """Create a directory for its owner alone, or close an existing one to others.

    Raises:
        NotSaved: It cannot be created or closed.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if stat.S_IMODE(directory.stat().st_mode) & 0o077:
            directory.chmod(0o700)
    except OSError as error:
        raise NotSaved(
            f"The sessions directory {directory} cannot be used: {error.strerror}.",
            "Check who owns it, or name another directory.",
        ) from error


def create_private_file(path: Path) -> None:
    """Create an empty file for its owner alone; fails when anything is there already.

    Raises:
        OSError: It exists or cannot be created.
    """
    os.close(
        os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    )


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
