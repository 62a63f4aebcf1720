"""The durable queue: DBOS workflows, one for each queued run, one DBOS step for each plan entry.

A step's output is checkpointed by DBOS, so a run that was killed goes on at the entry that had not
ended. Imported only when a run is queued: DBOS takes a second to load. DBOS is one per process.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from typing import Any, Protocol

from dbos import DBOS, SetWorkflowID

from flowdbg.errors import StoreError
from flowdbg.server.storage.database import mapped

_QUEUE = "flowdbg-runs"
_POLLING_SECONDS = 0.05


class Player(Protocol):
    """What plays the runs; called from DBOS's threads."""

    def open(self, run_id: str) -> int:
        """Get a run ready; how many plan entries it has, 0 when it is over already."""

    def play(self, run_id: str, index: int) -> str:
        """Play one plan entry; what it came to, as JSON text."""

    def take(self, run_id: str, index: int, told: str) -> bool:
        """Take in what an entry came to, played now or before a crash; False ends the run."""

    def end(self, run_id: str) -> None:
        """Write the run's end."""

    def put_off(self, run_id: str, reason: str) -> None:
        """Play the run no further for now."""


class GoesOnLater(BaseException):
    """The server stops while a run is played, or a database fails.

    Not an `Exception`: DBOS records those as the end of the workflow, and this run goes on later.
    """


_player: Player | None = None


@DBOS.workflow(name="flowdbg-run")
def _run(run_id: str) -> None:
    player = _player
    if player is None:
        raise GoesOnLater
    try:
        with mapped():
            for index in range(player.open(run_id)):
                if not player.take(run_id, index, _entry(run_id, index)):
                    break
            _end(run_id)
    except (GoesOnLater, StoreError) as error:
        player.put_off(run_id, str(error))
        raise GoesOnLater from error


@DBOS.step(name="flowdbg-entry")
def _entry(run_id: str, index: int) -> str:
    assert _player is not None
    return _player.play(run_id, index)


@DBOS.step(name="flowdbg-end")
def _end(run_id: str) -> None:
    assert _player is not None
    _player.end(run_id)


class SecondsConnection(sqlite3.Connection):
    """Knows `unixepoch('subsec')`, with which DBOS marks times; SQLite has it from 3.42 on."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        if sqlite3.sqlite_version_info < (3, 42):
            self.create_function("unixepoch", 1, _seconds)


def _seconds(_: str) -> float:
    """Seconds since the epoch, to the millisecond."""
    return round(time.time(), 3)


def _engine_arguments(database_url: str) -> dict[str, Any]:
    # Statement parameters are payloads: they stay out of every error message.
    arguments: dict[str, Any] = {"hide_parameters": True}
    if database_url.startswith("sqlite"):
        arguments["connect_args"] = {"factory": SecondsConnection}
    return arguments


class DbosQueue:
    """DBOS, launched; one in a process."""

    def __init__(self, database_url: str, owner: str, player: Player, workers: int) -> None:
        """Launch.

        Raises:
            StoreError: Another server of this process has the queue, or its database fails.
        """
        global _player  # noqa: PLW0603 - DBOS calls functions of modules, which have no self
        if _player is not None:
            raise StoreError(
                "Another server in this process has the queue of runs.",
                "Queue runs on one server only, or start the other one as its own process.",
            )
        _player = player
        try:
            with mapped():
                self._launch(database_url, owner, workers)
        except BaseException:
            self.close()
            raise

    def _launch(self, database_url: str, owner: str, workers: int) -> None:
        DBOS(
            config={
                "name": "flowdbg",
                "system_database_url": database_url,
                # A newer flowdbg goes on with the runs that an older one queued.
                "application_version": "flowdbg-1",
                "executor_id": owner,
                "log_level": "ERROR",
                "db_engine_kwargs": _engine_arguments(database_url),
                "enable_otlp": False,
            }
        )
        DBOS.launch()
        DBOS.register_queue(
            _QUEUE, worker_concurrency=workers, polling_interval_sec=_POLLING_SECONDS
        )
        self.forget_ended()

    def submit(self, run_id: str) -> None:
        """Queue a run; queueing it twice is queueing it once.

        Raises:
            StoreError: The queue's database fails.
        """
        with mapped(), SetWorkflowID(run_id):
            DBOS.enqueue_workflow(_QUEUE, _run, run_id)

    def forget_ended(self) -> None:
        """Remove what the steps of ended runs came to: records say what is to be kept of it.

        Raises:
            StoreError: The queue's database fails.
        """
        with mapped():
            while ended := DBOS.list_workflows(
                status="SUCCESS", limit=1000, load_input=False, load_output=False
            ):
                DBOS.delete_workflows([workflow.workflow_id for workflow in ended])

    def adopt(self, run_id: str, lives: Callable[[str], bool]) -> bool:
        """See that a run whose server died is played; False when its workflow is over already.

        `lives` says whether a server process, known by its id, still runs.

        Raises:
            StoreError: The queue's database fails.
        """
        with mapped():
            status = DBOS.get_workflow_status(run_id)
        if status is None:  # it was written down, and its server died before it was queued
            self.submit(run_id)
            return True
        if status.status in ("SUCCESS", "ERROR", "CANCELLED"):
            return False
        if status.status == "PENDING" and not lives(status.executor_id or ""):
            self.resume(run_id)
        return True

    def resume(self, run_id: str) -> None:
        """Queue a run again that was put off.

        Raises:
            StoreError: The queue's database fails.
        """
        with mapped():
            DBOS.resume_workflow(run_id, queue_name=_QUEUE)

    def close(self) -> None:
        """Stop; what runs stays queued for the next start."""
        global _player  # noqa: PLW0603 - see above
        _player = None
        DBOS.destroy()
