"""What a run is asked with, from the command line: inputs, changed blocks, and tools."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flowdbg.cli.asked import Tools
from flowdbg.core.inputs import missing_inputs, read_json
from flowdbg.core.json_text import JsonText, standard_problem
from flowdbg.core.overrides import block_value, known_step, split_block_override
from flowdbg.core.plan import Plan
from flowdbg.core.tool_calls import check_tools, tool_choice
from flowdbg.errors import UsageError
from flowdbg.headless.interruption import at_once
from flowdbg.headless.tools import ToolHandler, command_handler, function_handler


def read_value(text: str) -> str:
    """A value given in place, or as `@file`.

    Raises:
        UsageError: The file cannot be read.
    """
    return read_file(Path(text[1:])) if text.startswith("@") else text


def read_file(file: Path) -> str:
    """A file's text; `-` is the standard input.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        with at_once():  # a pipe may stay open for long
            if str(file) == "-":
                return sys.stdin.buffer.read().decode("utf-8-sig")
            return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        said = error.strerror or error
        raise UsageError(f"{_named(file)} cannot be read: {said}.", "Check the path.") from error
    except UnicodeDecodeError as error:
        said = f"byte {error.start} is no UTF-8"
        raise UsageError(f"{_named(file)} cannot be read: {said}.", "Save it as UTF-8.") from error


def read_json_file(file: Path) -> JsonText:
    """A file's JSON value, as it is written.

    Raises:
        UsageError: It cannot be read or is not JSON.
    """
    value = JsonText(read_file(file).strip())
    if problem := standard_problem(value.text):
        raise UsageError(f"{_named(file)} is {problem}.", "Correct it, and try again.")
    return value


def read_params(file: Path | None) -> JsonText:
    """Inputs from a file with a JSON object, as they are written; none without a file.

    Raises:
        UsageError: It is no JSON object.
    """
    value = read_json_file(file) if file else JsonText("{}")
    if value.kind != "object":
        raise UsageError(f"{_named(file)} is not a JSON object.", 'Write {"name": value, …}.')
    return value


def read_block_edits(texts: Sequence[str] | None, plan: Plan) -> dict[str, dict[str, JsonText]]:
    """Changed blocks from `STEP.FIELD=VALUE`, checked against the plan where it is known.

    Raises:
        UsageError: One has another shape, or the plan has no such step.
    """
    edits: dict[str, dict[str, JsonText]] = {}
    for text in texts or ():
        step_id, field, value = split_block_override(text)
        step = known_step(plan, step_id)
        edits.setdefault(step_id, {})[field] = block_value(read_value(value), field, step)
    return edits


def require_inputs(message: str | None, parameters: JsonText, schema: Mapping[str, Any]) -> None:
    """See that a flow gets the inputs that it needs, where its schema is known.

    Raises:
        UsageError: Some are missing.
    """
    missing = missing_inputs(message, parameters.value, schema)
    if missing:
        raise UsageError(
            f"The flow needs: {', '.join(missing)}.", "Give -m MESSAGE or -p NAME=VALUE."
        )


def make_handler(tools: Tools) -> ToolHandler | None:
    """What answers tool calls: a function, a command, or None for a person.

    Raises:
        UsageError: Both are named, or the one named does not exist.
    """
    if tools.handler and tools.command:
        raise UsageError("--tool-handler and --tool-exec exclude each other.", "Give one of them.")
    if tools.handler:
        return function_handler(tools.handler, tools.timeout)
    return command_handler(tools.command, tools.timeout) if tools.command else None


def read_tools(tools: Tools) -> tuple[JsonText | None, JsonText | None]:
    """Tool definitions and the choice among them, checked; None where nothing was given.

    Raises:
        UsageError: They are wrong, or there is a choice without tools.
    """
    if tools.file is None:
        if tools.choice:
            raise UsageError(
                "There are no tools to choose from.", "Name their definitions: --tools FILE."
            )
        return None, None
    definitions = read_json_file(tools.file)
    names = check_tools(definitions)
    return definitions, tool_choice(tools.choice, names) if tools.choice else None


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


def _named(file: Path | None) -> str:
    return "The standard input" if str(file) == "-" else str(file)
