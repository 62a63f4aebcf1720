"""Unfinished edits, kept so that a crash does not lose what a person was typing."""

from __future__ import annotations

from flowdbg.store.database import Database
from flowdbg.store.records import to_bytes, to_text


class Drafts:
    """Texts by name, such as one for each edited step; every change is durable at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, key: str, text: str) -> None:
        """Keep a text, in place of an earlier one of that name.

        Raises:
            NotSaved: The disk is full or failed; the earlier one is still there.
        """
        with self._database.transaction() as connection:
            row = (to_bytes(key), to_bytes(text))
            connection.execute("INSERT OR REPLACE INTO drafts VALUES (?, ?)", row)

    def load(self, key: str) -> str | None:
        """The text of a name; None when there is none."""
        with self._database.reading() as connection:
            query = "SELECT text FROM drafts WHERE name = ?"
            row = connection.execute(query, (to_bytes(key),)).fetchone()
        return None if row is None else to_text(row[0])

    def delete(self, key: str) -> None:
        """Forget a text; nothing happens when there is none.

        Raises:
            NotSaved: The disk is full or failed.
        """
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM drafts WHERE name = ?", (to_bytes(key),))

    def keys(self) -> list[str]:
        """The names of all texts, sorted."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT name FROM drafts ORDER BY name").fetchall()
        return [to_text(name) for (name,) in rows]
