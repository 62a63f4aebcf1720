"""Reads YAML as plain JSON values, bounded, and remembers the line of every value and key.

Only the parser of ruamel.yaml is used: values are built here from its events, so there are no
aliases (a bomb of nine lines expands to gigabytes), no tags and no Python objects; depth, node
count and size are bounded while reading. Scalars follow the YAML 1.2 core schema.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.scanner import Scanner, ScannerError

from flowdbg.errors import DefinitionError, Problem

MAX_FILE_BYTES = 1_000_000
"""Largest flow file."""
MAX_DEPTH = 60
"""Deepest nesting of mappings and lists."""
MAX_NODES = 20_000
"""Most values in one file."""
MAX_TAG = 200
"""Longest tag; what a tag says takes the library time that grows with its square."""

_SHOWN = 80

KeyPath = tuple[str | int, ...]
"""Keys and indexes from the top of the file."""

_HINTS = {
    "mapping values are not allowed":
        " Put a text that holds `: ` into quotes, and look at the indentation.",
    "could not find expected ':'":
        " Write `name: value`; a text after `|` stands further in than its name.",
    "'\\t' that cannot start": " Indent with spaces, not with tabs.",
    "cannot start any token": " Put the text into quotes.",
    "expected <block end>":
        " Indent what belongs together alike; a text with quotes in it needs other quotes around.",
    "expected ',' or": " Close what is open, or put the text into quotes.",
    "unexpected end of stream": " Close the quotes.",
}  # fmt: skip
"""What to do about complaints of the library, by a part of its words."""
_CONSTANTS: dict[str, Any] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INTEGER = re.compile(r"[-+]?[0-9]{1,400}\Z")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]{1,300}\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")


@dataclass
class YamlSource:
    """One YAML document: its value, and what is known about the places in it."""

    file: str
    """What problems call it."""
    value: Any = None
    lines: dict[KeyPath, int] = field(default_factory=dict)
    """The 1-based line of every value, and of its key in a mapping."""
    literal: set[KeyPath] = field(default_factory=set)
    """Where texts stand that are written as a literal block (`|`)."""
    problems: list[Problem] = field(default_factory=list)
    """Keys that are there twice, and tags: what is read all the same, and is not right."""

    def line(self, path: KeyPath) -> int:
        """The line of the value (of its key, in a mapping), or of the nearest thing around it."""
        for length in range(len(path), -1, -1):
            if (line := self.lines.get(path[:length])) is not None:
                return line
        return 1

    def problem(self, path: KeyPath, message: str) -> Problem:
        """A problem at a place in this file."""
        return Problem(self.file, self.line(path), dotted(path), message)

    def problem_inside(self, path: KeyPath, message: str, line: int) -> Problem:
        """A problem in line `line` (1-based, 0 unknown) of a text that stands at a place."""
        problem = self.problem(path, message)
        if path in self.literal and line:
            # The text of a literal block (`|`) begins in the line after its key.
            return replace(problem, line=problem.line + line)
        return problem

    def as_json(self) -> str:
        """The value as JSON text."""
        return json.dumps(self.value, ensure_ascii=True)


def dotted(path: KeyPath) -> str:
    """`("steps", 2, "prompt")` as `steps[2].prompt`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{cut(part)}" if text else cut(part)
    return text


def cut(name: str) -> str:
    """A name of a file as a message shows it: not all of one that is far too long."""
    return name if len(name) <= _SHOWN else f"{name[: _SHOWN - 1]}…"


def read_yaml(text: str, file: str) -> YamlSource:
    """Read one YAML document; the caller looks at its `problems`.

    Raises:
        DefinitionError: Not YAML, more than one document, an alias, a key that is not text, or
            one of the bounds passed.
    """
    source = YamlSource(file)
    if len(text) > MAX_FILE_BYTES or len(text.encode("utf-8", "replace")) > MAX_FILE_BYTES:
        raise _wrong(file, 0, f"is larger than {MAX_FILE_BYTES:,} bytes. Make it smaller.")
    library = YAML(typ="safe", pure=True)
    library.Scanner = _Scanner
    try:
        source.value = _Reader(source).document(library.parse(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(filter(None, (error.context, error.problem))) or "cannot be read"
        hint = next((hint for part, hint in _HINTS.items() if part in what), "")
        last = Problem(file, mark.line + 1 if mark else 0, "", f"is not YAML: {what}.{hint}")
        raise DefinitionError([*source.problems, last]) from error
    except (YAMLError, ValueError) as error:
        what = str(error).splitlines()[0]
        raise _wrong(file, 0, f"is not YAML: {what}.") from error
    return source


def load_yaml(path: Path) -> YamlSource:
    """Read a file as one YAML document.

    Raises:
        DefinitionError: It cannot be read, is not UTF-8, or as `read_yaml`.
    """
    file = str(path)
    try:
        # One byte past the limit tells a file that is too large without reading it whole.
        with path.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
        text = data.decode("utf-8-sig", "replace" if len(data) > MAX_FILE_BYTES else "strict")
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise _wrong(file, 0, f"cannot be read: {reason}. Name another file.") from error
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _wrong(file, line, "is not UTF-8 text. Save the file as UTF-8.") from error
    return read_yaml(text, file)


def _wrong(file: str, line: int, message: str) -> DefinitionError:
    return DefinitionError([Problem(file, line, "", message)])


class _Scanner(Scanner):
    """The library's, with a bound on the length of a tag."""

    def fetch_tag(self) -> None:
        """Read a tag that is not too long."""
        if not any(character in " \t\r\n\0" for character in self.reader.prefix(MAX_TAG)):
            mark = self.reader.get_mark()
            raise ScannerError(None, None, f"a tag is longer than {MAX_TAG} characters", mark)
        super().fetch_tag()


class _Reader:
    def __init__(self, source: YamlSource) -> None:
        self._source = source
        self._count = 0

    def document(self, events: Iterator[Event]) -> Any:
        value: Any = None
        documents = 0
        for event in events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._refuse(event, (), "has a second document. Keep one flow in a file.")
            elif isinstance(event, DocumentEndEvent):
                continue
            elif isinstance(event, ScalarEvent | SequenceStartEvent | MappingStartEvent):
                value = self._value(event, events, ())
            elif isinstance(event, AliasEvent):
                self._alias(event, ())
        return value

    def _value(self, event: Event, events: Iterator[Event], path: KeyPath) -> Any:
        self._count += 1
        if self._count > MAX_NODES:
            self._refuse(event, (), f"has more than {MAX_NODES:,} values. Make it smaller.")
        if len(path) > MAX_DEPTH:
            self._refuse(event, path[:3], f"is nested deeper than {MAX_DEPTH} levels.")
        self._source.lines.setdefault(path, _line(event))
        if isinstance(event, AliasEvent):
            self._alias(event, path)
        if getattr(event, "anchor", None):
            self._alias(event, path)
        if (tag := getattr(event, "tag", None)) not in (None, "!"):
            self._note(event, path, f"has the tag {cut(tag)}. Write a plain value.")
        if isinstance(event, ScalarEvent):
            return self._scalar(event, path)
        if isinstance(event, SequenceStartEvent):
            return self._list(events, path)
        return self._mapping(events, path)

    def _list(self, events: Iterator[Event], path: KeyPath) -> list[Any]:
        items: list[Any] = []
        for event in events:
            if isinstance(event, SequenceEndEvent):
                break
            items.append(self._value(event, events, (*path, len(items))))
        return items

    def _mapping(self, events: Iterator[Event], path: KeyPath) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for event in events:
            if isinstance(event, MappingEndEvent):
                break
            if not isinstance(event, ScalarEvent):
                self._refuse(
                    event,
                    path,
                    "has a key that is not text. A text that begins with `{` or `[` needs quotes.",
                )
            key = event.value
            if key in members:
                self._note(event, (*path, key), "is there twice. Keep one of them.")
            self._source.lines[(*path, key)] = _line(event)
            members[key] = self._value(next(events), events, (*path, key))
        return members

    def _scalar(self, event: ScalarEvent, path: KeyPath) -> Any:
        text: str = event.value
        plain, _ = event.implicit
        if not plain:
            if event.style == "|":
                self._source.literal.add(path)
            return text
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if _INTEGER.match(text):
            return int(text)
        if _HEXADECIMAL.match(text):
            return int(text, 16)
        if _FLOAT.match(text):
            number = float(text)
            return number if math.isfinite(number) else text
        return text

    def _alias(self, event: Event, path: KeyPath) -> NoReturn:
        self._refuse(
            event, path, "has an anchor or alias (& or *). Write the value out where it is used."
        )

    def _note(self, event: Event, path: KeyPath, message: str) -> None:
        """Remember a problem that does not keep the rest from being read."""
        problem = Problem(self._source.file, _line(event), dotted(path), message)
        self._source.problems.append(problem)

    def _refuse(self, event: Event, path: KeyPath, message: str) -> NoReturn:
        self._note(event, path, message)
        raise DefinitionError(self._source.problems)


def _line(event: Event) -> int:
    return int(event.start_mark.line) + 1
