"""What each layer really loads, seen from a fresh interpreter, and how large the pieces are."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "flowdbg"
SERVER_SIDE = ("flowdbg.engine", "flowdbg.server", "starlette", "uvicorn", "sqlalchemy", "openai")
SCREEN = ("textual", "rich", "flowdbg.tui")

LAYERS = {
    "flowdbg.cli.main": ("typer", "flowdbg.core", "flowdbg.cli.commands"),
    "flowdbg.cli.commands": (*SCREEN, *SERVER_SIDE, "httpx", "pydantic", "sqlite3", "asyncio"),
    "flowdbg.core.fold": (*SCREEN, *SERVER_SIDE, "httpx", "pydantic", "sqlite3", "asyncio"),
    "flowdbg.dialects.targets": (*SCREEN, *SERVER_SIDE, "httpx"),
    "flowdbg.dialects.noukai.target": (*SCREEN, *SERVER_SIDE),
    "flowdbg.debugger": (*SCREEN, *SERVER_SIDE),
    "flowdbg.headless.run": (*SCREEN, *SERVER_SIDE),
    "flowdbg.tui.app": SERVER_SIDE,
    "flowdbg.server.app": ("textual", "flowdbg.tui", "flowdbg.debugger", "flowdbg.store"),
}


@pytest.mark.parametrize(("module", "unwanted"), LAYERS.items())
def test_a_layer_loads_nothing_that_is_not_its_business(
    module: str, unwanted: tuple[str, ...]
) -> None:
    code = f"import sys, {module}; print('\\n'.join(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = {
        name
        for name in result.stdout.split()
        for other in unwanted
        if name == other or name.startswith(f"{other}.")
    }
    assert loaded == set()


def test_what_a_layer_must_not_load_could_be_loaded() -> None:
    names = {name for unwanted in LAYERS.values() for name in unwanted}
    assert {name for name in names if importlib.util.find_spec(name) is None} == set()


def test_no_module_is_a_grab_bag_and_no_function_a_saga() -> None:
    long = []
    for path in PACKAGE.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        if source.count("\n") > 400:
            long.append(f"{path.name}: {source.count(chr(10))} lines")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > 70:
                    long.append(f"{path.name}: {node.name} has {length} lines")
    assert long == []


def test_nothing_is_called_utils() -> None:
    names = {path.stem for path in PACKAGE.rglob("*.py")}
    assert names & {"utils", "util", "helpers", "misc", "common"} == set()
