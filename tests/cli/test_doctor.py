"""`flowdbg doctor`: what it looks at, and what it says a server can do with a flow."""

from __future__ import annotations

from pathlib import Path

from tests.cli.program import Ran, run
from tests.debugger.flows import ADDRESS, FLOW, write_flow
from tests.faults.server import FaultServer, answer_json
from tests.flows import THREE_STEP

THREE = THREE_STEP.partition("\n")[0].removeprefix("flow: ")


def found(ran: Ran, about: str) -> list[str]:
    """What was found about something."""
    return [f"{line['verdict']}: {line['what']}" for line in ran.lines if line["about"] == about]


def test_all_that_works_here_is_said_and_nothing_is_bad(base: str) -> None:
    ran = run("doctor", "--url", base, "--json")
    assert ran.code == 0
    assert {"versions", "terminal", "settings", "key", "server", "store", "model"} <= {
        line["about"] for line in ran.lines
    }
    assert found(ran, "server") == [f"ok: {base} answers"]
    assert found(ran, "flow") == []


def test_a_flow_is_found_and_what_can_be_done_with_it_is_said(base: str) -> None:
    ran = run("doctor", THREE, "--url", base, "--json")
    assert ran.code == 0
    assert found(ran, "flow") == [f"ok: {THREE}, 3 steps"]
    abilities = found(ran, "ability")
    assert "ok: pause: exact" in abilities
    assert "note: cancel: emulated: the stream is closed; the server does not confirm" in abilities
    assert len(abilities) == 7


def test_a_flow_file_is_tried_on_a_server_of_its_own(tmp_path: Path) -> None:
    file = write_flow(tmp_path, FLOW)
    ran = run("doctor", str(file), "--json")
    assert found(ran, "flow") == [f"ok: {ADDRESS} version 1, 3 steps"]


def test_a_flow_that_is_not_there_is_bad_and_a_plan_that_is_not_told_is_not(base: str) -> None:
    ran = run("doctor", "acme/demo/nothing", "--url", base, "--json")
    assert ran.code == 1
    assert "FLOW_NOT_FOUND" in found(ran, "flow")[0]
    gets = {"/healthz": answer_json(200, {})}
    with FaultServer(gets=gets).in_thread() as server:
        ran = run("doctor", "a/b/c", "--url", server.url, "--json")
    assert ran.code == 0
    assert "tells no plan" in found(ran, "flow")[0]
