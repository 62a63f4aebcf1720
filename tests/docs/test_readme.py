"""The README tells the truth: its keys, its commands, its test command."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import typer.main

from flowdbg import __version__
from flowdbg.cli.commands import app
from flowdbg.engine.definition import parse_flow

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_key_table_is_the_registry_of_actions() -> None:
    spec = importlib.util.spec_from_file_location("make_keys", ROOT / "docs" / "make_keys.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.with_keys(README) == README


def test_every_command_is_named_and_every_named_command_exists() -> None:
    command = typer.main.get_command(app)
    commands = set(command.commands)  # type: ignore[attr-defined] # a group has commands
    section = README.partition("## Commands")[2].partition("`TARGET` is")[0]
    words = re.findall(r"`flowdbg ([a-z|\\]+)", section)
    named = {name for word in words for name in word.replace("\\", "").split("|")}
    assert named == commands


def test_the_check_calls_the_test_command_of_the_readme() -> None:
    line = next(line for line in README.splitlines() if line.endswith(".venv/bin/pytest"))
    assert line in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_flow_of_the_readme_is_the_one_that_its_commands_are_about() -> None:
    [source] = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    flow = parse_flow(source, "triage.flow.yaml")
    steps = {step.id for step in flow.steps}
    assert re.search(rf"^flowdbg debug {flow.flow} ", README, re.MULTILINE)
    assert set(re.findall(r"--(?:until|step|skip|override-output) (\w+)", README)) <= steps
    assert set(re.findall(r" -p (\w+)=", README)) <= set(flow.inputs)


def test_the_changelog_knows_this_version() -> None:
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
