"""The flows this server serves: drafts from files, frozen versions from the database.

Which version an address means (noukai section 2.1): none given is production, or the draft when
none was made production; 0 is the draft; N is the frozen version N.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from pydantic import ValidationError

from flowdbg.dialects.records import Capture, RunRecord
from flowdbg.dialects.services import DRAFT, Address, FlowUnknown, Resolved
from flowdbg.engine.definition import FlowDefinition, definition_json, parse_flow
from flowdbg.engine.plan import PlanEntry, plan_hash, plan_of
from flowdbg.errors import DefinitionError, Problem
from flowdbg.server.drafts import Draft, Drafts
from flowdbg.server.storage import flows
from flowdbg.server.storage.database import Database
from flowdbg.server.storage.flows import FlowRow, Frozen, VersionRow

_REMEMBERED_VERSIONS = 64
_HIGHEST_NUMBER = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Listed:
    """A flow in the list of all flows."""

    address: Address
    production: int | None
    newest: int
    draft: Draft | None


class _Planned(NamedTuple):
    """A definition with what is computed from it once."""

    definition: FlowDefinition
    plan: tuple[PlanEntry, ...]
    plan_hash: str


class Catalogue:
    """Resolves addresses, publishes versions and moves the production pointer."""

    def __init__(self, database: Database, drafts: Drafts, capture: Capture) -> None:
        self._capture = capture
        self._database = database
        self._drafts = drafts
        self._rows: dict[Address, FlowRow] = {}
        self._draft_plans: dict[Address, _Planned] = {}
        self._scanning = asyncio.Lock()
        self._reading = asyncio.Lock()
        self._frozen: OrderedDict[tuple[str, int], _Planned] = OrderedDict()

    async def resolve(self, address: Address, version: int | None) -> Resolved:
        """The version that an address means.

        Raises:
            FlowUnknown: No such flow or version.
            DefinitionError: The draft does not parse, or a frozen version is damaged.
        """
        row = await self._row(address)
        if version is None and row is not None and row.production is not None:
            return await self._version(row, row.production)
        if version is None or version == DRAFT:
            return await self._draft(address, row)
        if row is None:
            _no_flow(address)
        return await self._version(row, version)

    async def of_run(self, record: RunRecord, draft: Mapping[str, Any] | None) -> Resolved:
        """What a queued run plays: its frozen version, or the draft as it was when queued.

        Raises:
            FlowUnknown: The flow is gone.
            DefinitionError: The version is damaged.
        """
        address = await self._database.read(
            lambda connection: flows.address_of(connection, record.flow_id)
        )
        row = None if address is None else await self._row(address)
        if address is None or row is None:
            raise FlowUnknown("The flow of the queued run is gone.")
        if record.version is not None:
            return await self._version(row, record.version)
        try:
            definition = FlowDefinition.model_validate(draft)
        except ValidationError as error:
            _damaged(address, 0, f"{error.error_count()} fields are not understood")
        return self._resolved(row, None, _planned(definition, record.plan_hash))

    async def publish(
        self, address: Address, source: str, *, production: bool, reuse: bool
    ) -> tuple[VersionRow, bool]:
        """Freeze a definition as the next version.

        Returns:
            The version, and whether it was made now (`reuse` may find the newest one equal).

        Raises:
            DefinitionError: The definition is wrong, or belongs to another address.
        """
        async with self._reading:
            # One at a time: a large definition takes seconds, and threads are few.
            definition = await asyncio.to_thread(parse_flow, source, f"{address.flow}.flow.yaml")
        if definition.flow != str(address):
            message = f"is {definition.flow!r}, but it was published as {str(address)!r}."
            raise DefinitionError([Problem(f"{address.flow}.flow.yaml", 0, "flow", message)])
        text = json.dumps(definition_json(definition), separators=(",", ":"))
        frozen = Frozen(source, text, _digest(text), plan_hash(definition))
        row = await self._ensured(address)
        published = await self._database.write(
            lambda connection: flows.publish(
                connection, row.flow_id, frozen, production=production, reuse=reuse
            )
        )
        self._rows.pop(address, None)
        return published

    async def promote(self, address: Address, number: int) -> None:
        """Point production at a version.

        Raises:
            FlowUnknown: No such flow or version.
        """
        row = await self._kept(address)
        done = 0 < number <= _HIGHEST_NUMBER and await self._database.write(
            lambda connection: flows.promote(connection, row.flow_id, number)
        )
        if not done:
            _no_version(address, number, row.newest)
        self._rows.pop(address, None)

    async def set_capture(self, address: Address, capture: Capture | None) -> None:
        """Say how much of inputs and outputs a flow's runs keep; None: what the server says.

        Raises:
            FlowUnknown: No such flow.
        """
        row = await self._kept(address)
        await self._database.write(
            lambda connection: flows.set_capture(connection, row.flow_id, capture)
        )
        self._rows.pop(address, None)

    async def versions(self, address: Address) -> tuple[int | None, list[VersionRow]]:
        """The production version's number, and every version, oldest first.

        Raises:
            FlowUnknown: No such flow.
        """
        row = await self._row(address)
        if row is None:
            if await self._find_draft(address) is None:
                _no_flow(address)
            return None, []
        rows = await self._database.read(
            lambda connection: flows.version_rows(connection, row.flow_id)
        )
        return row.production, rows

    async def scan(self) -> list[Draft]:
        """Every flow file as it stands now."""
        async with self._scanning:
            return await asyncio.to_thread(self._drafts.scan)

    async def listing(self) -> list[Listed]:
        """Every flow, by address; a file that does not say its address comes last."""
        drafts = {draft.address: draft for draft in await self.scan()}
        rows = {row.address: row for row in await self._database.read(flows.all_flows)}
        addresses = sorted({*rows, *(address for address in drafts if address is not None)})
        return [
            Listed(
                address,
                rows[address].production if address in rows else None,
                rows[address].newest if address in rows else 0,
                drafts.get(address),
            )
            for address in addresses
            if address in drafts or rows[address].newest
        ]

    async def _row(self, address: Address) -> FlowRow | None:
        """What is published at an address; remembered while no other process can change it."""
        known = self._rows.get(address)
        if known is not None:
            return known
        row = await self._database.read(lambda connection: flows.find_flow(connection, address))
        if row is not None and self._database.exclusive:
            self._rows[address] = row
        return row

    async def _kept(self, address: Address) -> FlowRow:
        """What the database keeps of a flow, also of one that was a draft only."""
        row = await self._row(address)
        if row is None:
            if await self._find_draft(address) is None:
                _no_flow(address)
            row = await self._ensured(address)
        return row

    async def _ensured(self, address: Address) -> FlowRow:
        return await self._database.write(lambda connection: flows.ensure_flow(connection, address))

    async def _find_draft(self, address: Address) -> Draft | None:
        draft = self._drafts.peek(address)
        if draft is None:
            draft = next((item for item in await self.scan() if item.address == address), None)
        return draft

    async def _draft(self, address: Address, row: FlowRow | None) -> Resolved:
        draft = await self._find_draft(address)
        if draft is None:
            if row is None or not row.newest:
                _no_flow(address)
            raise FlowUnknown(
                f"The flow {address} has no draft here.",
                f"Serve its file, or name a version: v1 to v{row.newest}.",
            )
        if draft.definition is None:
            raise DefinitionError(draft.problems)
        if row is None:
            row = await self._ensured(address)
        known = self._draft_plans.get(address)
        if known is None or known.definition is not draft.definition:
            known = _planned(draft.definition, plan_hash(draft.definition))
            self._draft_plans[address] = known
        return self._resolved(row, None, known)

    async def _version(self, row: FlowRow, number: int) -> Resolved:
        key = (row.flow_id, number)
        found = self._frozen.get(key)
        if found is None:
            found = await self._thawed(row, number)
            self._frozen[key] = found
            if len(self._frozen) > _REMEMBERED_VERSIONS:
                self._frozen.popitem(last=False)
        self._frozen.move_to_end(key)
        return self._resolved(row, number, found)

    async def _thawed(self, row: FlowRow, number: int) -> _Planned:
        frozen = None
        if 0 < number <= _HIGHEST_NUMBER:
            frozen = await self._database.read(
                lambda connection: flows.frozen_version(connection, row.flow_id, number)
            )
        if frozen is None:
            _no_version(row.address, number, row.newest)
        if _digest(frozen.definition) != frozen.definition_hash:
            _damaged(row.address, number, "its content does not match its hash")
        try:
            definition = FlowDefinition.model_validate_json(frozen.definition)
        except ValidationError as error:
            _damaged(row.address, number, f"{error.error_count()} fields are not understood")
        return _planned(definition, frozen.plan_hash)

    def _resolved(self, row: FlowRow, number: int | None, planned: _Planned) -> Resolved:
        return Resolved(
            flow_id=row.flow_id,
            address=row.address,
            version=number,
            production=number is not None and row.production == number,
            definition=planned.definition,
            plan=planned.plan,
            plan_hash=planned.plan_hash,
            capture=row.capture or self._capture,
        )


def _planned(definition: FlowDefinition, hashed: str) -> _Planned:
    return _Planned(definition, plan_of(definition), hashed)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _no_flow(address: Address) -> NoReturn:
    raise FlowUnknown(
        f"There is no flow {address} on this server.",
        "See GET /api/v1/flows for the ones it serves.",
    )


def _no_version(address: Address, number: int, newest: int) -> NoReturn:
    known = f"It has v1 to v{newest}." if newest else "Nothing is published of it yet."
    raise FlowUnknown(f"The flow {address} has no version {number}.", known)


def _damaged(address: Address, number: int, why: str) -> NoReturn:
    message = f"version {number} cannot be run: {why}. Publish it again."
    raise DefinitionError([Problem(str(address), 0, "", message)])
