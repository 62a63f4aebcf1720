"""Paths into a JSON value: how they are written, read, followed and changed."""

from __future__ import annotations

import json
import re
from typing import Any

Path = tuple[str | int, ...]
"""Keys and indexes from the root; the empty path is the root."""

_NAME = re.compile(r"[A-Za-z_$][\w$-]*")
_STEP = re.compile(
    r'\.?(?P<name>[A-Za-z_$][\w$-]*)|\[(?P<index>\d+)\]|\[(?P<key>"(?:[^"\\]|\\.)*")\]'
)


def show(path: Path) -> str:
    """Write a path as people do: `docs[0].score`, `["odd key"].x`; the root is `$`."""
    if not path:
        return "$"
    parts: list[str] = []
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif _NAME.fullmatch(step):
            parts.append(f".{step}" if parts else step)
        else:
            parts.append(f"[{json.dumps(step, ensure_ascii=False)}]")
    return "".join(parts)


def read(text: str) -> Path:
    """Read what `show` writes.

    Raises:
        ValueError: The text is not a path; the message says at which character it stops being one.
    """
    if text.strip() in ("$", ""):
        return ()
    steps: list[str | int] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            raise ValueError(f"not a path from character {at + 1}: {text[at : at + 20]}")
        if match["index"] is not None:
            steps.append(int(match["index"]))
        else:
            steps.append(match["name"] or json.loads(match["key"]))
        at = match.end()
    return tuple(steps)


def get(value: Any, path: Path) -> Any:
    """Follow a path.

    Raises:
        LookupError: There is nothing at the path.
    """
    for step in path:
        fits = isinstance(value, dict if isinstance(step, str) else list)
        if not fits:
            raise LookupError(show(path))
        value = value[step]
    return value


def replaced(value: Any, path: Path, leaf: Any) -> Any:
    """Return a copy of `value` with the value at `path` replaced; the rest is shared, not copied.

    Raises:
        LookupError: There is nothing at the path.
    """
    if not path:
        return leaf
    step, rest = path[0], path[1:]
    child = replaced(get(value, (step,)), rest, leaf)
    if isinstance(value, dict):
        return {**value, step: child}
    return [child if index == step else item for index, item in enumerate(value)]
