"""The queue's own database: what is left in it, and what happens when it fails."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from flowdbg.server.dbos_queue import SecondsConnection
from tests.dialects.noukai.server import http
from tests.dialects.noukai.server.stream import code_of
from tests.flows import THREE_STEP
from tests.server.jobs import finished, poll, submit, submitted, trace
from tests.serving import server_process, write_flows

FLOW = "three-step"


def remembered(database: Path) -> dict[str, str]:
    """What the queue remembers: the state of each run."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT workflow_uuid, status FROM workflow_status")
        return {str(run_id): str(status) for run_id, status in rows}


def outputs(database: Path, run_id: str) -> int:
    """Of how many steps of a run the queue remembers what they came to."""
    query = "SELECT output FROM operation_outputs WHERE workflow_uuid = ?"
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return len(connection.execute(query, (run_id,)).fetchall())


def test_what_the_steps_of_an_ended_run_came_to_is_not_kept_for_good(tmp_path: Path) -> None:
    write_flows(tmp_path, THREE_STEP)
    arguments = ("--db", str(tmp_path / "server.db"), "--capture", "off")
    queue = tmp_path / "server.queue.db"
    with server_process([tmp_path], *arguments) as first:
        run_id = submitted(first.base, FLOW, message="words that nobody may keep")
        finished(first.base, FLOW, [run_id])
        end = time.monotonic() + 60
        while remembered(queue)[run_id] != "SUCCESS":
            assert time.monotonic() < end
            time.sleep(0.05)
        assert outputs(queue, run_id) >= 3
    with server_process([tmp_path], *arguments) as second:
        finished(second.base, FLOW, [submitted(second.base, FLOW, message="m")])
        assert run_id not in remembered(queue)
        assert outputs(queue, run_id) == 0
        assert poll(second.base, FLOW, run_id)["result"]


@pytest.mark.parametrize(
    ("database", "table"), [("server.db", "run_steps"), ("server.queue.db", "operation_outputs")]
)
def test_a_run_goes_on_when_a_database_that_failed_works_again(
    tmp_path: Path, database: str, table: str
) -> None:
    write_flows(tmp_path, THREE_STEP)

    def rename(before: str, after: str) -> None:
        with closing(sqlite3.connect(tmp_path / database, timeout=60)) as connection:
            connection.execute(f"ALTER TABLE {before} RENAME TO {after}")

    with server_process([tmp_path], "--db", str(tmp_path / "server.db")) as server:
        finished(server.base, FLOW, [submitted(server.base, FLOW, message="first")])
        rename(table, "away")
        run_id = submitted(server.base, FLOW, message="second")
        end = time.monotonic() + 120
        while not any(b"put off" in line for line in server.log):
            assert time.monotonic() < end
            time.sleep(0.05)
        rename("away", table)
        finished(server.base, FLOW, [run_id])
        steps = trace(server.base, run_id)["steps"]
        assert [(step["stepId"], step["status"], step["attempt"]) for step in steps] == [
            ("first", "completed", 1),
            ("second", "completed", 1),
            ("third", "completed", 1),
        ]
        metrics = http.get(f"{server.url}/metrics").text
        assert "flowdbg_calls_running 0\n" in metrics


def test_a_queue_that_cannot_be_opened_is_opened_once_it_can(tmp_path: Path) -> None:
    write_flows(tmp_path, THREE_STEP)
    queue = tmp_path / "server.queue.db"
    queue.write_text("no database at all, and long enough to be looked at" * 100)
    arguments = ("--db", str(tmp_path / "server.db"), "--log-format", "json")
    with server_process([tmp_path], *arguments) as server:
        for _ in range(2):
            answer = submit(server.base, FLOW, message="m")
            assert (answer.status_code, code_of(answer)) == (503, "UNAVAILABLE")
            assert "cannot be read" in answer.json()["detail"]["message"]
        queue.unlink()
        (state,) = finished(server.base, FLOW, [submitted(server.base, FLOW, message="m")])
        assert state["status"] == "completed"
    told = [json.loads(line) for line in server.log]
    assert [entry["event"] for entry in told if entry["level"] == "error"]


def test_times_are_known_also_where_sqlite_is_older_than_what_dbos_asks_of_it() -> None:
    with closing(sqlite3.connect(":memory:", factory=SecondsConnection)) as connection:
        [seconds] = connection.execute("SELECT unixepoch('subsec')").fetchone()
    assert abs(time.time() - seconds) < 3600
