"""`flowdbg run` with tools: answered by a command, by a function, or left to a person."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows import TOOLS
from tests.headless.test_run import lines, run
from tests.serving import Running, running_server

ADDRESS = "acme/demo/tools"
DEFINITIONS = [
    {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("tools")
    (folder / "tools.flow.yaml").write_text(TOOLS)
    with running_server([folder], folder / "server.db") as running:
        yield running


@pytest.fixture
def tools(tmp_path: Path) -> str:
    file = tmp_path / "tools.json"
    file.write_text(json.dumps(DEFINITIONS))
    return str(file)


def test_a_command_answers_the_calls_and_the_flow_goes_on(server: Running, tools: str) -> None:
    command = f"""{sys.executable} -c 'import json, sys; call = json.load(sys.stdin);
print(json.dumps("sunny in " + call["arguments"]["location"]))'"""
    options = ("--tools", tools, "--tool-exec", command)
    result = run(ADDRESS, "-m", "Now?", "--url", server.base, "--json", *options)
    assert result.returncode == 0, result.stderr
    assert lines(result)[-1]["result"] == {"said": "It is sunny."}


def test_without_a_handler_it_stops_and_says_what_is_asked(server: Running, tools: str) -> None:
    result = run(ADDRESS, "-m", "Now?", "--url", server.base, "--json", "--tools", tools)
    assert result.returncode == 3
    outcome = lines(result)[-1]
    assert (outcome["reason"], outcome["detail"]) == ("tool call", "it asks for get_weather")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--tool-exec", "no-such-command-here"], "no command"),
        (["--tool-handler", "json:loads", "--tool-exec", "cat"], "exclude each other"),
        (["--tools", "/no/file"], "cannot be read"),
        (["--attach", "http://x/a.png"], "https"),
    ],
)
def test_wrong_tools_are_refused_before_anything_is_sent(
    server: Running, options: list[str], says: str
) -> None:
    result = run(ADDRESS, "-m", "Now?", "--url", server.base, *options)
    assert result.returncode == 2
    assert says in result.stderr
