"""The making of a session file: complete under a passing name, then given its own."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from flowdbg.errors import NotSaved, UsageError
from flowdbg.store.failures import not_saved
from flowdbg.store.files import companions, create_private_file, sync_directory
from flowdbg.store.properties import write_last_sequence, write_meta
from flowdbg.store.schema import APPLICATION_ID, SCHEMA_VERSION, TABLES


def create_session_file(path: Path, meta: Mapping[str, Any]) -> None:
    """Make an empty session; call with the writer's lock held.

    Raises:
        UsageError: There is something of that name already.
        NotSaved: The disk or the directory refused; nothing is left behind.
    """
    passing = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        remove_session_file(passing)
        create_private_file(passing)
        _fill(passing, meta)
        os.link(passing, path, follow_symlinks=False)  # unlike a rename, never over another
        try:
            sync_directory(path.parent)
        except OSError:
            path.unlink()
            raise
    except FileExistsError as error:
        raise UsageError(
            f"There is already a session {path.stem}.", "Open it, or give another name."
        ) from error
    except sqlite3.Error as error:
        raise not_saved(path, error) from error
    except OSError as error:
        raise NotSaved(
            f"The session file {path} cannot be made: {error.strerror}.",
            "Check the disk and the rights of the directory.",
        ) from error
    finally:
        with suppress(OSError):
            remove_session_file(passing)


def remove_session_file(path: Path) -> None:
    """Delete a session file and its companions, as far as they are there.

    Raises:
        OSError: One of them cannot be deleted.
    """
    for file in (path, *companions(path)):
        file.unlink(missing_ok=True)


def _fill(path: Path, meta: Mapping[str, Any]) -> None:
    """Write all of an empty session with a rollback journal, and only then change to the log.

    What is in a log reaches the file when the connection is closed, where a failing disk is
    not reported.
    """
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        for table in TABLES:
            connection.execute(table)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        write_meta(connection, meta)
        write_last_sequence(connection, 0)
        connection.execute("COMMIT")
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    finally:
        connection.close()
    if mode != "wal" or any(companion.exists() for companion in companions(path)):
        raise OSError(errno.EIO, "the disk failed while the file was finished")
