"""A new dialect is a folder and a line in the registry: every command finds it by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowdbg.config import paths
from flowdbg.dialects.targets import CLIENT_SIDES
from tests.cli.program import run

PROFILE = """
[profiles.toys]
url = "http://127.0.0.1:9/api"
dialect = "toy"
"""


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CLIENT_SIDES, "toy", "tests.cli.toy_dialect")
    settings(PROFILE)


def settings(text: str) -> Path:
    file = paths.config_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_its_flows_are_stepped() -> None:
    result = run("run", "a/b/c", "-m", "hello", "-P", "toys", "--json")
    assert (result.code, result.err) == (0, "")
    assert (result.lines[-1]["event"], result.lines[-1]["result"]) == ("run_completed", "hello")


def test_its_flows_run_whole() -> None:
    result = run("execute", "a/b/c", "-m", "hello", "-P", "toys", "--json")
    assert (result.code, result.err) == (0, "")
    assert result.lines[-1]["result"] == "hello"


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [
        (("jobs", "submit", "a/b/c", "-m", "hello"), "jobs"),
        (("jobs", "status", "a/b/c", "x"), "jobs"),
        (("jobs", "wait", "a/b/c", "x"), "jobs"),
        (("runs", "a/b/c"), "traces"),
        (("trace", "x"), "traces"),
        (("debug", "--run", "x"), "traces"),
        (("versions", "a/b/c"), "publish"),
    ],
)
def test_what_it_cannot_do_is_said_with_what_it_can(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], missing: str
) -> None:
    monkeypatch.setattr("flowdbg.cli.screen._check_terminal", lambda: None)
    result = run(*arguments, "-P", "toys")
    assert (result.code, result.out) == (2, "")
    assert f"speaks 'toy', which has no '{missing}'" in result.err
    assert "It has: step, execute." in result.err


def test_a_dialect_that_nobody_knows_is_named() -> None:
    settings(PROFILE.replace('"toy"', '"tyo"'))
    result = run("run", "a/b/c", "-m", "hello", "-P", "toys")
    assert result.code == 2
    assert "There is no dialect 'tyo'" in result.err
    assert "Did you mean 'toy'?" in result.err
