"""Where the server's database is: a file of its own, or a PostgreSQL URL."""

from __future__ import annotations

import hashlib
import itertools
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from flowdbg.errors import NotSaved, SessionHeld, SessionUnreadable, UsageError
from flowdbg.server.storage.hold import FileHold


def database_url(location: str) -> URL:
    """Read a `--db` value: a file path, or a `sqlite://` or `postgresql://` URL.

    Raises:
        UsageError: Another kind of database, or a URL that cannot be read.
    """
    if "://" not in location:
        return URL.create("sqlite", database=str(Path(location).expanduser().absolute()))
    try:
        url = make_url(location)
    except ArgumentError as error:
        raise UsageError(
            "The database URL cannot be read.",
            "Write it as postgresql://user@host/name, or give the path of a file.",
        ) from error
    backend = url.get_backend_name()
    if backend == "sqlite":
        if not url.database or url.database == ":memory:":
            raise UsageError("The database needs a file.", "Give `--db` the path of one.")
        return URL.create("sqlite", database=str(Path(url.database).expanduser().absolute()))
    if backend in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    raise UsageError(
        f"Databases of kind {backend!r} are not supported.",
        "Use a SQLite file or a postgresql:// URL.",
    )


def prepare_file(path: Path) -> None:
    """Make the database file, readable by its owner only, before SQLite opens it.

    SQLite gives the files beside it (`-wal`, `-shm`) the same mode.

    Raises:
        SessionUnreadable: Something that is no regular file stands there.
        NotSaved: The folder or the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        handle = os.open(path, flags, 0o600)
    except OSError as error:
        raise NotSaved(
            f"The database file {path} cannot be opened: {error.strerror}.",
            "Check the folder's permissions, or give `--db` another file.",
        ) from error
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise SessionUnreadable(
                f"{path} is not a regular file.", "Give `--db` the path of another file."
            )
    finally:
        os.close(handle)


def free_slot(folder: Path, served: Sequence[Path]) -> tuple[Path, FileHold]:
    """A database file for servers of these paths, already held: the first that no other holds.

    Several debuggers may work on one flow file at the same time, each with its own server.
    """
    names = "\n".join(sorted(str(path.resolve()) for path in served))
    digest = hashlib.sha256(names.encode()).hexdigest()[:16]
    for number in itertools.count(1):
        path = folder / f"{digest}-{number}.db"
        prepare_file(path)
        try:
            return path, FileHold(path)
        except SessionHeld:
            continue
    raise AssertionError("unreachable: there is always a next number")
