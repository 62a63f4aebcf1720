"""Paths into a JSON value: how they are written, followed and changed."""

from __future__ import annotations

import json
import re
from typing import Any

Path = tuple[str | int, ...]
"""Keys and indexes from the root; the empty path is the root."""

_NAME = re.compile(r"(?!\$$)[A-Za-z_$][\w$-]*")  # `$` alone is the root


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
