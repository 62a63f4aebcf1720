"""The server as a process: started by a parent, killed, restarted, never an orphan."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from flowdbg.server.storage import runs
from flowdbg.server.storage.database import Database
from tests.dialects.noukai.server.stream import only, step
from tests.flows import SLOW, THREE_STEP, TWO_STEP
from tests.serving import server_process, write_flows


@pytest.fixture
def flows(tmp_path: Path) -> Path:
    return write_flows(tmp_path, THREE_STEP, TWO_STEP, SLOW)


def test_a_child_says_one_line_when_it_is_ready_and_goes_with_its_parent(flows: Path) -> None:
    with server_process([flows]) as child:
        assert child.flows == ["acme/demo/slow", "acme/demo/three-step", "acme/demo/two-step"]
        assert httpx.get(f"{child.url}/healthz").json()["status"] == "ok"
        assert child.process.stdin
        child.process.stdin.close()
        assert child.process.wait(20) == 0
        assert child.process.stdout
        assert child.process.stdout.read() == b""
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{child.url}/healthz")


def test_a_killed_parent_leaves_no_server_behind(flows: Path) -> None:
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import subprocess, sys\n"
            "command = [sys.executable, '-m', 'flowdbg', *sys.argv[1:]]\n"
            "child = subprocess.Popen(command, stdin=subprocess.PIPE)\n"
            "child.wait()\n",
            *("serve", str(flows), "--port", "0", "--child"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert parent.stdout
    url = json.loads(parent.stdout.readline())["url"]
    assert httpx.get(f"{url}/healthz").status_code == 200
    parent.kill()
    # The child holds this pipe too: its end is the child's end.
    assert parent.stdout.read() == b""
    parent.wait(20)
    parent.stdout.close()
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{url}/healthz")


def test_children_of_one_flow_file_do_not_get_into_each_others_way(flows: Path) -> None:
    with server_process([flows]) as one, server_process([flows]) as two:
        for child in (one, two):
            events = step(child.base, "acme/demo/three-step", stepIndex=0, message="m")
            assert events[-1]["eventType"] == "step_paused"


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_cleanly(flows: Path, kind: signal.Signals) -> None:
    with server_process([flows]) as server:
        server.process.send_signal(kind)
        assert server.process.wait(20) == 0


def test_a_session_goes_on_after_the_server_was_killed(flows: Path, tmp_path: Path) -> None:
    database = str(tmp_path / "server.db")
    with server_process([flows], "--db", database) as server:
        first = step(
            server.base,
            "acme/demo/three-step",
            stepIndex=0,
            message="remember me",
            parameters={"tone": "stern"},
        )
        server.kill()
    with server_process([flows], "--db", database) as server:
        second = step(
            server.base,
            "acme/demo/three-step",
            stepIndex=1,
            executionId=first[0]["executionId"],
            accumulatedOutputs={"first": only(first, "step_completed")["output"]},
        )
    assert only(second, "step_completed")["output"] == {
        "text": "remember me/stern!",
        "tone": "stern",
    }


def test_runs_that_were_running_when_it_was_killed_are_marked_at_the_next_start(
    flows: Path, tmp_path: Path
) -> None:
    location = str(tmp_path / "server.db")
    with (
        server_process([flows], "--db", location) as server,
        httpx.stream(
            "POST",
            f"{server.base}/seq/acme/demo/slow/step",
            json={"stepIndex": 0, "message": "m"},
            timeout=30,
        ) as answer,
    ):
        lines = answer.iter_lines()
        started = next(line for line in lines if line.startswith("data: "))
        next(line for line in lines if "step_output" in line)
        run_id = json.loads(started[6:])["executionId"]
        server.kill()
        with pytest.raises(httpx.RemoteProtocolError):
            list(lines)
    with server_process([flows], "--db", location) as server:
        events = step(server.base, "acme/demo/three-step", stepIndex=0, message="m")
    database = Database(location, "test")
    killed = database.read_now(lambda connection: runs.find_run(connection, run_id))
    paused = database.read_now(
        lambda connection: runs.find_run(connection, events[0]["executionId"])
    )
    database.close()
    assert killed
    assert (killed.status, killed.error) == (
        "interrupted",
        {"code": "INTERRUPTED", "message": "The server stopped during this run."},
    )
    assert paused
    assert paused.status == "paused"


def serve(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `flowdbg serve` that is expected to end by itself."""
    command = [sys.executable, "-m", "flowdbg", "serve", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_many_connections_do_not_keep_others_out(flows: Path) -> None:
    """More of them than the files that a process may open unless it asks for more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as stack:
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
        try:
            server = stack.enter_context(server_process([flows]))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        where = urlsplit(server.url)
        for _ in range(300):
            stack.enter_context(socket.create_connection((where.hostname, where.port), 30))
        assert httpx.get(f"{server.url}/healthz").json()["status"] == "ok"


def test_a_port_in_use_is_a_clear_error(flows: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = serve(str(flows), "--port", str(port))
    assert ended.returncode == 2
    assert f"Port {port} on 127.0.0.1 is in use." in ended.stderr
    assert "--port" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_it_says_where_it_listens_and_what_it_serves(flows: Path) -> None:
    (flows / "bad.flow.yaml").write_text("flow: acme/demo/bad\nsteps: 5\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "flowdbg", "serve", str(flows), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout
    lines = [process.stdout.readline() for _ in range(4)]
    process.terminate()
    _, errors = process.communicate(timeout=30)
    assert lines[0].startswith("Listening on http://127.0.0.1:")
    assert [line.split()[0] for line in lines[1:]] == [
        "acme/demo/slow",
        "acme/demo/three-step",
        "acme/demo/two-step",
    ]
    assert "bad.flow.yaml:2: steps: " in errors
    assert process.returncode == 0


def test_the_default_database_is_in_the_data_directory(flows: Path, empty_home: Any) -> None:
    with server_process([flows]) as server:
        step(server.base, "acme/demo/three-step", stepIndex=0, message="m")
    (folder,) = (empty_home / ".local" / "share" / "flowdbg").iterdir()
    assert folder.name == "servers"
    assert [file.suffix for file in folder.iterdir() if file.suffix == ".db"] == [".db"]
