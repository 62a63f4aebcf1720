"""`flowdbg sessions compare`: what differs between two stored runs, for people and for scripts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flowdbg.config import paths
from flowdbg.store import list_sessions, session_path
from tests.cli.program import Ran, run

FLOW = "acme/demo/two-step"


def made(base: str, *arguments: str) -> str:
    """Run the flow; the id of its session."""
    ran = run("run", FLOW, "--url", base, "--json", *arguments)
    assert ran.code == 0
    session: str = ran.lines[-1]["session"]
    return session


def compared(*arguments: str) -> Ran:
    return run("sessions", "compare", *arguments)


def steps_of(ran: Ran) -> dict[str, Any]:
    return {step["step"]: step for step in json.loads(ran.out)["steps"]}


def test_two_runs_of_the_same_are_the_same(base: str) -> None:
    ran = compared(made(base, "-m", "Ann"), made(base, "-m", "Ann"))
    assert ran.code == 0
    assert "≠" not in ran.out
    assert "= Draft" in ran.out


def test_what_differs_is_told_with_what_it_ran_on(base: str) -> None:
    one = made(base, "-m", "Ann")
    other = made(base, "-m", "Ann", "--override-block", "draft.prompt=LOUD")
    ran = compared(one, other)
    assert ran.code == 1
    assert ran.out.startswith(f"--- {one} #0\n+++ {other} #0\n")
    assert f"output: {one[-6:]} #0 attempt 1 → {other[-6:]} #0 attempt 1" in ran.out
    assert "block 1" in ran.out
    assert '"Dear reader, hello."' in ran.out
    assert '"DEAR READER."' in ran.out


def test_scripts_get_one_json_object(base: str) -> None:
    one, other = made(base, "-m", "Ann"), made(base, "-m", "Ben")
    ran = compared(one, other, "--json")
    assert ran.code == 1
    told = json.loads(ran.out)
    assert told["before"] == {"session": one, "branch": 0}
    assert told["different"] is True
    assert told["inputs"] == [{"kind": "changed", "path": "message", "old": "Ann", "new": "Ben"}]
    assert [step["verdict"] for step in told["steps"]] == ["different", "same"]
    assert steps_of(ran)["draft"]["output"] == []
    assert steps_of(ran)["draft"]["input"] != []


def test_what_differs_inside_a_container_is_told_below_it(base: str) -> None:
    flow, words = "acme/demo/loop", ("-p", 'words:=["a", "b"]')
    one = run("run", flow, "--url", base, "--json", "-m", "x").lines[-1]["session"]
    other = run("run", flow, "--url", base, "--json", "-m", "x", *words).lines[-1]["session"]
    ran = compared(one, other)
    assert ran.code == 1
    assert "\n  − 3 › Shout " in ran.out
    [inner] = steps_of(compared(one, other, "--json"))["each"]["inner"]
    assert (inner["inside"], inner["verdict"]) == ("3 › Shout", "only before")


def test_one_step_decides_the_exit_code_alone(base: str) -> None:
    one, other = made(base, "-m", "Ann"), made(base, "-m", "Ben")
    ran = compared(one, other, "--step", "count", "--json")
    assert ran.code == 0
    assert list(steps_of(ran)) == ["count"]
    assert compared(one, other, "--step", "draft").code == 1


def test_branches_of_one_session_are_named_by_their_number(base: str) -> None:
    session = made(base, "-m", "Ann")
    ran = compared(f"{session}#0", session)
    assert ran.code == 0
    assert ran.out.startswith(f"--- {session} #0\n+++ {session} #0\n")


@pytest.mark.parametrize(
    ("suffix", "arguments", "says"),
    [
        ("#7", [], "no branch #7"),
        ("#x", [], "'x' is not the number of a branch"),
        ("", ["--step", "nope"], "They have: draft, count"),
    ],
)
def test_what_cannot_be_compared_is_trouble(
    base: str, suffix: str, arguments: list[str], says: str
) -> None:
    session = made(base, "-m", "Ann")
    ran = compared(f"{session}{suffix}", session, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err


def test_an_unreadable_session_is_trouble_and_an_unknown_one_too(base: str) -> None:
    session = made(base, "-m", "Ann")
    session_path(paths.sessions_dir(), "broken").write_bytes(b"no database")
    assert compared("broken", session).code == 2
    assert compared("nowhere", session).code == 2


def test_comparing_writes_nothing(base: str) -> None:
    path = session_path(paths.sessions_dir(), made(base, "-m", "Ann"))
    before = path.read_bytes()
    [listed] = list_sessions(paths.sessions_dir())
    assert compared(path.stem, path.stem).code == 0
    assert path.read_bytes() == before
    [after] = list_sessions(paths.sessions_dir())
    assert (after.records, after.meta, after.holder) == (listed.records, listed.meta, "")
