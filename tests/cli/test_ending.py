"""With `--json` the last line says how it ended, whatever ended it."""

from __future__ import annotations

import pytest

from tests.cli.program import run

NOBODY = ("--url", "http://127.0.0.1:9", "--json")


@pytest.mark.parametrize(
    "words", ["run --json", "execute a/b/c --nope --json", "jobs submit a/b/c --timeout x --json"]
)
def test_a_command_line_that_cannot_be_read_leaves_stdout_empty(words: str) -> None:
    """Before it is read nobody knows whether JSON is wanted."""
    ran = run(*words.split())
    assert (ran.code, ran.out) == (2, "")
    assert "Usage: flowdbg " in ran.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("execute", "a/b/c", "-m", "x"), 4, "connection refused"),
        (("execute",), 2, "No flow is named"),
        (("execute", "--resume", "x"), 2, "goes on with a run"),
        (("execute", "a/b/c", "--tool-exec", "no-such-program"), 2, "no command"),
        (("jobs", "submit", "a/b/c", "-m", "x"), 4, "connection refused"),
        (("jobs", "submit", "x.flow.yaml"), 2, "is a file"),
        (("jobs", "status", "a/b/c", "e1"), 4, "connection refused"),
        (("runs", "a/b/c"), 4, "connection refused"),
        (("runs",), 2, "Which flow?"),
        (("trace", "e1"), 4, "connection refused"),
        (("versions", "a/b/c"), 4, "connection refused"),
        (("promote", "a/b/c", "1"), 4, "connection refused"),
        (("publish", "none.flow.yaml"), 2, "none.flow.yaml"),
        (("trace", "e1", "--attempt", "0"), 2, "--step"),
    ],
)
def test_an_error_is_the_last_line_and_stands_on_stderr(
    arguments: tuple[str, ...], code: int, said: str
) -> None:
    ran = run(*arguments, *NOBODY)
    (line,) = ran.lines
    assert (line["event"], line["exit_code"], ran.code) == ("error", code, code)
    assert said in line["detail"]
    assert ran.err.startswith("flowdbg: ")
