"""API keys: the statements, each a function of a connection. Secrets are stored hashed only."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, Row, func, insert, select, update

from flowdbg.server.storage.schema import api_keys, storable


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """One key, without its secret."""

    id: str
    """Eight characters, the part of the key that people may see."""
    project: str
    """`org/project`, the only one it opens."""
    name: str
    environment: str
    """`live` or `test`; both work alike."""
    secret_hash: str
    created_at: float
    expires_at: float | None
    revoked_at: float | None

    @property
    def active(self) -> bool:
        """Whether it opens anything now."""
        expired = self.expires_at is not None and self.expires_at <= time.time()
        return self.revoked_at is None and not expired


def add_key(connection: Connection, key: KeyRecord, most: int) -> bool:
    """Add a key; False when its project has as many active ones as allowed."""
    active = [item for item in keys_of(connection, key.project) if item.active]
    if len(active) >= most:
        return False
    connection.execute(insert(api_keys).values(asdict(key)))
    return True


def keys_of(connection: Connection, project: str) -> list[KeyRecord]:
    """Every key of a project, oldest first."""
    rows = connection.execute(
        select(api_keys).where(api_keys.c.project == project).order_by(api_keys.c.created_at)
    )
    return [_key(row) for row in rows.all()]


def find_key(connection: Connection, key_id: str) -> KeyRecord | None:
    """One key, by its id."""
    if not storable(key_id):
        return None
    row = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).first()
    return None if row is None else _key(row)


def revoke_key(connection: Connection, key_id: str) -> bool:
    """Revoke a key; False when there is none. Revoking twice changes nothing."""
    if find_key(connection, key_id) is None:
        return False
    connection.execute(
        update(api_keys)
        .where(api_keys.c.id == key_id)
        .values(revoked_at=func.coalesce(api_keys.c.revoked_at, time.time()))
    )
    return True


def _key(row: Row[tuple[object, ...]]) -> KeyRecord:
    return KeyRecord(**row._mapping)
