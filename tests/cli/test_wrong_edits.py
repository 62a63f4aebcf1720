"""A block override that does not fit is wrong usage: exit code 2, and the nearest field named."""

from __future__ import annotations

import pytest

from flowdbg.config import paths
from flowdbg.store import list_sessions
from tests.cli.program import run
from tests.faults.server import FaultServer, answer_json

TWO = "acme/demo/two-step"
COMMANDS = [("run",), ("execute",), ("jobs", "submit")]
PLAN = {
    "steps": [{"stepId": "draft", "kind": "llm", "fields": ["prompt", "model", "temperature"]}],
    "version": 1,
    "hash": "h",
}
REFUSED = answer_json(
    400, {"detail": {"code": "INVALID_BLOCK_OVERRIDE", "message": "no number", "stepId": "draft"}}
)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ("draft.promt=x", "Did you mean 'prompt'?"),
        ("draft.zzz=x", "Known: prompt, model, temperature."),
        ("drat.prompt=x", "Did you mean 'draft'?"),
    ],
)
def test_an_unknown_field_or_step_is_refused_before_anything_is_sent(
    command: tuple[str, ...], edit: str, said: str
) -> None:
    with FaultServer(gets={"/plan": answer_json(200, PLAN)}).in_thread() as server:
        ran = run(*command, TWO, "-m", "x", "--override-block", edit, "--url", server.url)
        assert server.posts == 0
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert list_sessions(paths.sessions_dir()) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_what_only_the_server_finds_wrong_is_wrong_usage_too(command: tuple[str, ...]) -> None:
    with FaultServer(REFUSED).in_thread() as server:
        words = ("-m", "x", "--override-block", "draft.temperature=hot", "--url", server.url)
        ran = run(*command, TWO, *words, "--json")
        assert server.posts == 1
    assert (ran.code, ran.lines[-1]["exit_code"]) == (2, 2)
    assert "no number" in ran.lines[-1]["detail"]


def test_the_plan_of_our_server_tells_every_field_of_a_block(base: str) -> None:
    for command in COMMANDS:
        ran = run(*command, TWO, "-m", "x", "--override-block", "count.prompt=x", "--url", base)
        assert ran.code == 2
        assert "'count' has no field 'prompt'. Known: when, input," in " ".join(ran.err.split())
    warm = ("--override-block", "draft.temperature=0.5")  # the plan tells no value of it
    assert run("execute", TWO, "-m", "x", *warm, "--url", base).code == 0
