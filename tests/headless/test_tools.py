"""Handlers of tool calls: whatever goes wrong in one becomes a result that the model can read."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flowdbg.core.json_text import JsonText
from flowdbg.core.tool_calls import ToolCall
from flowdbg.errors import UsageError
from flowdbg.headless.tools import MOST_OUTPUT, command_handler, function_handler

HANDLERS = """
import asyncio, sys, threading

def add(a, b=1):
    print("to the terminal")
    return {"sum": a + b}

async def slowly(a):
    await asyncio.sleep(0)
    return a

def both(name, arguments):
    return [name, arguments]

class Kit:
    @staticmethod
    async def inside(a):
        return a

class Callable:
    async def __call__(self, a):
        return a * 2

made = Callable()
forever = threading.Event()

def hang(a):
    forever.wait()

async def sleep(a):
    await asyncio.sleep(3600)

def fail(a):
    raise KeyError("no such place")

async def timed_out(a):
    raise TimeoutError("its own")

def stop(a):
    raise StopIteration

def leave(a):
    sys.exit(7)

async def leave_later(a):
    sys.exit(7)

def strange(a):
    return {1, 2}

def huge(a):
    return "x" * 2_000_000

number = 5
"""


@pytest.fixture
def handlers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a module in the working directory."""
    (tmp_path / "handlers_here.py").write_text(HANDLERS)
    (tmp_path / "broken_here.py").write_text("1 / 0")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield "handlers_here"
    sys.modules.pop("handlers_here", None)


def call(arguments: Any = None, name: str = "tool") -> ToolCall:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments or {"a": 2})
    return ToolCall("c1", name, JsonText(text))


@pytest.mark.parametrize(
    ("function", "result"),
    [
        ("add", {"sum": 3}),
        ("slowly", 2),
        ("both", ["tool", {"a": 2}]),
        ("Kit.inside", 2),
        ("made", 4),
    ],
)
async def test_a_function_of_any_kind_answers(
    handlers: str, function: str, result: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await function_handler(f"{handlers}:{function}")(call())
    assert answer.value == result
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("function", "arguments", "says"),
    [
        ("fail", {"a": 1}, "tool: KeyError: 'no such place'"),
        ("timed_out", {"a": 1}, "tool: TimeoutError: its own"),
        ("stop", {"a": 1}, "StopIteration"),
        ("leave", {"a": 1}, "SystemExit(7)"),
        ("leave_later", {"a": 1}, "SystemExit: 7"),
        ("strange", {"a": 1}, "not a JSON value"),
        ("huge", {"a": 1}, f"{MOST_OUTPUT} are possible"),
        ("add", {"c": 1}, "unexpected keyword argument 'c'"),
        ("add", "[1]", "must be a JSON object; found: array"),
        ("add", '{"a": ', "not JSON"),
    ],
)
async def test_what_goes_wrong_in_a_function_is_its_result(
    handlers: str, function: str, arguments: Any, says: str
) -> None:
    answer = await function_handler(f"{handlers}:{function}")(call(arguments))
    assert says in answer.value["error"]


@pytest.mark.parametrize("function", ["hang", "sleep"])
async def test_a_function_has_only_so_much_time(handlers: str, function: str) -> None:
    answer = await function_handler(f"{handlers}:{function}", 0.05)(call())
    assert answer.value == {"error": "tool gave no result within 0.05 seconds"}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("handlers_here", "names no function"),
        ("handlers_here:", "names no function"),
        ("handlers_here:missing", "AttributeError"),
        ("handlers_here:number", "is not a function"),
        ("no_such_module_here:f", "ModuleNotFoundError"),
        ("broken_here:f", "ZeroDivisionError"),
    ],
)
def test_a_function_that_is_not_there_is_said_at_once(handlers: str, name: str, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        function_handler(name)
    assert says in refused.value.what


def python(code: str) -> str:
    return f'{sys.executable} -c "{code}"'


async def test_a_command_gets_the_call_and_gives_the_result() -> None:
    echo = python("import sys; sys.stdout.write(sys.stdin.read())")
    answer = await command_handler(echo)(call({"a": "ä\ud800"}))
    assert answer.value == {"id": "c1", "name": "tool", "arguments": {"a": "ä\ud800"}}


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import sys; sys.exit('\x1b[2J broken')", "tool ended with 1. \\x1b[2J broken"),
        ("print('{')", "wrote something that is not JSON"),
        ("pass", "wrote something that is not JSON"),
        ("print([0] * 500000)", f"{MOST_OUTPUT} are possible"),
        ("import time; time.sleep(3600)", "gave no result within"),
    ],
)
async def test_what_goes_wrong_in_a_command_is_its_result(code: str, says: str) -> None:
    limit = 0.2 if "sleep" in code else 30.0
    answer = await command_handler(python(code), limit)(call())
    assert says in answer.value["error"]


async def test_a_command_that_reads_nothing_may_answer() -> None:
    big = call({"a": "x" * 3_000_000})
    assert (await command_handler(python("print(1)"))(big)).value == 1


async def test_a_cancelled_command_is_ended_with_what_it_started(tmp_path: Path) -> None:
    told = tmp_path / "told"
    os.mkfifo(told)
    code = (
        "import os, subprocess, sys;"
        f"child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(3600)']);"
        f"open('{told}', 'w').write(str(child.pid)); child.wait()"
    )
    running = asyncio.ensure_future(command_handler(python(code))(call()))
    child = int(await asyncio.to_thread(told.read_text))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await asyncio.to_thread(_wait_until_gone, child)


def _wait_until_gone(pid: int) -> None:
    while True:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return
        if state in ("Z", "X"):
            return


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("", "no command ''"),
        ("no-such-command-here x", "no-such-command-here"),
        ("'", "no command"),
    ],
)
def test_a_command_that_is_not_there_is_said_at_once(command: str, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        command_handler(command)
    assert says in refused.value.what
