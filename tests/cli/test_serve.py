"""`flowdbg serve` as a command; what it serves is tested in `tests/server`."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from flowdbg.cli.commands import app
from flowdbg.errors import UsageError


def test_help_names_every_choice_and_hides_what_only_the_debugger_uses() -> None:
    shown = CliRunner().invoke(app, ["serve", "--help"]).output
    for option in ("--host", "--port", "--db", "--api-key", "--retention", "--reload"):
        assert option in shown
    for option in ("--capture", "--rate-limit", "--strict-first-call", "--allow-private-http"):
        assert option in shown
    assert "--child" not in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing-there"], "There is no file or folder nothing-there"),
        ([".", "--host", "0.0.0.0"], "Give `--api-key`"),
        ([".", "--host", "192.0.2.1", "--api-key", "k"], "not possible to listen"),
        ([".", "--db", "mysql://x/y"], "not supported"),
        ([".", "--log-format", "xml"], "log format"),
        ([".", "--api-key", ""], "empty"),
        ([".", "--capture", "some"], "capture mode"),
    ],
)
def test_wrong_usage_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["serve", "--port", "0", *arguments])
    assert isinstance(result.exception, UsageError)
    assert said in str(result.exception)
