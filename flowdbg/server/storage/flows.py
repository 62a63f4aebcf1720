"""Flows and their frozen versions: the statements, each a function of a connection."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from flowdbg.dialects.records import Capture
from flowdbg.dialects.services import Address
from flowdbg.server.storage.schema import flows, storable, versions

_VERSION_COLUMNS = (
    versions.c.number,
    versions.c.definition_hash,
    versions.c.plan_hash,
    versions.c.created_at,
)


@dataclass(frozen=True, slots=True)
class FlowRow:
    """A flow's identity and what is published of it."""

    flow_id: str
    address: Address
    production: int | None
    """The version that an address without a version means; None: none was set."""
    newest: int
    """The highest version number; 0 when nothing is published."""
    capture: Capture | None = None
    """How much its runs keep; None: what the server says."""


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One frozen version."""

    number: int
    definition_hash: str
    plan_hash: str
    created_at: float
    """Seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a publication freezes."""

    source: str
    """The definition's text, as it was sent."""
    definition: str
    """Its canonical JSON, which is what runs."""
    definition_hash: str
    """SHA-256 (hex) of the canonical JSON."""
    plan_hash: str


def ensure_flow(connection: Connection, address: Address) -> FlowRow:
    """The flow at the address, made when it is new."""
    found = find_flow(connection, address)
    if found is not None:
        return found
    flow_id = str(uuid.uuid4())
    connection.execute(
        insert(flows).values(id=flow_id, **address._asdict(), created_at=time.time())
    )
    return FlowRow(flow_id, address, None, 0)


def find_flow(connection: Connection, address: Address) -> FlowRow | None:
    """The flow at the address, if there is one."""
    if not all(storable(part) for part in address):
        return None
    row = connection.execute(
        select(flows).where(
            flows.c.org == address.org,
            flows.c.project == address.project,
            flows.c.flow == address.flow,
        )
    ).first()
    return None if row is None else _flow(connection, row)


def address_of(connection: Connection, flow_id: str) -> Address | None:
    """The address of a flow, by its id."""
    if not storable(flow_id):
        return None
    row = connection.execute(
        select(flows.c.org, flows.c.project, flows.c.flow).where(flows.c.id == flow_id)
    ).first()
    return None if row is None else Address(*row)


def all_flows(connection: Connection) -> list[FlowRow]:
    """Every flow the database knows, by address."""
    rows = connection.execute(select(flows).order_by(flows.c.org, flows.c.project, flows.c.flow))
    return [_flow(connection, row) for row in rows.all()]


def publish(
    connection: Connection, flow_id: str, frozen: Frozen, *, production: bool, reuse: bool
) -> tuple[VersionRow, bool]:
    """Freeze the next version; with `reuse`, the newest one when it says the same.

    Returns:
        The version, and whether it was made now.
    """
    _hold(connection, flow_id)
    newest = _newest(connection, flow_id)
    row = version_row(connection, flow_id, newest) if reuse and newest else None
    created = row is None or row.definition_hash != frozen.definition_hash
    if row is None or created:
        row = VersionRow(newest + 1, frozen.definition_hash, frozen.plan_hash, time.time())
        connection.execute(
            insert(versions).values(
                flow_id=flow_id,
                number=row.number,
                source=frozen.source,
                definition=frozen.definition,
                definition_hash=row.definition_hash,
                plan_hash=row.plan_hash,
                created_at=row.created_at,
            )
        )
    if production:
        promote(connection, flow_id, row.number)
    return row, created


def promote(connection: Connection, flow_id: str, number: int) -> bool:
    """Point production at a version; False when there is no such version."""
    if version_row(connection, flow_id, number) is None:
        return False
    connection.execute(update(flows).where(flows.c.id == flow_id).values(production=number))
    return True


def set_capture(connection: Connection, flow_id: str, capture: Capture | None) -> None:
    """Say how much of inputs and outputs a flow's runs keep."""
    connection.execute(update(flows).where(flows.c.id == flow_id).values(capture=capture))


def version_row(connection: Connection, flow_id: str, number: int) -> VersionRow | None:
    """One version without its text."""
    row = connection.execute(
        select(*_VERSION_COLUMNS).where(versions.c.flow_id == flow_id, versions.c.number == number)
    ).first()
    return None if row is None else VersionRow(*row)


def version_rows(connection: Connection, flow_id: str) -> list[VersionRow]:
    """Every version of a flow, oldest first."""
    rows = connection.execute(
        select(*_VERSION_COLUMNS).where(versions.c.flow_id == flow_id).order_by(versions.c.number)
    )
    return [VersionRow(*row) for row in rows.all()]


def frozen_version(connection: Connection, flow_id: str, number: int) -> Frozen | None:
    """A version's text and hashes, as they were frozen."""
    row = connection.execute(
        select(
            versions.c.source,
            versions.c.definition,
            versions.c.definition_hash,
            versions.c.plan_hash,
        ).where(versions.c.flow_id == flow_id, versions.c.number == number)
    ).first()
    return None if row is None else Frozen(*row)


def _flow(connection: Connection, row: Row[Any]) -> FlowRow:
    address = Address(row.org, row.project, row.flow)
    return FlowRow(row.id, address, row.production, _newest(connection, row.id), row.capture)


def _newest(connection: Connection, flow_id: str) -> int:
    highest = select(func.max(versions.c.number)).where(versions.c.flow_id == flow_id)
    return int(connection.execute(highest).scalar() or 0)


def _hold(connection: Connection, flow_id: str) -> None:
    """Let publishers of one flow take turns (PostgreSQL; a SQLite file has one writer anyway)."""
    connection.execute(select(flows.c.id).where(flows.c.id == flow_id).with_for_update())
