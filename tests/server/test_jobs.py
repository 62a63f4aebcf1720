"""Queued runs: durable over a kill, shared over PostgreSQL, polled as the protocol says."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from flowdbg.engine.runner import Runner
from tests.dialects.noukai.server import http
from tests.dialects.noukai.server.stream import code_of
from tests.flows import FAILING, LOOP, THREE_STEP, TOOLS
from tests.server.jobs import Body, finished, poll, submit, submitted, trace
from tests.serving import Running, running_server, server_process, write_flows

PACED = """\
flow: acme/demo/paced
inputs:
  message: {type: string}
scripts:
  slow:
    replies:
      - chunks: ["one ", "two"]
        first_delay: 0.3
steps:
  - {id: first, kind: code, code: "return {'said': initial['message']}"}
  - {id: think, kind: llm, model: scripted/slow, prompt: "Think"}
  - {id: last, kind: code, code: "return {'said': initial['message'], 'thought': text}"}
"""
"""Takes a third of a second, most of it in its second step."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("flows")
    write_flows(folder, THREE_STEP, FAILING, LOOP, TOOLS, PACED)
    with running_server([folder], folder / "server.db") as running:
        yield running


def test_a_job_is_visible_at_once_and_ends_with_the_flows_result(server: Running) -> None:
    answer = submit(server.base, "three-step", message="m", parameters={"tone": "stern"})
    told = answer.json()
    assert set(told) == {"executionId", "status", "flowId", "blockCount"}
    assert told["blockCount"] == 3
    now = poll(server.base, "three-step", told["executionId"])
    assert now["status"] in ("pending", "running", "completed")
    (state,) = finished(server.base, "three-step", [told["executionId"]])
    assert state == {
        "executionId": told["executionId"],
        "status": "completed",
        "result": {"said": "m", "before": "m/stern!"},
        "error": None,
    }
    run = trace(server.base, told["executionId"])
    assert (run["flowRun"]["triggerType"], run["flowRun"]["status"]) == ("job", "completed")
    assert [step["stepId"] for step in run["steps"]] == ["first", "second", "third"]


def test_overrides_and_trace_are_kept_with_the_job(server: Running) -> None:
    run_id = submitted(
        server.base,
        "three-step",
        message="m",
        trace=True,
        blockOverrides={"third": {"code": "return {'changed': True}"}},
    )
    (state,) = finished(server.base, "three-step", [run_id])
    assert state["result"] == {"changed": True}
    assert trace(server.base, run_id)["steps"][0]["outputContext"] == {"text": "m/kind"}


def test_the_turns_of_a_chat_can_be_queued(server: Running) -> None:
    turns = [{"role": "user", "content": "first"}, {"role": "user", "content": "last"}]
    run_id = submitted(server.base, "three-step", messages=turns, trace=True)
    (state,) = finished(server.base, "three-step", [run_id])
    assert state["result"]["said"] == "last"
    assert trace(server.base, run_id)["flowRun"]["initial"]["messages"] == turns


def test_what_a_job_came_to_is_told_to_those_who_poll_it_only(server: Running) -> None:
    run_id = submitted(server.base, "three-step", message="secret words")
    finished(server.base, "three-step", [run_id])
    stream = http.get(f"{server.base}/flow-runs/{run_id}/trace/stream")
    assert "flow_completed" in stream.text
    assert "secret words" not in stream.text


def test_a_job_that_fails_says_why_in_words(server: Running) -> None:
    run_id = submitted(server.base, "failing", message="m")
    (state,) = finished(server.base, "failing", [run_id])
    assert (state["status"], state["result"]) == ("failed", None)
    assert isinstance(state["error"], str)  # the models of the SDKs take no object
    assert "the model went away" in state["error"]


def test_a_fault_of_the_server_ends_a_job_and_is_told_as_one(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Runner.run_entry

    def faulty(self: Runner, *arguments: Any, **named: Any) -> Any:
        async def events() -> AsyncIterator[Any]:
            async for event in real(self, *arguments, **named):
                yield event
                raise ZeroDivisionError("the inner workings")

        return events()

    monkeypatch.setattr(Runner, "run_entry", faulty)
    run_id = submitted(server.base, "three-step", message="m")
    (state,) = finished(server.base, "three-step", [run_id])
    assert (state["status"], state["error"]) == ("failed", "The server met a fault of its own.")


def test_a_draft_is_run_as_it_was_when_it_was_queued(server: Running) -> None:
    answer = http.post(f"{server.base}/seq/acme/demo/loop/v0/jobs", json={"message": "m"})
    (state,) = finished(server.base, "loop", [answer.json()["executionId"]])
    assert state["result"] == {"count": 3}


@pytest.mark.parametrize(
    ("flow", "body", "status", "code"),
    [
        ("nothing", {"message": "m"}, 404, "FLOW_NOT_FOUND"),
        ("three-step", {}, 400, "MISSING_MESSAGE"),
        ("three-step", {"message": "m", "tools": [{}]}, 400, "TOOLS_REQUIRE_SYNC_EXECUTE"),
        (
            "three-step",
            {"message": "m", "blockOverrides": {"first": {"x": 1}}},
            400,
            "INVALID_BLOCK_OVERRIDE",
        ),
        ("three-step", {"message": 5}, 400, "INVALID_REQUEST"),
        ("three-step", {"messages": [{"role": "system"}]}, 400, "MESSAGES_ROLE_INVALID"),
    ],
)
def test_what_cannot_run_is_not_queued(
    server: Running, flow: str, body: Body, status: int, code: str
) -> None:
    answer = submit(server.base, flow, **body)
    assert (answer.status_code, code_of(answer)) == (status, code)


def test_only_jobs_of_the_flow_are_found(server: Running) -> None:
    run_id = submitted(server.base, "loop", message="m")
    executed = http.post(f"{server.base}/seq/acme/demo/loop/execute", json={"message": "m"}).json()[
        "executionId"
    ]
    for flow, name in (("three-step", run_id), ("loop", executed), ("loop", "nobody")):
        answer = http.get(f"{server.base}/seq/acme/demo/{flow}/jobs/{name}")
        assert (answer.status_code, code_of(answer)) == (404, "JOB_NOT_FOUND")


def finishes_once(base: str, run_ids: Sequence[str]) -> None:
    """Every paced job completes, and each of its entries has one completed record at the end."""
    for number, state in enumerate(finished(base, "paced", run_ids)):
        assert state["status"] == "completed", state
        assert state["result"] == {"said": f"job {number}", "thought": "one two"}
    for run_id in run_ids:
        steps = trace(base, run_id)["steps"]
        assert [(step["stepId"], step["status"]) for step in steps] == [
            ("first", "completed"),
            ("think", "completed"),
            ("last", "completed"),
        ]


def test_what_has_ended_is_on_disk_while_a_later_step_still_runs(tmp_path: Path) -> None:
    write_flows(tmp_path, PACED.replace("first_delay: 0.3", "first_delay: 60"))
    with server_process([tmp_path], "--db", str(tmp_path / "server.db")) as server:
        run_id = submitted(server.base, "paced", message="hello")
        end = time.monotonic() + 60
        while "first" not in stored_steps(tmp_path / "server.db", run_id):
            assert time.monotonic() < end
            time.sleep(0.05)
        assert poll(server.base, "paced", run_id)["status"] == "running"


def stored_steps(database: Path, run_id: str) -> list[str]:
    """The ids of a run's steps as another program reads them."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT step_id FROM run_steps WHERE run_id = ?", (run_id,))
        return [str(row[0]) for row in rows]


def test_ten_jobs_survive_a_kill_and_finish_once(tmp_path: Path) -> None:
    write_flows(tmp_path, PACED)
    arguments = ("--db", str(tmp_path / "server.db"))
    with server_process([tmp_path], *arguments) as first:
        run_ids = [submitted(first.base, "paced", message=f"job {n}") for n in range(10)]
        end = time.monotonic() + 120
        while not any(poll(first.base, "paced", run)["status"] == "running" for run in run_ids):
            assert time.monotonic() < end
        first.kill()
    with server_process([tmp_path], *arguments) as second:
        finishes_once(second.base, run_ids)


def test_a_clean_stop_leaves_jobs_for_the_next_start(tmp_path: Path) -> None:
    write_flows(tmp_path, PACED)
    arguments = ("--db", str(tmp_path / "server.db"))
    with server_process([tmp_path], *arguments) as first:
        run_ids = [submitted(first.base, "paced", message=f"job {n}") for n in range(4)]
        first.process.terminate()
        assert first.process.wait(30) == 0
    with server_process([tmp_path], *arguments) as second:
        finishes_once(second.base, run_ids)


@pytest.mark.xdist_group("postgresql")
def test_two_servers_share_the_queue_and_one_takes_over_from_the_other(
    postgresql_server: Callable[[], str], tmp_path: Path
) -> None:
    write_flows(tmp_path, PACED)
    arguments = ("--db", postgresql_server())
    with ExitStack() as servers:
        one = servers.enter_context(server_process([tmp_path], *arguments))
        two = servers.enter_context(server_process([tmp_path], *arguments))
        run_ids = [
            submitted((one, two)[n % 2].base, "paced", message=f"job {n}") for n in range(10)
        ]
        assert poll(two.base, "paced", run_ids[0])["status"] in ("pending", "running", "completed")
        one.kill()
        finishes_once(two.base, run_ids)
