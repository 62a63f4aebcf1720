"""A run's inputs from the command line: values in place or from files, and changed blocks."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from flowdbg.core.json_text import JsonText, standard_problem
from flowdbg.core.overrides import block_value, known_step, split_block_override
from flowdbg.core.plan import Plan
from flowdbg.errors import UsageError


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


def read_block_edits(texts: Sequence[str], plan: Plan) -> dict[str, dict[str, JsonText]]:
    """Changed blocks from `STEP.FIELD=VALUE`, checked against the plan where it is known.

    Raises:
        UsageError: One has another shape, or the plan has no such step.
    """
    edits: dict[str, dict[str, JsonText]] = {}
    for text in texts:
        step_id, field, value = split_block_override(text)
        step = known_step(plan, step_id)
        edits.setdefault(step_id, {})[field] = block_value(read_value(value), field, step)
    return edits


def _named(file: Path | None) -> str:
    return "The standard input" if str(file) == "-" else str(file)
