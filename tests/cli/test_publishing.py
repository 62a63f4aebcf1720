"""`publish`, `versions` and `promote` against a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from flowdbg.cli.commands import app
from flowdbg.errors import AuthenticationFailed, ConnectionFailed, DefinitionError, FlowNotFound
from tests.flows import TWO_STEP
from tests.serving import Running, running_server, write_flows

FLOW = "acme/demo/two-step"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_flows(tmp_path, TWO_STEP) / "two-step.flow.yaml"


@pytest.fixture
def server(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    with running_server([file], tmp_path / "server.db") as running:
        monkeypatch.setenv("FLOWDBG_URL", running.base)
        yield running


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(app, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_publish_says_the_version_and_that_it_is_production(server: Running, file: Path) -> None:
    assert run("publish", str(file)).output == (
        f"Published {FLOW}@1\nIt is the production version now.\n"
    )
    second = run("publish", str(file), "--no-production").output
    assert f"Published {FLOW}@2" in second
    assert f"flowdbg promote {FLOW} 2\n" in second
    third = run("publish", str(file), "--no-production", "--url", server.base).output
    assert f"flowdbg promote {FLOW} 3 --url {server.base}\n" in third


def test_versions_lists_them_and_marks_production(server: Running, file: Path) -> None:
    assert "Nothing is published" in run("versions", FLOW).output
    run("publish", str(file))
    run("publish", str(file), "--no-production")
    first, second = run("versions", FLOW).output.splitlines()
    assert first.startswith("v1 ")
    assert first.endswith("production")
    assert second.startswith("v2 ")
    assert not second.endswith("production")


def test_promote_moves_production(server: Running, file: Path) -> None:
    run("publish", str(file))
    run("publish", str(file), "--no-production")
    assert run("promote", FLOW, "2").output == f"{FLOW} runs version 2 in production now.\n"
    assert json.loads(run("versions", FLOW, "--json").stdout)["production"] == 2


def test_a_profile_completes_the_address(server: Running, file: Path) -> None:
    flags = ("--org", "acme", "--project", "demo")
    run("config", "add", "local", "--url", server.base, *flags)
    run("publish", str(file), "-P", "local")
    assert "v1 " in run("versions", "two-step", "-P", "local").output
    assert "version 1" in run("promote", "two-step", "1", "-P", "local").output


def test_json_is_one_object_on_stdout(server: Running, file: Path) -> None:
    published = json.loads(run("publish", str(file), "--json").stdout)
    assert (published["version"], published["production"], published["created"]) == (1, True, True)
    assert json.loads(run("promote", FLOW, "1", "--json").stdout) == {"production": 1}


def test_a_wrong_file_is_refused_here_with_its_line(server: Running, file: Path) -> None:
    file.write_text(TWO_STEP.replace("kind: llm", "kind: lmm"))
    with pytest.raises(DefinitionError) as raised:
        run("publish", str(file))
    assert f"{file}:14: steps[0]: " in str(raised.value)


def test_what_the_server_does_not_have_is_said(server: Running) -> None:
    with pytest.raises(FlowNotFound, match="acme/demo/nothing"):
        run("versions", "acme/demo/nothing")
    with pytest.raises(FlowNotFound, match="no version 7"):
        run("promote", FLOW, "7")


def test_the_key_comes_from_the_environment(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_server([file], tmp_path / "server.db", api_keys=("right",)) as guarded:
        with pytest.raises(AuthenticationFailed):
            run("publish", str(file), "--url", guarded.base)
        monkeypatch.setenv("NOUKAI_API_KEY", "right")
        assert "@1" in run("publish", str(file), "--url", guarded.base).output


def test_no_server_is_a_clear_error(file: Path) -> None:
    with pytest.raises(ConnectionFailed):
        run("publish", str(file), "--url", "http://127.0.0.1:9")
