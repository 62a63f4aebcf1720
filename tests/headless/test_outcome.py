"""However `flowdbg run` ends, a script is told: the last line, the exit code, stderr."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from flowdbg.config import paths
from flowdbg.store import list_sessions
from tests.cli.program import COMMAND, Ran, run
from tests.debugger.flows import ADDRESS, publish, write_flow
from tests.faults.server import CLOSE, FaultServer, answer, answer_json, sse, stream_of
from tests.serving import Running, running_server

STEPS = {"steps": [{"stepId": "one"}, {"stepId": "two"}], "version": 1, "hash": "h"}
ENDED = stream_of(
    sse("run_started", {"executionId": "e1", "stepCount": 1}),
    sse("step_started", {"stepId": "one"}),
    sse("step_completed", {"stepId": "one", "output": {"text": "hi"}}),
    sse("flow_completed", {"result": {"text": "hi"}}),
)
SKIPPED = """\
flow: acme/demo/skipped
steps:
  - {id: alarm, kind: code, when: "1 > 2", code: "return {'text': 'fire'}"}
  - {id: end, kind: passthrough}
"""
LARGE = """\
flow: acme/demo/large
steps:
  - {id: write, kind: code, input_schema: {type: object}, code: "return {'text': 'x' * 2000000}"}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("flows")
    write_flow(folder)
    write_flow(folder, LARGE, "large")
    with running_server([folder], folder / "server.db") as running:
        publish(running.base)
        publish(running.base, LARGE, address="acme/demo/large")
        yield running


def opened_to_write(pipe: Path, process: subprocess.Popen[str]) -> int:
    """A named pipe's end to write to, which there is when the process reads it."""
    while process.poll() is None:
        with suppress(OSError):
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        time.sleep(0.05)
    raise AssertionError("it ended without reading")


def outcome(ran: Ran) -> dict[str, Any]:
    """The last line, which names the exit code and the outputs."""
    line = ran.lines[-1]
    assert line["exit_code"] == ran.code
    assert "outputs" in line
    return line


def test_inputs_of_a_file_are_sent_as_they_are_written(tmp_path: Path) -> None:
    text = '{ "message": "hi", "n": 1e400, "m": 1.10, "m": 12345678901234567890123.50 }'
    file = tmp_path / "inputs.json"
    file.write_text(text)
    with FaultServer(ENDED, ENDED).in_thread() as server:
        ran = run("run", "a/b/c", "--params", str(file), "--url", server.url, "--json")
        assert (ran.code, ran.err) == (0, "")
        run("run", "a/b/c", "--params", str(file), "-p", "x:=2E+1", "--url", server.url)
    first, second = (one.body.decode() for one in server.requests if one.method == "POST")
    assert f'"parameters":{text}' in first
    assert f'"parameters":{text[:-2]},"x":2E+1}}' in second


def test_inputs_of_a_file_that_is_none_are_refused_with_its_name(tmp_path: Path) -> None:
    for content in (b"{", b"[1]", b"\xff", b'{"n": NaN}'):
        (tmp_path / "wrong.json").write_bytes(content)
        ran = run("run", "a/b/c", "--params", str(tmp_path / "wrong.json"))
        assert (ran.code, ran.out) == (2, "")
        assert "wrong.json" in ran.err
    assert "The standard input is not JSON" in run("run", "a/b/c", "--params", "-").err


@pytest.mark.parametrize(
    ("arguments", "code", "reason", "said"),
    [
        ((ADDRESS, "-m", "x", "--until", "nope"), 2, "usage", "no step 'nope'"),
        ((ADDRESS, "-m", "x", "--override-output", "nope=1"), 2, "usage", "no step 'nope'"),
        ((ADDRESS,), 2, "usage", "The flow needs: message"),
        (("acme/demo/none", "-m", "x"), 4, "server trouble", "FLOW_NOT_FOUND"),
        ((f"{ADDRESS}@v0", "-m", "x"), 2, "usage", "is the draft"),
    ],
)
def test_a_run_that_never_began_has_an_outcome_and_leaves_no_session(
    server: Running, arguments: tuple[str, ...], code: int, reason: str, said: str
) -> None:
    ran = run("run", *arguments, "--url", server.base, "--json")
    last = outcome(ran)
    assert (ran.code, len(ran.lines), last["event"]) == (code, 1, "stopped")
    assert (last["reason"], last["session"], last["outputs"]) == (reason, None, {})
    assert said in last["detail"]
    assert said in ran.err
    assert list_sessions(paths.sessions_dir()) == []


@pytest.mark.parametrize(
    "script",
    [[CLOSE], answer(200, "text/html", b"<html>hello"), answer_json(200, {"steps": 5})],
)
def test_a_plan_that_cannot_be_had_is_trouble_in_which_nothing_ran(script: Any) -> None:
    with FaultServer(gets={"/plan": script}).in_thread() as server:
        ran = run("run", "a/b/c", "-m", "x", "--url", server.url, "--json")
    last = outcome(ran)
    assert (ran.code, last["reason"], server.posts) == (4, "server trouble", 0)
    assert "Whether the step ran" not in ran.err
    assert list_sessions(paths.sessions_dir()) == []


def test_a_server_that_is_not_there_has_an_outcome_too() -> None:
    ran = run("run", "a/b/c", "-m", "x", "--url", "http://127.0.0.1:9", "--json")
    assert (ran.code, outcome(ran)["reason"]) == (4, "server trouble")
    assert "connection refused" in ran.err


def test_a_goal_that_nobody_knows_is_refused_where_the_server_tells_no_plan() -> None:
    with FaultServer(ENDED).in_thread() as server:
        ran = run("run", "a/b/c", "-m", "x", "--until", "one", "--url", server.url, "--json")
    assert (ran.code, server.posts, outcome(ran)["reason"]) == (2, 0, "usage")
    assert "(n)" not in ran.err
    assert list_sessions(paths.sessions_dir()) == []


def test_a_verb_that_fails_later_ends_with_what_is_known_so_far() -> None:
    stale = answer_json(412, {"detail": {"code": "STALE_TREE", "message": "moved"}})
    plans = {"/plan": answer_json(200, STEPS)}
    with FaultServer(stale, gets=plans).in_thread() as server:
        target = ("a/b/c", "-m", "x", "--url", server.url)
        ran = run("run", *target, "--on-stale", "restart", "--json")
    last = outcome(ran)
    assert (ran.code, last["flow"]) == (4, "a/b/c")
    assert last["session"] is not None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_while_it_opens_has_an_outcome(number: signal.Signals) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(40)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        command = [*COMMAND, "run", "a/b/c", "-m", "x", "--url", url, "--json"]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            connection, _ = listener.accept()
            with connection:
                assert connection.recv(4).startswith(b"GET")
                process.send_signal(number)
                out, err = process.communicate(timeout=40)
    ran = Ran(process.returncode, out, err)
    assert (ran.code, ran.err) == (130, "")
    assert outcome(ran)["reason"] == "user"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("command", ["run a/b/c -m x", "execute a/b/c -m x", "runs a/b/c"])
def test_a_command_in_the_background_of_a_script_can_be_ended(
    number: signal.Signals, command: str
) -> None:
    """A shell without a terminal lets what it starts with `&` ignore Ctrl-C."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        words = [*COMMAND, *command.split(), "--url", url, "--json"]
        script = f"trap '' INT; exec {shlex.join(words)}"
        with subprocess.Popen(
            ["bash", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            connection, _ = listener.accept()
            with connection:
                assert connection.recv(4).startswith(b"GET")
                process.send_signal(number)
                out, err = process.communicate(timeout=60)
    assert Ran(process.returncode, out, err).lines[-1]["exit_code"] == 130
    assert (process.returncode, err) == (130, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["run", "execute"])
def test_a_command_that_waits_for_its_input_can_be_ended(
    tmp_path: Path, number: signal.Signals, command: str
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    words = [*COMMAND, command, "a/b/c", "--params", str(pipe), "--url", "http://127.0.0.1:9"]
    with subprocess.Popen(
        [*words, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        writing = opened_to_write(pipe, process)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        os.close(writing)
    assert Ran(process.returncode, out, err).lines[-1]["exit_code"] == 130
    assert (process.returncode, err) == (130, "")


def test_what_is_ignored_stays_ignored(server: Running) -> None:
    words = [*COMMAND, "run", ADDRESS, "-m", "steadily", "--url", server.base, "--json"]
    script = f"trap '' INT HUP; exec {shlex.join(words)}"
    with subprocess.Popen(
        ["bash", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        for line in process.stdout:
            if "step_output" in line:
                break
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGHUP)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert '"run_completed"' in out


def test_a_session_that_cannot_be_saved_ends_with_6_and_says_so(server: Running) -> None:
    command = ["run", "acme/demo/large", "-m", "x", "--url", server.base, "--json"]
    small = f"ulimit -f 1000; exec {shlex.join([*COMMAND, *command])}"
    ended = subprocess.run(["bash", "-c", small], capture_output=True, text=True, check=False)
    ran = Ran(ended.returncode, ended.stdout, ended.stderr)
    assert (ran.code, outcome(ran)["event"]) == (6, "run_completed")
    assert "The session is not saved" in ran.err
    assert "Traceback" not in ran.err


def test_a_reader_that_goes_away_stops_the_run(server: Running) -> None:
    command = [*COMMAND, "run", ADDRESS, "-m", "slowly", "--url", server.base, "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ)
    ) as process:
        assert process.stdout
        assert process.stderr
        assert b"run_started" in process.stdout.readline()
        process.stdout.close()
        assert process.wait(40) == 141
        assert process.stderr.read() == b""
    (summary,) = list_sessions(paths.sessions_dir())
    assert summary.meta["state"] != "done"


def test_a_step_that_its_guard_skips_is_said_to_be_skipped(tmp_path: Path) -> None:
    flow = write_flow(tmp_path, SKIPPED)
    ran = run("run", str(flow))
    assert ran.code == 0
    assert "\n- alarm skipped\n" in ran.out
    told = [line for line in run("run", str(flow), "--json").lines if "skipped" in line]
    assert [(line["step_id"], line["skipped"]) for line in told] == [
        ("alarm", True),
        ("end", False),
    ]


def test_standard_streams_may_be_closed() -> None:
    closed = {"stdin": "<&-", "stdout": ">&-", "stderr": "2>&-"}
    for name, how in closed.items():
        script = f"{shlex.quote(sys.executable)} -m flowdbg run a/b/c --params - {how}"
        ended = subprocess.run(["bash", "-c", script], capture_output=True, input=b"{", check=False)
        assert ended.returncode == 2, name
        assert b"Traceback" not in ended.stderr
