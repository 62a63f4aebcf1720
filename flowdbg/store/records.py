"""Records as rows: text as bytes, bodies in pieces, a checksum over what must not change.

All text is stored as UTF-8 bytes in which lone surrogates keep their own encoding, because
SQLite's text cannot hold them. A body's layout says how its bytes fall into pieces:
`s12 j34 p7` is 12 bytes of plain text, 34 bytes of JSON text, and the large piece number 7.
No layout means one piece of plain text.
"""

from __future__ import annotations

import json
import sqlite3
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from flowdbg.core.json_text import JsonText, Segments
from flowdbg.core.records import Record

LARGE = 512
"""Characters of JSON text from which on a piece is stored once, by its hash. Outputs of a page of
text are common, and every later request carries them again."""

INSERT = "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
SELECT = (
    "SELECT sequence, parent, branch, schema, kind, at, meta, body, layout, checksum "
    "FROM records WHERE sequence > ? ORDER BY sequence LIMIT ?"
)

_NUMBERS = struct.Struct("<qqqqd").pack

Columns = tuple[int, int, int, int, str, float, bytes, bytes, str | None]
"""Sequence, parent, branch, schema, kind, at, meta, body, layout."""

Row = tuple[int, int, int, int, str, float, bytes, bytes, str | None, int]
"""The columns and their checksum."""


class StoredRecord(NamedTuple):
    """One record as it stands in a session."""

    sequence: int
    """Its place in the session, from 1 on without gaps."""
    parent: int
    """The sequence of the record before it on its branch; 0 for the first of all."""
    schema: int
    """The format version it was written in."""
    record: Record


def to_bytes(text: str) -> bytes:
    """UTF-8, lone surrogates included."""
    return text.encode("utf-8", "surrogatepass")


def to_text(data: bytes) -> str:
    """The text that `to_bytes` was given."""
    return data.decode("utf-8", "surrogatepass")


def meta_bytes(meta: Mapping[str, Any]) -> bytes:
    """A small mapping as JSON in ASCII.

    Raises:
        ValueError: It holds something that is not JSON.
    """
    try:
        return json.dumps(meta, separators=(",", ":")).encode("ascii")
    except (TypeError, RecursionError) as error:
        raise ValueError(f"the meta of a record is not JSON: {error}") from error


def checksum(columns: Columns) -> int:
    """A sum over all columns of a row: a changed bit must not become another request."""
    sequence, parent, branch, schema, kind, at, meta, body, layout = columns
    value = zlib.crc32(_NUMBERS(sequence, parent, branch, schema, at), _sum_of(kind, meta))
    value = zlib.crc32(body, value)
    return value if layout is None else zlib.crc32(layout.encode(), value)


def _sum_of(kind: str, meta: bytes) -> int:
    return zlib.crc32(meta, zlib.crc32(kind.encode()))


def body_bytes(body: Segments, number_of: Callable[[JsonText], int]) -> tuple[bytes, str | None]:
    """The inline bytes of a body and its layout; `number_of` stores a large piece."""
    if len(body) == 1 and isinstance(body[0], str):
        return to_bytes(body[0]), None
    inline: list[bytes] = []
    layout: list[str] = []
    for piece in body:
        if isinstance(piece, JsonText) and len(piece.text) >= LARGE:
            layout.append(f"p{number_of(piece)}")
            continue
        data = to_bytes(piece if isinstance(piece, str) else piece.text)
        inline.append(data)
        layout.append(f"{'s' if isinstance(piece, str) else 'j'}{len(data)}")
    return b"".join(inline), " ".join(layout)


def read_rows(rows: Sequence[Row], piece: Callable[[int], JsonText]) -> list[StoredRecord]:
    """The records of rows; `piece` brings a large piece by its number.

    Raises:
        ValueError: A row was changed since it was written, or cannot be read.
    """
    try:
        return _read_rows(rows, piece)
    except (TypeError, AttributeError, RecursionError, struct.error) as error:
        raise ValueError(f"a record's columns make no sense: {error}") from error


def _read_rows(rows: Sequence[Row], piece: Callable[[int], JsonText]) -> list[StoredRecord]:
    known: dict[tuple[str, bytes], tuple[Any, int]] = {}  # of a turn's records, most are alike
    records: list[StoredRecord] = []
    for sequence, parent, branch, schema, kind, at, meta, body, layout, expected in rows:
        alike = known.get((kind, meta))
        head = alike[1] if alike is not None else _sum_of(kind, meta)
        found = zlib.crc32(_NUMBERS(sequence, parent, branch, schema, at), head)
        found = zlib.crc32(body, found)
        if layout is not None:
            found = zlib.crc32(layout.encode(), found)
        if found != expected:
            raise ValueError(f"record {sequence} was changed")
        if alike is None:
            alike = known[kind, meta] = json.loads(meta), head
        text: Segments = (
            (body.decode("utf-8", "surrogatepass"),)
            if layout is None
            else _pieces(body, layout, piece)
        )
        record = Record(kind, branch, at, alike[0], text)
        records.append(tuple.__new__(StoredRecord, (sequence, parent, schema, record)))
    return records


def _pieces(body: bytes, layout: str, piece: Callable[[int], JsonText]) -> Segments:
    found: list[str | JsonText] = []
    at = 0
    for token in layout.split():
        number = int(token[1:])
        if token[0] == "p":
            found.append(piece(number))
            continue
        text = to_text(body[at : at + number])
        found.append(text if token[0] == "s" else JsonText(text))
        at += number
    return tuple(found)


def fetch(connection: sqlite3.Connection, after: int, count: int) -> list[Row]:
    """The next rows behind a sequence number, as they are in the file."""
    return connection.execute(SELECT, (after, count)).fetchall()
