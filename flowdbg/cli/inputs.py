"""A run's inputs from the command line: values in place or from files, and changed blocks."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flowdbg.core.inputs import read_json
from flowdbg.core.json_text import JsonText
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
    if str(file) == "-":
        return sys.stdin.read()
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}.", "Check the path.") from error


def read_json_file(file: Path) -> JsonText:
    """A file's JSON value, as it is written.

    Raises:
        UsageError: It cannot be read or is not JSON.
    """
    return read_json(read_file(file), str(file))


def read_params(file: Path | None) -> Mapping[str, Any]:
    """Inputs from a file with a JSON object; none without a file.

    Raises:
        UsageError: It is no JSON object.
    """
    value = read_json_file(file).value if file else {}
    if not isinstance(value, dict):
        raise UsageError(f"{file} is not a JSON object.", 'Write {"name": value, …}.')
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
