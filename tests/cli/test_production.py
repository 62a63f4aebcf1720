"""A profile marked as production: a script is told when it takes edits there."""

from __future__ import annotations

import pytest

from tests.cli.program import run
from tests.e2e.terminal import Terminal
from tests.faults.server import FaultServer, answer_json

TWO = "acme/demo/two-step"
DRAFT = 'draft={"text": "x"}'

WARNING = "flowdbg: prod is PRODUCTION, and this run takes 1 edit along.\n"


@pytest.fixture
def prod(base: str) -> str:
    """A profile marked as production."""
    added = run("config", "add", "prod", "--url", base, "--production")
    assert added.code == 0, added.err
    return "prod"


def test_a_script_is_warned_on_stderr_when_edits_go_to_production(prod: str) -> None:
    edited = run("run", TWO, "-m", "hi", "-P", prod, "--json", "--override-output", DRAFT)
    assert edited.code == 0
    assert edited.err == WARNING
    assert edited.lines  # stdout stays a stream of JSON


@pytest.mark.parametrize("command", [("execute",), ("jobs", "submit")])
def test_whole_runs_and_jobs_warn_of_changed_blocks(prod: str, command: tuple[str, ...]) -> None:
    edited = run(*command, TWO, "-m", "hi", "-P", prod, "--override-block", "draft.prompt=LOUD")
    assert edited.code == 0
    assert edited.err.startswith(WARNING)
    plain = run(*command, TWO, "-m", "hi", "-P", prod)
    assert "PRODUCTION" not in plain.err


def test_a_resumed_run_warns_of_the_blocks_that_it_changes_again() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    waits = {
        "status": "tool_calls_required",
        "executionId": "e1",
        "pausedAtStep": "ask",
        "toolCallMessages": [{"role": "assistant", "toolCalls": [call]}],
        "toolCalls": [call],
        "accumulatedOutputs": {},
    }
    done = {"status": "completed", "result": 1}
    with FaultServer(answer_json(200, waits), answer_json(200, done)).in_thread() as server:
        run("config", "add", "prod", "--url", server.url, "--production")
        first = run("execute", TWO, "-m", "x", "-P", "prod", "--override-block", "ask.model=m")
        again = run("execute", "--resume", "e1", "--tool-result", "c1=1")
    assert (first.code, again.code) == (3, 0)
    assert again.err.startswith(WARNING)


def test_without_edits_there_is_no_warning(prod: str) -> None:
    assert run("run", TWO, "-m", "hi", "-P", prod).err == ""


def test_elsewhere_edits_need_no_warning(base: str) -> None:
    run("config", "add", "local", "--url", base)
    assert run("run", TWO, "-m", "hi", "-P", "local", "--override-output", DRAFT).err == ""


def test_the_screen_says_production_at_80_columns(prod: str) -> None:
    with Terminal("debug", TWO, "-m", "hi", "-P", prod) as terminal:
        terminal.until("PRODUCTION prod")
        assert terminal.leave("q") == 0
