"""Who may call: the keys the server was started with, and the keys it manages itself.

Without keys of the first kind the server is open: it answers everyone, and only a key that it
manages itself is held to its project. With them, nothing else is let in.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence

from flowdbg.dialects.operations import UNAUTHENTICATED, Caller, Refusal
from flowdbg.server.storage import keys
from flowdbg.server.storage.database import Database
from flowdbg.server.storage.keys import KeyRecord

KEY = re.compile(r"nk_(live|test)_([A-Za-z0-9]{8})_([A-Za-z0-9]{32})")
"""The shape of a managed key (noukai section 1.2): environment, id, secret."""


class Gate:
    """Checks `Authorization` headers."""

    def __init__(self, configured: Sequence[str], database: Database) -> None:
        self._configured = [key.encode() for key in configured]
        self._database = database

    async def admit(self, authorization: str | None) -> Caller:
        """Who is behind a header.

        Raises:
            Refusal: 401, the key is missing, wrong, expired or revoked.
        """
        scheme, _, key = (authorization or "").partition(" ")
        key = key.strip() if scheme.lower() == "bearer" else ""
        if self._configured and self._is_configured(key):
            return Caller()
        match = KEY.fullmatch(key)
        if match is not None:
            record = await self._database.read(
                lambda connection: keys.find_key(connection, match[2])
            )
            if record is not None:
                return _bearer(record, key)
        if not self._configured:
            return Caller()
        what = "The API key is wrong." if authorization else "An API key is needed."
        raise _unauthenticated(what)

    def _is_configured(self, key: str) -> bool:
        given = key.encode("utf-8", "replace")
        # Every key is compared, in constant time, so that the time taken tells nothing.
        return sum(hmac.compare_digest(given, known) for known in self._configured) > 0


def secret_hash(key: str) -> str:
    """What is stored of a key; its secret is long and random, so no salt is needed."""
    return hashlib.sha256(key.encode()).hexdigest()


def _bearer(record: KeyRecord, key: str) -> Caller:
    if not hmac.compare_digest(secret_hash(key), record.secret_hash):
        raise _unauthenticated("The API key is wrong.")
    if not record.active:
        what = "was revoked" if record.revoked_at is not None else "has expired"
        raise _unauthenticated(f"The API key {record.id} {what}.")
    return Caller(project=record.project, administrator=False)


def _unauthenticated(what: str) -> Refusal:
    return Refusal(
        401,
        UNAUTHENTICATED,
        f"{what} Send a valid one in the `Authorization` header, as a bearer token.",
        headers={"www-authenticate": 'Bearer realm="flowdbg"'},
    )
