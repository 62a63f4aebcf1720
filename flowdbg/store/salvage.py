"""What is still readable of a damaged session, copied into a new one; the old one is left alone."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from flowdbg.core.records import Record
from flowdbg.errors import SessionUnreadable
from flowdbg.store.connection import connect_to_read
from flowdbg.store.failures import FAILURES
from flowdbg.store.files import check_regular, companions, session_path
from flowdbg.store.pieces import PieceReader
from flowdbg.store.properties import read_meta
from flowdbg.store.records import fetch, read_rows
from flowdbg.store.sessions import SessionStore

_GIVE_UP = 1000
"""Sequence numbers without a record after which no more are tried, if nothing says how many
there should be."""


class Salvaged(NamedTuple):
    """The outcome of a salvage."""

    path: Path
    """The new session."""
    saved: int
    """Records that were copied."""
    lost: int
    """Records in front of the last readable one that were not."""


def salvage(path: Path, directory: Path) -> Salvaged:
    """Copy the readable records of a session into a new one in `directory`.

    The new session is named after the old one; its meta says `salvaged_from`.

    Raises:
        SessionUnreadable: Nothing of it can be read.
        StoreError: The new session cannot be written.
    """
    check_regular(path)
    with tempfile.TemporaryDirectory(prefix="flowdbg-salvage-") as workplace:
        copy = Path(workplace) / path.name
        shutil.copyfile(path, copy)
        log, _ = companions(path)
        if log.exists():  # without its index, which SQLite makes anew from the log
            shutil.copyfile(log, companions(copy)[0])
        try:
            connection = connect_to_read(copy)
        except SessionUnreadable as error:
            raise _nothing_left(path) from error
        try:
            records, last = _readable(connection)
            meta = _meta(connection)
        finally:
            connection.close()
    if not records:
        raise _nothing_left(path)
    meta["salvaged_from"] = path.name
    with SessionStore.create(directory, session_id=_free_id(path, directory), meta=meta) as store:
        store.append(records)
        return Salvaged(store.path, len(records), last - len(records))


def _readable(connection: sqlite3.Connection) -> tuple[list[Record], int]:
    """Every record that can be read, one by one, and the sequence of the last of them."""
    piece = PieceReader(connection)
    records: list[Record] = []
    last = at = expected = 0
    with suppress(*FAILURES):
        expected = int(connection.execute("SELECT max(sequence) FROM records").fetchone()[0] or 0)
    while at < max(expected, last + _GIVE_UP):
        with suppress(*FAILURES, ValueError):
            for row in fetch(connection, at, 1):
                records += [stored.record for stored in read_rows([row], piece)]
                last = max(last, row[0])
                at = max(at, row[0] - 1)
        at += 1
    return records, last


def _meta(connection: sqlite3.Connection) -> dict[str, Any]:
    try:
        return read_meta(connection)
    except (*FAILURES, ValueError):
        return {}


def _free_id(path: Path, directory: Path) -> str:
    stem = path.stem[:80]
    number = 1
    while session_path(directory, f"{stem}-salvaged-{number}").exists():
        number += 1
    return f"{stem}-salvaged-{number}"


def _nothing_left(path: Path) -> SessionUnreadable:
    return SessionUnreadable(
        f"Nothing in {path} can be read as a session.", "The file was left as it is."
    )
