"""Opening a run that is over: what it produced is there, and a person can go on from any step."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

from tests.debugger.flows import ADDRESS, publish, write_flow
from tests.e2e.terminal import Terminal
from tests.serving import running_server


def execute(base: str, message: str) -> str:
    """Run the whole flow with full capture; the run's id."""
    request = urllib.request.Request(
        f"{base}/seq/{ADDRESS}/execute",
        json.dumps({"message": message, "trace": True}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        run_id: str = json.load(answer)["executionId"]
    return run_id


def test_a_finished_run_opens_at_its_end_and_can_be_forked(tmp_path: Path) -> None:
    write_flow(tmp_path)
    with running_server([tmp_path], tmp_path / "server.db") as server:
        publish(server.base)
        run_id = execute(server.base, "hello")
        with Terminal("debug", "--run", run_id, "--url", server.base) as terminal:
            terminal.until("DONE")
            terminal.until("Opened from the trace of run")
            terminal.press("g", "j")
            terminal.until("A summary in five words.")
            terminal.press("F")
            terminal.until("before 2/3")
            terminal.press("n")
            terminal.until("before 3/3")
            assert terminal.leave("q") == 0


def test_a_run_that_does_not_exist_is_said_to_be_unknown(tmp_path: Path) -> None:
    write_flow(tmp_path)
    with running_server([tmp_path], tmp_path / "server.db") as server:
        unknown = "00000000-0000-4000-8000-000000000000"
        with Terminal("debug", "--run", unknown, "--url", server.base) as terminal:
            terminal.until("RUN_NOT_FOUND")
            assert terminal.leave() == 4
