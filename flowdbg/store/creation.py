"""The making of a session file: complete under a passing name, then given its own."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from flowdbg.errors import NotSaved, UsageError
from flowdbg.store.failures import not_saved
from flowdbg.store.files import create_private_file, sync_directory
from flowdbg.store.properties import write_last_sequence, write_meta
from flowdbg.store.schema import create_tables


def create_session_file(path: Path, meta: Mapping[str, Any]) -> None:
    """Make an empty session; call with the writer's lock held.

    Raises:
        UsageError: There is something of that name already.
        NotSaved: The disk or the directory refused; nothing is left behind.
    """
    passing = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with suppress(FileNotFoundError):
            passing.unlink()
        create_private_file(passing)
        _fill(passing, meta)
        os.link(passing, path, follow_symlinks=False)  # unlike a rename, never over another
        sync_directory(path.parent)
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
            passing.unlink()


def _fill(path: Path, meta: Mapping[str, Any]) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        create_tables(connection)
        write_meta(connection, meta)
        write_last_sequence(connection, 0)
    finally:
        connection.close()
