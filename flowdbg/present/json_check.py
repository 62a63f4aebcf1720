"""What is wrong with a JSON text that somebody is typing, and where."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flowdbg.present.json_paths import Path, show

_decoder = json.JSONDecoder()
_WHITE = " \t\n\r"

SchemaCheck = Callable[[Any], Sequence[tuple[Path, str]]]
"""Says what a value breaks of a schema: the path and a sentence for each problem."""

_WORDS = {
    "Expecting value": "a value is expected here",
    "Expecting property name enclosed in double quotes": "a name in double quotes is expected",
    "Expecting ':' delimiter": 'a ":" is expected after the name',
    "Expecting ',' delimiter": 'a "," or the end of the list or object is expected',
    "Unterminated string starting at": "this string has no closing quote",
    "Invalid control character at": "a line break or control character must be escaped in a string",
    "Extra data": "the value ends before this text",
    "Invalid \\escape": "a backslash in a string must be doubled",
    "Invalid \\uXXXX escape": "an escape needs four hexadecimal digits",
    "Illegal trailing comma before end of object": "a comma stands before the end of the object",
    "Illegal trailing comma before end of array": "a comma stands before the end of the list",
}


@dataclass(frozen=True, slots=True)
class TextProblem:
    """One thing wrong in a text; line and column count from 1, and 0 means the whole text."""

    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return (
            f"line {self.line}, column {self.column}: {self.message}" if self.line else self.message
        )


def check(text: str, schema_check: SchemaCheck | None = None) -> TextProblem | None:
    """Return the first problem of a JSON text, or None.

    Args:
        text: What was typed.
        schema_check: Asked when the text is JSON; its first problem is placed in the text.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        if not text.strip():
            return TextProblem(1, 1, "a JSON value is expected")
        message = _WORDS.get(error.msg, error.msg)
        return TextProblem(error.lineno, error.colno, message)
    except RecursionError:
        return TextProblem(0, 0, "nested too deep")
    except ValueError as error:
        return TextProblem(0, 0, str(error))
    problems = schema_check(value) if schema_check else ()
    if not problems:
        return None
    path, message = problems[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    where = f"{show(path)}: " if path else ""
    line, column = locate(text, path)
    return TextProblem(line, column, f"{where}{message}{more}")


def locate(text: str, path: Path) -> tuple[int, int]:
    """Return line and column (from 1) of the value at `path`, or of its nearest parent."""
    at = _skip(text, 0)
    for step in path:
        inner = _member(text, at, step)
        if inner is None:
            break
        at = inner
    before = text[:at]
    return before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1


def _member(text: str, at: int, step: str | int) -> int | None:
    """The offset of a child's value inside the container that starts at `at`."""
    opening = text[at : at + 1]
    if opening not in ("{", "["):
        return None
    at = _skip(text, at + 1)
    number = 0
    while at < len(text) and text[at] not in "}]":
        key: str | int = number
        if opening == "{":
            key, at = _decoder.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)
        if key == step:
            return at
        _, at = _decoder.raw_decode(text, at)
        at = _skip(text, at)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
        number += 1
    return None


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _WHITE:
        at += 1
    return at


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")
