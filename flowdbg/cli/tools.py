"""Tools from the command line: their definitions, and what answers their calls."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flowdbg.cli.inputs import read_json_file, read_value
from flowdbg.core.inputs import read_json
from flowdbg.core.json_text import JsonText
from flowdbg.core.tool_calls import check_tools
from flowdbg.core.tool_calls import tool_choice as choice_of
from flowdbg.errors import UsageError
from flowdbg.headless.tools import ToolHandler, command_handler, function_handler


def make_handler(function: str, command: str, timeout: float) -> ToolHandler | None:
    """What answers tool calls: a function, a command, or None for a person.

    Raises:
        UsageError: Both are named, or the one named does not exist.
    """
    if function and command:
        raise UsageError("--tool-handler and --tool-exec exclude each other.", "Give one of them.")
    if function:
        return function_handler(function, timeout)
    return command_handler(command, timeout) if command else None


def read_tools(file: Path | None, choice: str) -> tuple[JsonText | None, JsonText | None]:
    """Tool definitions and the choice among them, checked; None where nothing was given.

    Raises:
        UsageError: They are wrong, or there is a choice without tools.
    """
    if file is None:
        if choice:
            raise UsageError(
                "There are no tools to choose from.", "Name their definitions: --tools FILE."
            )
        return None, None
    definitions = read_json_file(file)
    names = check_tools(definitions)
    return definitions, choice_of(choice, names) if choice else None


def read_results(texts: Sequence[str]) -> dict[str, JsonText]:
    """A person's answers from `CALL=JSON` or `CALL=@file`, by call id.

    Raises:
        UsageError: One has another shape.
    """
    results: dict[str, JsonText] = {}
    for text in texts:
        call_id, equals, value = text.partition("=")
        if not equals or not call_id:
            raise UsageError(f"'{text}' is no result.", "Write CALL=JSON or CALL=@file.")
        results[call_id] = read_json(read_value(value), f"The result of '{call_id}'")
    return results
