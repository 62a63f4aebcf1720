"""Ends that nobody planned: kill -9, a closed terminal, a signal, a storm of sizes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flowdbg.config import paths
from flowdbg.store import list_sessions
from tests.debugger.flows import write_flow
from tests.e2e.terminal import PATIENCE, Terminal


@pytest.fixture
def flow(tmp_path: Path) -> str:
    return str(write_flow(tmp_path))


def children_of(pid: int) -> list[int]:
    """The processes that a process has started."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()]


def gone(pids: list[int]) -> bool:
    """Wait until processes have ended."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if not any(Path(f"/proc/{pid}/cmdline").exists() and _runs(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except OSError:
        return False


def stream(terminal: Terminal) -> None:
    """Run until the second step has streamed its first word."""
    terminal.until("PAUSED")
    terminal.press("n")
    terminal.until("before 2/3")
    terminal.press("n")
    terminal.until("one ")


def test_after_kill_9_in_a_stream_the_session_opens_where_it_stood(flow: str) -> None:
    with Terminal("debug", flow, "-m", "slowly") as terminal:
        stream(terminal)
        servers = children_of(terminal.pid)
        assert servers
        terminal.signal(signal.SIGKILL)
    assert gone(servers)
    [summary] = list_sessions(paths.sessions_dir())
    with Terminal("sessions", "open", summary.session_id) as terminal:
        screen = terminal.until("UNKNOWN")
        assert "2/3" in screen
        assert "one" in screen
        terminal.press("n")
        terminal.until("not known whether")
        assert terminal.leave("q") == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_saves_and_leaves_no_server_behind(flow: str, number: signal.Signals) -> None:
    with Terminal("debug", flow, "-m", "slowly") as terminal:
        stream(terminal)
        servers = children_of(terminal.pid)
        terminal.signal(number)
    assert gone(servers)
    [summary] = list_sessions(paths.sessions_dir())
    assert summary.problem == ""
    assert summary.holder == ""


def test_a_closed_terminal_saves_and_leaves_no_server_behind(flow: str) -> None:
    terminal = Terminal("debug", flow, "-m", "slowly")
    stream(terminal)
    pid = terminal.pid
    servers = children_of(pid)
    terminal.hang_up()
    assert gone([pid, *servers])
    [summary] = list_sessions(paths.sessions_dir())
    assert summary.problem == ""


def test_a_storm_of_sizes_changes_nothing(flow: str) -> None:
    with Terminal("debug", flow, "-m", "slowly") as terminal:
        stream(terminal)
        for columns, rows in [(1, 1), (500, 200), (20, 5), (60, 16), (200, 10), (10, 60)] * 5:
            terminal.resize(columns, rows)
            terminal.read(0.02)
        terminal.resize(80, 24)
        terminal.until("RUNNING")
        terminal.press("\x03")
        terminal.until(lambda text: "2/3" in text and "RUNNING" not in text)
        assert terminal.leave("q") == 0


def test_a_second_debugger_may_look_and_says_who_holds_the_session(flow: str) -> None:
    with Terminal("debug", flow, "-m", "hi") as first:
        first.until("PAUSED")
        first.press("n")
        first.until("before 2/3")
        [summary] = list_sessions(paths.sessions_dir())
        with Terminal("sessions", "open", summary.session_id) as second:
            second.until("before 2/3")
            second.press("n")
            second.until(str(first.pid))
            assert second.leave("q") == 0
        first.press("n")
        first.until("before 3/3")
        assert first.leave("q") == 0


def test_quitting_with_the_terminal_gone_is_quiet(flow: str) -> None:
    command = [sys.executable, "-m", "flowdbg", "run", flow, "-m", "hi", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
        process.wait(60)
    assert "Traceback" not in errors
