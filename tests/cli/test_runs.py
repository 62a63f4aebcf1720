"""`flowdbg runs`: the newest runs of a flow, on servers that tell a flow's id and that do not."""

from __future__ import annotations

import pytest

from tests.cli.program import run
from tests.faults.server import FaultServer, answer_json

TWO, FAILING = "acme/demo/two-step", "acme/demo/failing"
RUN = {"id": "r1", "flowId": "f1", "status": "completed", "triggerType": "ad_hoc"}


def executed(base: str, flow: str) -> str:
    ran = run("execute", flow, "-m", "x", "--url", base, "--json")
    execution_id: str = ran.lines[-1]["execution_id"]
    return execution_id


def test_runs_are_listed_newest_first(base: str) -> None:
    first, second = executed(base, TWO), executed(base, TWO)
    ran = run("runs", TWO, "--url", base, "--limit", "2")
    assert ran.code == 0
    heading, newest, older = ran.out.splitlines()
    assert heading.split() == ["run", "status", "trigger", "started", "time"]
    assert newest.startswith(second)
    assert older.startswith(first)
    assert "execute" in newest


def test_runs_can_be_chosen_by_their_status(base: str) -> None:
    failed = executed(base, FAILING)
    ran = run("runs", FAILING, "--url", base, "--status", "failed", "--json")
    assert failed in [line["execution_id"] for line in ran.lines]
    assert {line["status"] for line in ran.lines} == {"failed"}
    ran = run("runs", FAILING, "--url", base, "--status", "cancelled")
    assert (ran.code, ran.out) == (0, "No cancelled runs.\n")


def test_a_server_that_tells_no_ids_needs_one() -> None:
    listed = answer_json(200, {"runs": [RUN]})
    with FaultServer(gets={"/flow-runs": listed}).in_thread() as server:
        ran = run("runs", TWO, "--url", server.url)
        assert (ran.code, ran.out) == (2, "")
        assert "--flow-id" in ran.err
        ran = run("runs", "--flow-id", "f 1", "--limit", "5", "--url", server.url, "--json")
        assert server.requests[-1].path == "/api/v1/flow-runs?flow_id=f+1&limit=5"
    assert ran.lines[0]["execution_id"] == "r1"
    assert ran.lines[0]["trigger"] == "ad_hoc"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "Which flow?"),
        ([TWO, "--flow-id", "f1"], "Which flow?"),
        ([TWO, "--limit", "0"], "greater than or equal to 1"),
        ([TWO, "--limit", "101"], "less than or equal to 100"),
        ([TWO, "--status", "odd"], "'odd' is not one of"),
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], says: str) -> None:
    ran = run("runs", *arguments, "--url", "http://127.0.0.1:9")
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err


def test_an_answer_that_is_no_list_ends_with_4() -> None:
    with FaultServer(gets={"/flow-runs": answer_json(200, {"runs": 1})}).in_thread() as server:
        ran = run("runs", "--flow-id", "f1", "--url", server.url)
    assert ran.code == 4
    assert "no list of runs" in ran.err
