"""Queued runs while they are played, on the event loop."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flowdbg.core.json_text import JsonText
from flowdbg.dialects.operations import INTERNAL_ERROR
from flowdbg.dialects.playing import Play, inputs_of, play_entry
from flowdbg.dialects.records import OPEN, RunRecord
from flowdbg.dialects.services import RunStart
from flowdbg.engine.errors import EngineError
from flowdbg.engine.events import EntryCompleted, EntryFailed
from flowdbg.engine.runner import Runner
from flowdbg.errors import FlowdbgError, StoreError
from flowdbg.server.catalogue import Catalogue
from flowdbg.server.runs import RecordedCall, RunBook
from flowdbg.server.storage import runs
from flowdbg.server.storage.database import Database
from flowdbg.server.storage.steps import note_from_json, note_to_json, steps_of, to_text

logger = logging.getLogger("flowdbg.server")


@dataclass(slots=True)
class JobPlay:
    """One queued run while it is played.

    What an entry left behind goes into the queue's own memory together with its outcome, so that a
    crash loses neither and the run's record need not be waited for after each entry.
    """

    call: RecordedCall
    play: Play
    pending: dict[str, Any]
    """What the run was asked for, and how far the entry that was cut off had come."""
    recorded: frozenset[str]
    """The entries that have a record already, from before a crash."""
    played: set[int] = field(default_factory=set)
    """The entries that this process has played."""
    failure: Mapping[str, Any] | None = None
    """Why the run ends early."""

    def take(self, index: int, told: str) -> bool:
        """Take in what an entry came to, now or before a crash; False ends the run."""
        outcome = json.loads(told)
        step_id = self.play.resolved.plan[index].step_id
        if index not in self.played and step_id not in self.recorded:
            self.call.add([note_from_json(item) for item in outcome["notes"]])
        self.failure = outcome.get("error")
        if self.failure is not None:
            return False
        self.play.outputs[step_id] = outcome["output"]
        return True


class JobPlays:
    """Plays queued runs with the parts of one server."""

    def __init__(
        self, database: Database, catalogue: Catalogue, book: RunBook, engine: Runner
    ) -> None:
        self._database = database
        self._catalogue = catalogue
        self._book = book
        self._engine = engine
        self._tasks: dict[asyncio.Task[Any], JobPlay] = {}

    async def open(self, run_id: str) -> JobPlay | None:
        """Get a run ready; None when it is over, or gone."""
        record = await self._database.read(lambda connection: runs.find_run(connection, run_id))
        if record is None or record.status not in OPEN or record.pending is None:
            return None
        try:
            return await self._opened(record, dict(record.pending))
        except FlowdbgError as error:
            await self._give_up(record, error)
            return None

    async def play(self, job: JobPlay, index: int) -> str:
        """Play one plan entry; what it came to, as JSON text."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks[task] = job
        job.played.add(index)
        try:
            outcome = await self._outcome(job, index)
        except EngineError as error:
            outcome = {"error": {"code": error.code, "message": str(error)}}
        except StoreError:
            raise  # the run goes on later
        except Exception:
            logger.exception("a step failed inside the server", extra={"run_id": job.call.run_id})
            message = "The server met a fault of its own."
            outcome = {"error": {"code": INTERNAL_ERROR, "message": message}}
        finally:
            del self._tasks[task]
        notes = [note_to_json(note) for note in job.call.leave()]
        return json.dumps({**outcome, "notes": notes})

    async def end(self, job: JobPlay) -> None:
        """Write the run's end; durable when this returns."""
        if job.failure is None:
            await job.call.close("completed", result=JsonText.of(job.play.result))
        else:
            await job.call.close("failed", error=job.failure)

    def stop(self) -> None:
        """Leave what is played; the runs stay queued and are gone on with later."""
        for task, job in list(self._tasks.items()):
            job.call.suspend()
            task.cancel()

    async def _opened(self, record: RunRecord, pending: dict[str, Any]) -> JobPlay:
        resolved = await self._catalogue.of_run(record, pending["definition"])
        inputs = inputs_of(resolved.definition, record.initial)
        start = RunStart(
            resolved,
            "job",
            record.initial,
            run_id=record.id,
            full_capture=record.capture == "full",
        )
        call = await self._book.begin(start)
        play = Play(resolved, inputs, block_overrides=pending["blockOverrides"])
        ended: frozenset[str] = frozenset()
        if record.status != "pending":  # it goes on after a crash
            steps = await self._database.write(lambda connection: steps_of(connection, record.id))
            ended = frozenset(
                step.note.step_id
                for step in steps
                if not step.note.path and step.note.status != "running"
            )
        return JobPlay(call, play, pending, ended)

    async def _give_up(self, record: RunRecord, error: FlowdbgError) -> None:
        code = error.code if isinstance(error, EngineError) else "INVALID_TREE"
        outcome = runs.CallOutcome("failed", {"code": code, "message": str(error)})
        await self._database.write(
            lambda connection: runs.close_call(connection, record.id, outcome, [])
        )

    async def _outcome(self, job: JobPlay, index: int) -> dict[str, Any]:
        entry = job.play.resolved.plan[index]
        cut_off = job.pending.get("checkpoint")
        if cut_off is not None and cut_off["index"] == index:
            job.play.resume = cut_off["state"]
        checkpoint = None
        if entry.children or entry.effect == "write":

            async def checkpoint(state: Mapping[str, Any]) -> None:
                await self._save(job, index, state)

        terminal = await play_entry(self._engine, job.call, job.play, index, checkpoint)
        if isinstance(terminal, EntryCompleted):
            return {"output": terminal.output}
        if isinstance(terminal, EntryFailed):
            return {"error": {**terminal.error, "stepId": entry.step_id}}
        message = "The step asks for tools, which a queued run cannot be given."
        return {"error": {"code": "TOOLS_REQUIRE_SYNC_EXECUTE", "message": message}}

    async def _save(self, job: JobPlay, index: int, state: Mapping[str, Any]) -> None:
        """Keep how far an entry has come, so that a crash repeats nothing that is finished."""
        job.pending["checkpoint"] = {"index": index, "state": dict(state)}
        run_id, text = job.call.run_id, to_text(job.pending)
        await self._database.write(lambda connection: runs.save_pending(connection, run_id, text))
