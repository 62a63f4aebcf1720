"""`flowdbg jobs`: the id at once, progress while it lasts, and a job that nobody's Ctrl-C harms."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

import pexpect
import pytest

from flowdbg.headless.jobs import GRACE, Patience
from tests.cli.program import COMMAND, InTurn, run
from tests.faults.server import RESET, FaultServer, Script, answer_json

LOOP, SLOW = "acme/demo/loop", "acme/demo/slow"
ACCEPTED = {"executionId": "e1", "status": "started", "flowId": "f1", "blockCount": 2}
UNKNOWN = answer_json(404, {"detail": {"code": "JOB_NOT_FOUND", "message": "no such job"}})


def stands(status: str, **more: Any) -> Script:
    return answer_json(200, {"executionId": "e1", "status": status, "result": None, **more})


def asked(*answers: Sequence[Any]) -> FaultServer:
    """A server that answers questions for a job in turn."""
    return FaultServer(answer_json(202, ACCEPTED), gets={"/jobs/e1": InTurn(*answers)})


def test_submit_prints_the_id_alone_and_how_to_come_back(base: str) -> None:
    ran = run("jobs", "submit", LOOP, "-m", "hi", "--url", base)
    assert ran.code == 0
    job = ran.out.strip()
    assert len(job) == 36
    assert ran.err == f"Wait for it: flowdbg jobs wait {LOOP} {job} --url {base}\n"
    ran = run("jobs", "wait", LOOP, job, "--url", base)
    assert (ran.code, ran.out) == (0, 'completed\n{\n  "count": 3\n}\n')
    ran = run("jobs", "status", LOOP, job, "--url", base, "--json")
    assert ran.code == 0
    assert ran.lines[0]["event"] == "run_completed"
    assert ran.lines[0]["result"] == {"count": 3}


def test_submit_can_wait_at_once(base: str) -> None:
    ran = run("jobs", "submit", LOOP, "-m", "hi", "--wait", "--url", base, "--json")
    assert ran.code == 0
    assert [line["event"] for line in ran.lines] == ["job_submitted", "run_completed"]
    assert ran.err == ""


def test_a_failed_job_ends_with_1_and_says_why(base: str) -> None:
    ran = run("jobs", "submit", "acme/demo/failing", "-m", "hi", "--wait", "--url", base)
    assert ran.code == 1
    assert "failed" in ran.out
    assert "the model went away" in ran.out


def test_the_body_has_what_jobs_take_and_the_version_is_in_the_address() -> None:
    with asked().in_thread() as server:
        ran = run(
            *("jobs", "submit", f"{LOOP}@draft", "-m", "hi", "-p", "n:=1", "--trace"),
            *("--override-block", "a.model=x/y", "--session-id", "t", "--url", server.url),
        )
        sent = server.requests[-1]
    assert (ran.code, ran.out) == (0, "e1\n")
    assert sent.path == f"/api/v1/seq/{LOOP}/v0/jobs"
    assert sent.headers["x-session-id"] == "t"
    assert sent.json() == {
        "message": "hi",
        "parameters": {"n": 1},
        "blockOverrides": {"a": {"model": "x/y"}},
        "trace": True,
    }


def test_a_job_that_is_not_seen_yet_is_pending() -> None:
    with asked(UNKNOWN, UNKNOWN, stands("running"), stands("completed")).in_thread() as server:
        ran = run("jobs", "wait", LOOP, "e1", "--url", server.url)
        assert server.requests[-1].path == f"/api/v1/seq/{LOOP}/jobs/e1"
    assert (ran.code, ran.out) == (0, "completed\n")
    assert ran.err.splitlines() == [
        "job e1: pending",
        "job e1: running",
        "job e1: completed",
    ]


def test_a_job_that_is_never_seen_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    assert GRACE == 5.0
    monkeypatch.setattr("flowdbg.headless.jobs.GRACE", 0.3)
    with asked(UNKNOWN).in_thread() as server:
        ran = run("jobs", "wait", LOOP, "e1", "--url", server.url)
    assert (ran.code, ran.out) == (4, "")
    assert "no such job" in ran.err
    with asked(UNKNOWN).in_thread() as server:
        ran = run("jobs", "status", LOOP, "e1", "--url", server.url)
        assert len(server.requests) == 1
    assert ran.code == 4
    assert "may take some seconds" in ran.err


@pytest.mark.parametrize(
    "trouble",
    [
        [RESET],
        answer_json(503, {"detail": "starting"}),
        answer_json(429, {"detail": "slow down"}, retry_after="0.1"),
    ],
)
def test_waiting_outlives_a_server_that_is_away_for_a_moment(trouble: Script) -> None:
    with asked(stands("running"), trouble, stands("completed", result=1)).in_thread() as server:
        ran = run("jobs", "wait", LOOP, "e1", "--url", server.url)
    assert (ran.code, ran.out) == (0, "completed\n1\n")
    assert "asking again" in ran.err


def test_waiting_ends_when_the_server_stays_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowdbg.headless.jobs.Patience", partial(Patience, trouble=0.3))
    ran = run("jobs", "wait", LOOP, "e1", "--url", "http://127.0.0.1:9")
    assert ran.code == 4
    assert "connection refused" in ran.err
    assert f"with: flowdbg jobs wait {LOOP} e1 --url http://127.0.0.1:9\n" in ran.err


@pytest.mark.parametrize(
    ("status", "code"),
    [("completed", 0), ("failed", 1), ("cancelled", 3), ("interrupted", 3)],
)
def test_the_exit_code_is_how_the_job_ended(status: str, code: int) -> None:
    with asked(stands(status, error={"message": "why"})).in_thread() as server:
        ran = run("jobs", "wait", LOOP, "e1", "--url", server.url, "--json")
        one = run("jobs", "status", LOOP, "e1", "--url", server.url)
    assert (ran.code, one.code) == (code, code)
    assert ran.lines[0]["event"] == f"run_{status}"
    assert ran.lines[0]["error"] == "why"
    assert one.out == f"{status}\nwhy\n"


def test_a_job_that_is_not_over_has_3_and_a_wait_can_end() -> None:
    with asked(stands("running")).in_thread() as server:
        ran = run("jobs", "status", LOOP, "e1", "--url", server.url, "--json")
        assert (ran.code, ran.lines[0]["status"]) == (3, "running")
        ran = run("jobs", "wait", LOOP, "e1", "--url", server.url, "--timeout", "0.3")
        said = run("jobs", "wait", LOOP, "e1", "--url", server.url, "--timeout", "0.3", "--json")
    last = {"event": "job_left", "flow": LOOP, "execution_id": "e1", "status": "running"}
    assert (said.code, said.lines) == (3, [{**last, "exit_code": 3}])
    assert ran.code == 3
    assert "The job goes on." in ran.err


def test_a_wait_that_ends_says_no_more_than_what_is_known() -> None:
    nowhere = ("jobs", "wait", LOOP, "e1", "--url", "http://127.0.0.1:9", "--timeout", "0.3")
    ran = run(*nowhere)
    assert (ran.code, ran.out) == (4, "")
    assert "How the job stands is not known: Nothing listens" in ran.err
    assert "goes on" not in ran.err
    (line,) = run(*nowhere, "--json").lines
    assert (line["event"], line["status"], line["exit_code"]) == ("job_left", None, 4)
    with asked(stands("running"), [RESET]).in_thread() as server:
        ran = run("jobs", "wait", LOOP, "e1", "--url", server.url, "--timeout", "0.5")
    assert ran.code == 3
    assert "It was running when the server answered last (" in ran.err
    assert "goes on" not in ran.err
    with asked(UNKNOWN).in_thread() as server:
        ran = run("jobs", "wait", LOOP, "e1", "--url", server.url, "--timeout", "0.3")
    assert ran.code == 4
    assert "is not known: The server answered 404 JOB_NOT_FOUND" in ran.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["submit", "x.flow.yaml"], "embedded server would end"),
        (["status", "x.flow.yaml", "e1"], "is a file"),
        (["submit", LOOP, "--version", "main"], "is not a version"),
        (["wait", "nowhere", "e1"], "not the address of a flow"),
        (["submit", LOOP, "--tools", "x.json"], "No such option"),
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], says: str) -> None:
    ran = run("jobs", *arguments, "--url", "http://127.0.0.1:9")
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err


def test_ctrl_c_leaves_the_job_alone_and_says_how_to_come_back(base: str) -> None:
    command = [*COMMAND, "jobs", "submit", SLOW, "-m", "x", "--wait", "--url", base]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as process:
        assert process.stdout
        assert process.stderr
        job = process.stdout.readline().strip()
        for line in process.stderr:
            if line == f"job {job}: running\n":
                break
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert f"Come back with: flowdbg jobs wait {SLOW} {job} --url {base}" in err
    assert "Traceback" not in err
    ran = run("jobs", "status", SLOW, job, "--url", base)
    assert (ran.code, ran.out) == (3, "running\n")


def test_on_a_terminal_the_time_runs_in_one_line_that_goes_away() -> None:
    with asked(stands("running")).in_thread() as server:
        words = ["jobs", "wait", LOOP, "e1", "--url", server.url, "--timeout", "1"]
        child = pexpect.spawn(sys.executable, [*COMMAND[1:], *words], timeout=30, encoding="utf-8")
        child.expect("job e1: running · 0:0")
        child.expect("The job goes on")
        child.expect(pexpect.EOF)
        child.close()
    assert child.exitstatus == 3


def test_what_a_server_says_cannot_reach_the_terminal() -> None:
    evil = "\x1b]0;x\x07\u202e"
    accepted = answer_json(202, {**ACCEPTED, "executionId": evil, "status": evil})
    ended = stands("failed", result=evil, error=evil)
    gets = {"/plan": answer_json(404, {}), "": InTurn(UNKNOWN, stands(evil), ended)}
    with FaultServer(accepted, gets=gets).in_thread() as one:
        ran = run("jobs", "submit", LOOP, "-m", "x", "--url", one.url, "--wait")
    assert ran.code == 1
    assert not {"\x1b", "\x07", "\u202e"} & set(ran.out + ran.err)
