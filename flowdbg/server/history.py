"""What runs left behind, and a run followed while it happens.

A run that this process serves is followed through its events; one that another process serves (or
that waits for its client's next call) is looked at in the database now and then.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from sqlalchemy import Connection

from flowdbg.dialects.records import OPEN, RunRecord, RunStatus, StepRecord
from flowdbg.dialects.services import Address, Ended, Entered, Followed, Replayed
from flowdbg.server.runs import RecordedCall, RunBook
from flowdbg.server.storage import flows, runs
from flowdbg.server.storage.database import Database
from flowdbg.server.storage.steps import steps_of, with_unwritten

_LOOK_SECONDS = 0.25


class RunHistory:
    """Implements `flowdbg.dialects.services.History`."""

    def __init__(self, database: Database, book: RunBook) -> None:
        self._database = database
        self._book = book

    async def run(self, run_id: str) -> tuple[RunRecord, Address] | None:
        """A run, and its flow's address."""

        def found(connection: Connection) -> tuple[RunRecord, Address] | None:
            record = runs.find_run(connection, run_id)
            address = record and flows.address_of(connection, record.flow_id)
            return (record, address) if record and address else None

        return await self._database.read(found)

    async def steps(self, run_id: str) -> list[StepRecord]:
        """Every step record of a run, in the order in which they ended; last what runs now."""
        call = self._book.serving.get(run_id)
        if call is None:
            return await self._database.read(lambda connection: steps_of(connection, run_id))
        under_way = call.under_way()
        # Asked through the writer, whose order says that everything before is written.
        written = self._database.write(lambda connection: steps_of(connection, run_id))
        return with_unwritten(await written, under_way)

    async def runs(
        self, flow_id: str, statuses: Sequence[RunStatus], limit: int
    ) -> list[RunRecord]:
        """The newest runs of a flow; no statuses means all."""
        return await self._database.read(
            lambda connection: runs.runs_of_flow(connection, flow_id, statuses, limit)
        )

    async def address(self, flow_id: str) -> Address | None:
        """The address of a flow, by its id."""
        return await self._database.read(lambda connection: flows.address_of(connection, flow_id))

    async def flow_id(self, address: Address) -> str | None:
        """The id of a flow, by its address."""
        row = await self._database.read(lambda connection: flows.find_flow(connection, address))
        return None if row is None else row.flow_id

    async def session(self, session_id: str) -> list[tuple[RunRecord, Address]]:
        """The runs that carry a session's tag, in the order in which they were called."""

        def found(connection: Connection) -> list[tuple[RunRecord, Address]]:
            records = runs.runs_of_session(connection, session_id)
            pairs = [(record, flows.address_of(connection, record.flow_id)) for record in records]
            return [(record, address) for record, address in pairs if address is not None]

        return await self._database.read(found)

    async def follow(self, run_id: str) -> AsyncGenerator[Followed, None]:
        """A run's steps so far, then what happens while it happens; ends with `Ended`."""
        seen = -1
        while True:
            call = self._book.serving.get(run_id)
            if call is not None:
                async for event in self._live(call, seen):
                    yield event
            # Asked through the writer, whose order says that everything before is written.
            record, steps = await self._database.write(
                lambda connection: (
                    runs.find_run(connection, run_id),
                    steps_of(connection, run_id),
                )
            )
            if call is None:
                for step in _after(steps, seen):
                    yield Replayed(step.note)
            seen = steps[-1].ordinal if steps else seen
            if record is None:
                return
            if record.status not in OPEN:
                yield Ended(record)
                return
            await asyncio.sleep(_LOOK_SECONDS)

    async def _live(self, call: RecordedCall, seen: int) -> AsyncGenerator[Followed, None]:
        """What a call of this process has done beyond the record `seen`, and does to its end."""
        follower = call.followers.join()
        # Nothing runs between these lines, so each record is either among the unwritten ones or
        # read by this read, and never both.
        unwritten, index = list(call.unwritten), call.index
        reading = self._database.write(lambda connection: steps_of(connection, call.run_id))
        try:
            for step in _after(await reading, seen):
                yield Replayed(step.note)
            for note in unwritten:
                yield Replayed(note)
            if index is not None:
                yield Entered(index, call.entry(index))
            while (event := await follower.next()) is not None:
                yield event
        finally:
            call.followers.leave(follower)


def _after(steps: Sequence[StepRecord], ordinal: int) -> list[StepRecord]:
    """The records behind one; a step that goes on after a pause is told again."""
    return [step for step in steps if step.ordinal > ordinal]
