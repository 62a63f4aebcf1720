"""Large pieces of bodies, each stored once by its hash, however often it is sent again."""

from __future__ import annotations

import hashlib
import sqlite3

from flowdbg.core.json_text import JsonText
from flowdbg.store.records import to_bytes, to_text

_REMEMBERED = 128 * 1024 * 1024
"""Characters of pieces whose numbers are remembered; beyond, they are hashed again."""


class Pieces:
    """The table of large pieces.

    What was numbered since the last `kept` or `dropped` is only believed after `kept`: a
    transaction that fails takes its numbers with it.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._numbers: dict[JsonText, int] = {}
        self._fresh: dict[JsonText, int] = {}
        self._size = 0

    def number_of(self, piece: JsonText) -> int:
        """The number of a piece, which is stored when it is new; inside a transaction."""
        number = self._numbers.get(piece) or self._fresh.get(piece)
        if number is None:
            number = self._fresh[piece] = self._store(to_bytes(piece.text))
        return number

    def kept(self) -> None:
        """The transaction was committed."""
        self._size += sum(len(piece.text) for piece in self._fresh)
        if self._size > _REMEMBERED:
            self._numbers.clear()
            self._size = 0
        self._numbers.update(self._fresh)
        self._fresh.clear()

    def dropped(self) -> None:
        """The transaction was rolled back."""
        self._fresh.clear()

    def _store(self, data: bytes) -> int:
        digest = hashlib.sha256(data).digest()
        known = self._connection.execute("SELECT number FROM pieces WHERE hash = ?", (digest,))
        row = known.fetchone()
        if row is not None:
            return int(row[0])
        added = self._connection.execute(
            "INSERT INTO pieces (hash, text) VALUES (?, ?)", (digest, data)
        )
        return int(added.lastrowid or 0)


class PieceReader:
    """Brings pieces back; each is read once and shared by all records that hold it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._read: dict[int, JsonText] = {}

    def __call__(self, number: int) -> JsonText:
        """The piece of a number.

        Raises:
            ValueError: It is missing or was changed.
        """
        piece = self._read.get(number)
        if piece is None:
            piece = self._read[number] = self._fetch(number)
        return piece

    def _fetch(self, number: int) -> JsonText:
        query = "SELECT hash, text FROM pieces WHERE number = ?"
        row = self._connection.execute(query, (number,)).fetchone()
        if row is None:
            raise ValueError(f"piece {number} is missing")
        digest, data = row
        if not isinstance(data, bytes) or hashlib.sha256(data).digest() != digest:
            raise ValueError(f"piece {number} was changed")
        return JsonText(to_text(data))
