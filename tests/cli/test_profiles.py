"""Named servers: added once, used by name, and sessions made through them open again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.debugger.flows import publish, write_flow
from tests.e2e.terminal import Terminal
from tests.serving import Running, running_server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    write_flow(tmp_path)
    with running_server([tmp_path], tmp_path / "server.db") as running:
        publish(running.base)
        yield running


def flowdbg(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flowdbg", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


def test_a_profile_completes_targets_and_its_sessions_open_again(server: Running) -> None:
    added = flowdbg(
        *("config", "add", "local", "--url", server.base, "--org", "acme", "--project", "demo")
    )
    assert added.returncode == 0, added.stderr
    result = flowdbg("run", "letters", "-m", "hi", "-P", "local", "--until", "count")
    assert result.returncode == 3, result.stderr
    session_id = result.stdout.split()[-1]
    with Terminal("sessions", "open", session_id) as terminal:
        terminal.until("before 3/3")
        terminal.press("n")
        terminal.until("DONE")
        assert terminal.leave("q") == 0


def test_a_key_is_never_in_the_settings_nor_shown(server: Running) -> None:
    flowdbg("config", "add", "local", "--url", server.base, "--key", "env:MY_KEY")
    shown = flowdbg("config", MY_KEY="nk_live_canary_canary")
    assert "env:MY_KEY" in shown.stdout
    assert "canary" not in shown.stdout
    refused = flowdbg("config", "add", "x", "--url", server.base, "--key", "nk_live_canary_canary")
    assert refused.returncode == 2
    assert "canary" not in refused.stderr


def test_a_profile_that_does_not_exist_is_refused_with_the_nearest_name(server: Running) -> None:
    flowdbg("config", "add", "staging", "--url", server.base)
    result = flowdbg("run", "a/b/c", "-P", "stagign")
    assert result.returncode == 2
    assert "Did you mean 'staging'" in result.stderr
