"""What a run leaves behind, how long it stays, and what a start makes of a crash."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from flowdbg.dialects.records import RunRecord, RunStatus, StepNote, StepRecord
from flowdbg.dialects.services import Address
from flowdbg.engine.events import EntryCompleted, NodeFinished, NodeStarted, StepInput, Usage
from flowdbg.engine.plan import PlanEntry
from flowdbg.server.recorder import MAX_KEPT, EntryRecorder
from flowdbg.server.storage import flows, runs
from flowdbg.server.storage.database import Database
from flowdbg.server.storage.runs import CallOutcome, NewRun
from flowdbg.server.storage.schema import runs as runs_table
from flowdbg.server.storage.steps import note_from_json, note_to_json, steps_of
from tests.dialects.noukai.server.stream import step
from tests.flows import FAILING, LOOP, TWO_STEP
from tests.serving import Running, running_server, write_flows

TWO = "acme/demo/two-step"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    write_flows(tmp_path, TWO_STEP, LOOP, FAILING)
    with running_server([tmp_path], tmp_path / "server.db") as running:
        yield running


def record(server: Running, run_id: str) -> tuple[RunRecord, list[StepRecord]]:
    database = server.server.database
    row = database.read_now(lambda connection: runs.find_run(connection, run_id))
    assert row is not None
    return row, database.read_now(lambda connection: steps_of(connection, run_id))


def test_a_run_is_recorded_with_its_tokens_cost_and_times(server: Running) -> None:
    run_id = step(
        server.base, TWO, stepIndex=0, message="m", runRemaining=True, headers={"x-session-id": "s"}
    )[0]["executionId"]
    row, steps = record(server, run_id)
    assert (row.status, row.trigger, row.version, row.step_count) == (
        "completed",
        "step",
        None,
        2,
    )
    assert (row.prompt_tokens, row.completion_tokens, row.cost) == (7, 3, Decimal("0.000150"))
    assert row.ended_at is not None
    assert 0 <= row.ended_at - row.started_at < 60
    assert row.session_id == "s"
    assert row.initial["message"] == "m"
    assert [(item.note.step_id, item.attempt, item.note.status) for item in steps] == [
        ("draft", 1, "completed"),
        ("count", 1, "completed"),
    ]
    assert steps[0].note.model == "scripted/writer"
    assert steps[0].note.output_bytes == len('{"text":"Dear reader, hello."}')


def test_tokens_of_single_steps_add_up_and_attempts_are_counted(server: Running) -> None:
    run_id = step(server.base, TWO, stepIndex=0, message="m")[0]["executionId"]
    assert record(server, run_id)[0].status == "paused"
    for _ in range(2):
        step(server.base, TWO, stepIndex=0, executionId=run_id)
    row, steps = record(server, run_id)
    assert (row.prompt_tokens, row.cost) == (21, Decimal("0.000450"))
    assert [(item.note.step_id, item.attempt) for item in steps] == [
        ("draft", 1),
        ("draft", 2),
        ("draft", 3),
    ]


def test_inputs_and_outputs_are_kept_only_when_they_are_asked_for(server: Running) -> None:
    plain = step(server.base, TWO, stepIndex=0, message="m")[0]["executionId"]
    traced = step(server.base, TWO, stepIndex=0, message="m", trace=True)[0]["executionId"]
    row, (without,) = record(server, plain)
    assert (row.capture, without.note.input, without.note.output) == ("metadata_only", None, None)
    row, (kept,) = record(server, traced)
    assert row.capture == "full"
    assert kept.note.input is not None
    assert kept.note.output is not None
    assert json.loads(kept.note.input) == {"message": "m"}
    assert json.loads(kept.note.output)["text"] == "Dear reader, hello."


def test_what_ran_inside_a_loop_is_recorded_by_iteration(server: Running) -> None:
    run_id = step(server.base, "acme/demo/loop", stepIndex=0, message="m")[0]["executionId"]
    _, steps = record(server, run_id)
    assert [(item.note.step_id, item.note.path, item.note.loop_index) for item in steps] == [
        ("shout", (0, "shout"), 0),
        ("shout", (1, "shout"), 1),
        ("shout", (2, "shout"), 2),
        ("each", (), None),
    ]
    assert [item.attempt for item in steps] == [1, 1, 1, 1]


def test_a_value_that_is_read_a_thousand_times_is_not_kept_a_thousand_times() -> None:
    """The record of a loop is held until the loop ends, and then written whole."""
    large = "x" * 1_000_000
    recorder = EntryRecorder(PlanEntry("each", "Each", "loop", "none", {}), "full")
    recorder.note(StepInput((), {"value": large}))
    for index in range(200):
        recorder.note(NodeStarted((index, "read"), "read", "passthrough"))
        recorder.note(StepInput((index, "read"), {"value": large}))
        recorder.note(NodeFinished((index, "read"), {"value": large}, Usage(), 1))
    recorder.note(EntryCompleted({"items": large}, Usage(), 1, None))
    *inside, entry = recorder.steps()
    kept = sum(len(note.input or "") + len(note.output or "") for note in inside)
    assert 0.9 * MAX_KEPT < kept < 1.1 * MAX_KEPT
    assert all(note.input_bytes > 1_000_000 for note in inside)
    assert entry.input is not None
    assert entry.output is not None


def test_a_failure_is_recorded_with_its_error(server: Running) -> None:
    events = step(server.base, "acme/demo/failing", stepIndex=0, message="m", runRemaining=True)
    row, steps = record(server, events[0]["executionId"])
    assert row.status == "failed"
    assert row.error is not None
    assert row.error["code"] == "MODEL_GONE"
    assert [item.note.status for item in steps] == ["completed", "failed"]
    assert steps[1].note.error is not None
    assert json.loads(steps[1].note.error)["code"] == "MODEL_GONE"


def new_run(run_id: str, **values: Any) -> NewRun:
    return NewRun(
        **{
            "id": run_id,
            "flow_id": "f",
            "version": None,
            "plan_hash": "h",
            "trigger": "step",
            "capture": "metadata_only",
            "initial": {},
            "step_count": 1,
            **values,
        }
    )


def test_runs_of_a_dead_server_are_marked_and_those_of_a_living_one_are_not(
    location: str,
) -> None:
    first = Database(location, "first")
    first.write_now(lambda connection: runs.start_run(connection, new_run("a"), "first"))
    first.write_now(lambda connection: runs.start_run(connection, new_run("b"), "dead"))
    first.write_now(
        lambda connection: runs.start_run(connection, new_run("c", status="paused"), "dead")
    )
    first.write_now(
        lambda connection: runs.start_run(connection, new_run("d", trigger="job"), "dead", {})
    )
    first.write_now(  # it was queued, ended, and stepped again
        lambda connection: runs.start_run(connection, new_run("e", trigger="job"), "dead")
    )
    if first.exclusive:
        first.close()
    second = Database(location, "second")
    marked = second.write_now(lambda connection: runs.mark_interrupted(connection, second.lives))

    def status(run_id: str) -> str:
        row = second.read_now(lambda connection: runs.find_run(connection, run_id))
        assert row is not None
        return row.status

    # A SQLite file is held by one server, so whoever wrote `a` is gone; on PostgreSQL it lives.
    assert marked == (3 if second.exclusive else 2)
    assert status("a") == ("interrupted" if second.exclusive else "running")
    assert [status(run_id) for run_id in "bcde"] == [
        *("interrupted", "paused", "running", "interrupted")
    ]
    second.close()
    if not first.exclusive:
        first.close()


RUNS: tuple[tuple[str, RunStatus], ...] = (
    ("old", "completed"),
    ("older", "paused"),
    ("oldest", "failed"),
    ("new", "completed"),
    ("busy", "running"),
)


def test_old_finished_runs_are_removed_with_their_steps_some_at_a_time(location: str) -> None:
    database = Database(location, "here")
    made = StepNote("s", "S", "s", (), "completed", time.time(), 1)
    for run_id, status in RUNS:
        database.write_now(
            lambda connection, run_id=run_id: runs.start_run(connection, new_run(run_id), "here")  # type: ignore[misc]
        )
        database.write_now(
            lambda connection, run_id=run_id, status=status: runs.close_call(  # type: ignore[misc]
                connection, run_id, CallOutcome(status), [made]
            )
        )
    database.write_now(
        lambda connection: connection.execute(
            update(runs_table).where(runs_table.c.id != "new").values(started_at=1.0)
        )
    )
    removed = [
        database.write_now(lambda connection: runs.delete_older(connection, 1000.0, most=2))
        for _ in range(3)
    ]
    assert removed == [2, 1, 0]
    left = [
        run_id
        for run_id, _ in RUNS
        if database.read_now(lambda connection, run_id=run_id: runs.find_run(connection, run_id))  # type: ignore[misc]
    ]
    assert left == ["new", "busy"]
    assert database.read_now(lambda connection: steps_of(connection, "old")) == []
    database.close()


def test_a_server_with_a_retention_removes_old_runs_when_it_starts(tmp_path: Path) -> None:
    location = str(tmp_path / "server.db")
    database = Database(location, "here")
    database.write_now(
        lambda connection: flows.ensure_flow(connection, Address("acme", "demo", "two-step"))
    )
    database.write_now(
        lambda connection: runs.start_run(connection, new_run("old", status="completed"), "here")
    )
    database.write_now(
        lambda connection: connection.execute(update(runs_table).values(started_at=1.0))
    )
    database.close()
    write_flows(tmp_path, TWO_STEP)
    with running_server([tmp_path], location, retention_days=7.0) as server:
        end = time.monotonic() + 60
        while server.server.database.read_now(lambda connection: runs.find_run(connection, "old")):
            assert time.monotonic() < end
            time.sleep(0.01)


def test_a_database_that_fails_for_a_while_does_not_end_the_housekeeping(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowdbg.server.app._SWEEP_SECONDS", 0.01)
    write_flows(tmp_path, TWO_STEP)
    with running_server([tmp_path], tmp_path / "server.db", retention_days=0.0) as server:
        database = server.server.database

        def rename(before: str, after: str) -> None:
            change = f"ALTER TABLE {before} RENAME TO {after}"
            database.write_now(lambda connection: connection.exec_driver_sql(change))

        rename("runs", "away")
        end = time.monotonic() + 60
        while not any("not removed" in record.getMessage() for record in caplog.records):
            assert time.monotonic() < end
            time.sleep(0.01)
        rename("away", "runs")
        run_id = step(server.base, TWO, stepIndex=0, message="m")[0]["executionId"]
        while database.read_now(lambda connection: runs.find_run(connection, run_id)):
            assert time.monotonic() < end + 60
            time.sleep(0.01)


def test_saved_files_are_reported_without_a_request_when_reload_is_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_flows(tmp_path, TWO_STEP)
    caplog.set_level("INFO", "flowdbg.server")
    with running_server([tmp_path], tmp_path / "server.db", reload=True):
        write_flows(tmp_path, TWO_STEP.replace("kind: llm", "kind: lmm"))
        end = time.monotonic() + 60
        while not any("broken" in record.getMessage() for record in caplog.records):
            assert time.monotonic() < end
            time.sleep(0.01)


@pytest.mark.parametrize(
    "note",
    [
        StepNote("s", "S", "s", (), "completed", 1.5, 3),
        StepNote(
            "inner",
            "Inner",
            "outer",
            (0, "branch", 12, "inner"),
            "failed",
            1.25,
            0,
            loop_index=12,
            model="scripted/x",
            prompt_tokens=1,
            completion_tokens=2,
            cost=Decimal("0.000150"),
            input='{"a":"\\ud83d"}',
            output="[1]",
            error='{"code":"X"}',
            input_bytes=5,
            output_bytes=6,
        ),
    ],
)
def test_a_record_survives_the_queue(note: StepNote) -> None:
    assert note_from_json(json.loads(json.dumps(note_to_json(note)))) == note
