"""Tool handlers: what answers a model's tool calls on this machine, in place of a person.

A handler is any `async (ToolCall) -> JsonText`. Two kinds are made here: a Python function, and a
command that reads and writes JSON. Whatever goes wrong in one becomes a result that says so: the
model can read it, and the run goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import inspect
import io
import json
import os
import shlex
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Final

from flowdbg.core.json_text import JsonText
from flowdbg.core.tool_calls import ToolCall, error_result
from flowdbg.errors import UsageError
from flowdbg.transport.excerpt import excerpt

TIMEOUT: Final = 60.0
"""Seconds that a call may take when nothing else is said."""
MOST_OUTPUT: Final = 1_000_000
"""Bytes of a result; a server takes no larger conversation (section 11.3)."""


ToolHandler = Callable[[ToolCall], Coroutine[Any, Any, JsonText]]
"""Answers one tool call; never raises for what the tool does."""


def function_handler(name: str, timeout: float = TIMEOUT) -> ToolHandler:
    """A handler from `module:function`, sync or async; the module is looked for here, too.

    A function whose parameters are `name` and `arguments` answers every tool; any other is called
    with the tool's arguments as keywords. What it prints goes to stderr.

    Raises:
        UsageError: There is no such function.
    """
    function = _load(name)
    try:
        takes_name = list(inspect.signature(function).parameters) == ["name", "arguments"]
    except (TypeError, ValueError):  # builtins do not always tell
        takes_name = False

    async def answer(call: ToolCall) -> JsonText:
        arguments = call.arguments.value
        if not isinstance(arguments, dict):
            return _bad_arguments(call)
        given = {"name": call.name, "arguments": arguments} if takes_name else arguments
        limit = asyncio.timeout(timeout)
        try:
            async with limit:
                value = await _called(function, given)
            return _checked(JsonText.of(value), call.name)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - it is the person's own code
            if limit.expired():
                return _too_slow(call, timeout)
            return error_result(f"{call.name}: {type(error).__name__}: {excerpt(str(error))}")

    return answer


def command_handler(command: str, timeout: float = TIMEOUT) -> ToolHandler:
    """A handler from a command line: `{id, name, arguments}` on stdin, the result on stdout.

    A non-zero exit, no JSON, or too long a wait becomes an error result.

    Raises:
        UsageError: The command cannot be read or found.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"'{command}' is no command: {error}.", "Check its quotes.") from error
    if not words or shutil.which(words[0]) is None:
        raise UsageError(
            f"There is no command '{words[0] if words else ''}'.",
            "Give the path of a program that reads a call as JSON and writes the result as JSON.",
        )

    async def answer(call: ToolCall) -> JsonText:
        if not isinstance(call.arguments.value, dict):
            return _bad_arguments(call)
        try:
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            return error_result(f"{words[0]} cannot be run: {error.strerror}")
        try:
            async with asyncio.timeout(timeout):
                out, said = await process.communicate(json.dumps(call.to_json()).encode())
        except TimeoutError:
            return _too_slow(call, timeout)
        finally:
            await _end(process)
        if process.returncode:
            last = excerpt(said.decode(errors="replace"))
            return error_result(f"{call.name} ended with {process.returncode}. {last}".rstrip())
        result = JsonText(out.decode(errors="replace").strip())
        if result.problem:
            return error_result(f"{call.name} wrote something that is {result.problem}")
        return _checked(result, call.name)

    return answer


async def _called(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    if inspect.iscoroutinefunction(function):
        with contextlib.redirect_stdout(sys.stderr):
            return await function(**arguments)
    value = await _in_thread(lambda: function(**arguments))
    return await value if inspect.isawaitable(value) else value


async def _end(process: asyncio.subprocess.Process) -> None:
    """Stop a command that still runs, with what it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


async def _in_thread(work: Callable[[], Any]) -> Any:
    """Run blocking work; its thread never keeps the program from ending, as a pool's would."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()

    def settle(value: Any, error: Exception | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(value)
        else:
            done.set_exception(error)

    def run() -> None:
        value: Any = None
        failed: Exception | None = None
        try:
            with contextlib.redirect_stdout(sys.stderr):
                value = work()
        except BaseException as error:  # noqa: BLE001 - it is raised again in the event loop
            failed = RuntimeError(repr(error))
            if isinstance(error, Exception) and not isinstance(error, StopIteration):
                failed = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, value, failed)

    threading.Thread(target=run, daemon=True, name="tool").start()
    return await done


def _load(name: str) -> Callable[..., Any]:
    module_name, colon, function_name = name.partition(":")
    if not colon or not module_name or not function_name:
        raise UsageError(f"'{name}' names no function.", "Write module:function.")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        with contextlib.redirect_stdout(sys.stderr or io.StringIO()):
            found: Any = importlib.import_module(module_name)
        for part in function_name.split("."):
            found = getattr(found, part)
    except Exception as error:  # the person's own module may raise anything
        raise UsageError(
            f"'{name}' cannot be loaded: {type(error).__name__}: {excerpt(str(error))}.",
            "Name a function of a module in this directory, or of an installed one.",
        ) from error
    if not callable(found):
        raise UsageError(f"'{name}' is not a function.", "Write module:function.")
    loaded: Callable[..., Any] = found
    return loaded


def _checked(result: JsonText, name: str) -> JsonText:
    size = len(result.text.encode(errors="replace"))
    if size > MOST_OUTPUT:
        return error_result(f"{name} gave {size} bytes; {MOST_OUTPUT} are possible")
    return result


def _bad_arguments(call: ToolCall) -> JsonText:
    found = call.arguments.problem or call.arguments.kind
    return error_result(f"The arguments of {call.name} must be a JSON object; found: {found}")


def _too_slow(call: ToolCall, timeout: float) -> JsonText:
    return error_result(f"{call.name} gave no result within {timeout:g} seconds")
