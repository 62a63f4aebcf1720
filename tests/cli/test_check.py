"""`flowdbg check`: everything wrong at once, and the schema for editors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from jsonschema import Draft202012Validator
from typer.testing import CliRunner, Result

from flowdbg.cli.check import check
from flowdbg.errors import UsageError
from flowdbg.examples import demo_path, hello_path

app = typer.Typer()
app.command()(check)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_right_files_are_said_to_be_right() -> None:
    result = run(demo_path(), hello_path())
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"{demo_path()}: pottery/desk/morning-mail, 4 steps: right",
        f"{hello_path()}: examples/flowdbg/hello, 3 steps: right",
    ]


def test_every_problem_of_every_file_is_said_with_line_and_field(tmp_path: Path) -> None:
    one = tmp_path / "one.flow.yaml"
    one.write_text(
        "flow: a/b/c\nsteps:\n  - {id: a, kind: llm, promt: x}\n  - {id: a, kind: lop}\n"
    )
    result = run(one, hello_path(), tmp_path / "none.flow.yaml")
    assert result.exit_code == 2
    lines = result.stdout.splitlines()
    assert (
        f"{one}:3: steps[0].promt: there is no field `promt` here. Did you mean `prompt`?" in lines
    )
    assert any("already the id of the step in line 3" in line for line in lines)
    assert any(line.startswith(f"{tmp_path}/none.flow.yaml: cannot be read") for line in lines)
    assert any(line.endswith("3 steps: right") for line in lines)
    assert lines[-1] == "5 problems found"


def test_one_problem_is_one_problem(tmp_path: Path) -> None:
    file = tmp_path / "f.flow.yaml"
    file.write_text("flow: a/b/c\nsteps: [{id: a, kind: llm}]\n")
    assert run(file).stdout.splitlines()[-1] == "1 problem found"


def test_what_a_file_says_cannot_control_the_terminal(tmp_path: Path) -> None:
    file = tmp_path / "f.flow.yaml"
    file.write_text('flow: a/b/c\nsteps: [{id: a, kind: passthrough, "\\e[2J\\a": 1}]\n')
    result = run(file)
    assert result.exit_code == 2
    assert "\x1b" not in result.stdout
    assert "\\x1b[2J" in result.stdout


def test_the_schema_is_json_schema() -> None:
    result = run("--schema")
    assert result.exit_code == 0
    schema = json.loads(result.stdout)
    Draft202012Validator.check_schema(schema)
    assert "steps" in schema["properties"]


def test_no_file_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="No flow file is named"):
        check([])
