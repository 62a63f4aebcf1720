"""JSON kept as the text it arrived in, with its value on demand.

A debugger sends back what it received. Keeping the text means that big integers, odd numbers,
duplicate keys and escapes go out exactly as they came, and that nothing is serialised twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from json.scanner import make_scanner
from typing import Any, NamedTuple, cast

_KINDS = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}
_WHITESPACE = re.compile(r"[ \t\n\r]*")
_SURROGATE = re.compile("[\ud800-\udfff]")
_BLANK = " \t\n\r"
_scan: Callable[[str, int], tuple[Any, int]] = cast(Any, make_scanner)(json.JSONDecoder())
_UNSET = object()


class JsonText:
    """One JSON value as text; immutable, compared by text.

    The value is parsed once, when first asked for. `problem` says why a text has no value
    (not JSON, nested too deep, a number with too many digits); such text is still kept.
    """

    __slots__ = ("_problem", "_value", "text")

    text: str

    def __init__(self, text: str, value: Any = _UNSET) -> None:
        self.text = text
        self._value = value
        self._problem = ""

    @classmethod
    def of(cls, value: Any) -> JsonText:
        """Serialise a value; non-ASCII characters stay readable, lone surrogates escaped.

        Raises:
            ValueError: The value is not JSON (wrong type, circular, nested too deep).
        """
        try:
            text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        except (TypeError, RecursionError) as error:
            raise ValueError(f"not a JSON value: {error}") from error
        if not text.isascii() and _SURROGATE.search(text):
            text = json.dumps(value, separators=(",", ":"))
        return cls(text, value)

    @property
    def value(self) -> Any:
        """The parsed value; None when the text has none (see `problem`)."""
        if self._value is _UNSET:
            self._value, self._problem = _parse(self.text)
        return self._value

    @property
    def problem(self) -> str:
        """Why the text has no value; empty when it has one."""
        _ = self.value
        return self._problem

    @property
    def value_or_text(self) -> Any:
        """The value; the text as it stands where it has none."""
        return self.text if self.problem else self.value

    @property
    def kind(self) -> str:
        """The JSON type's name: object, array, string, number, boolean, null, or invalid."""
        if self.problem:
            return "invalid"
        return _KINDS.get(type(self.value), "number")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JsonText) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        shown = self.text if len(self.text) <= 60 else self.text[:57] + "..."
        return f"JsonText({shown!r})"


Segments = tuple[str | JsonText, ...]
"""A text in pieces; a JsonText piece may be large and is worth storing once by its hash."""


def join(segments: Segments) -> str:
    """The whole text of a segmented text."""
    return "".join(piece if isinstance(piece, str) else piece.text for piece in segments)


def encode(segments: Segments) -> bytes:
    """The UTF-8 bytes of a segmented text; a lone surrogate becomes its JSON escape."""
    return b"".join(
        (piece if isinstance(piece, str) else piece.text).encode("utf-8", "backslashreplace")
        for piece in segments
    )


def standard_problem(text: str) -> str:
    """Why a text that a person wrote is not JSON as every server reads it; empty when it is.

    What servers send may hold NaN and the infinities, and goes back as it came; a person's may not.
    """
    try:
        json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        return JsonText(text).problem or str(error)
    return ""


def _refused(name: str) -> Any:
    raise ValueError(f"not JSON: {name} is no JSON number")


def _parse(text: str) -> tuple[Any, str]:
    try:
        return json.loads(text), ""
    except json.JSONDecodeError as error:
        return None, f"not JSON: {error.msg} at line {error.lineno} column {error.colno}"
    except RecursionError:
        return None, "nested too deep to read"
    except ValueError as error:
        return None, f"not readable: {error}"


class Span(NamedTuple):
    """A member of a JSON object: where its value's text stands, and the value."""

    start: int
    end: int
    value: Any


def members(text: str) -> Mapping[str, Span]:
    """The top-level members of a JSON object, each with the span of its value's text.

    One pass at the speed of the C scanner; of duplicate keys the last one wins, as everywhere.

    Raises:
        ValueError: The text is not one JSON object, or is nested too deep.
    """
    try:
        return _members(text)
    except RecursionError as error:
        raise ValueError("nested too deep to read") from error
    except (IndexError, StopIteration) as error:
        raise ValueError("not a JSON object: it ends too early or lacks a value") from error


def _members(text: str) -> dict[str, Span]:
    found: dict[str, Span] = {}
    make = tuple.__new__  # a third of the time of calling the class
    at = 0 if text.startswith("{") else _skip(text, 0)
    if text[at] != "{":
        raise ValueError("not a JSON object")
    at += 1
    if text[at] in _BLANK:
        at = _skip(text, at)
    mark = text[at]
    while mark != "}":
        if text[at] != '"':
            raise ValueError(f"expected a key at character {at}")
        key, at = _scan(text, at)
        if text[at] != ":":
            at = _skip(text, at)
        if text[at] != ":":
            raise ValueError(f"expected ':' at character {at}")
        start = at + 1
        if text[start] in _BLANK:
            start = _skip(text, start)
        value, at = _scan(text, start)
        found[key] = make(Span, (start, at, value))
        if text[at] in _BLANK:
            at = _skip(text, at)
        mark = text[at]
        if mark == ",":
            at += 1
            if text[at] in _BLANK:
                at = _skip(text, at)
        elif mark != "}":
            raise ValueError(f"expected ',' or '}}' at character {at}")
    if at + 1 != len(text) and _skip(text, at + 1) != len(text):
        raise ValueError(f"extra text after the object at character {at + 1}")
    return found


def _skip(text: str, at: int) -> int:
    """The index of the first character at or after `at` that is not JSON white space."""
    match = _WHITESPACE.match(text, at)
    return match.end() if match else at
