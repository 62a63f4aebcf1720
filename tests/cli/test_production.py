"""A profile marked as production: a script is told when it takes edits there."""

from __future__ import annotations

import pytest

from tests.cli.program import run
from tests.e2e.terminal import Terminal

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


def test_without_edits_there_is_no_warning(prod: str) -> None:
    assert run("run", TWO, "-m", "hi", "-P", prod).err == ""


def test_elsewhere_edits_need_no_warning(base: str) -> None:
    run("config", "add", "local", "--url", base)
    assert run("run", TWO, "-m", "hi", "-P", "local", "--override-output", DRAFT).err == ""


def test_the_screen_says_production_at_80_columns(prod: str) -> None:
    with Terminal("debug", TWO, "-m", "hi", "-P", prod) as terminal:
        terminal.until("PRODUCTION prod")
        assert terminal.leave("q") == 0
