"""Request bodies: JSON objects of bounded size, depth and number of parts.

A small value costs more time than its bytes say: to read it, to record it, to send it on and to let
it go. Nobody else is served meanwhile, so it is their number that keeps others waiting: 16 MB of
empty lists did so for a second and more.
"""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any

from starlette.requests import Request

from flowdbg.dialects.operations import BODY_TOO_LARGE, INVALID_JSON, Refusal

MAX_DEPTH = 200
"""Deepest nesting of a body."""
MAX_PARTS = 1_000_000
"""Most commas, colons and opening brackets in a body, those in texts left out."""
_PIECE = 65_536
"""Characters that are looked through before others have their turn."""


async def json_body(request: Request, limit: int) -> dict[str, Any]:
    """Read a request's body as a JSON object.

    Raises:
        Refusal: 413 when it is larger than `limit` bytes or is made of more than `MAX_PARTS`
            parts, 400 when it is not a JSON object.
    """
    data = await _bounded(request, limit)
    try:
        text = data.decode(json.detect_encoding(data), "surrogatepass")
        if await count_parts(text) > MAX_PARTS:
            message = f"The body has more than {MAX_PARTS} values and names."
            raise Refusal(413, BODY_TOO_LARGE, message, limit=MAX_PARTS)
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
        await asyncio.sleep(0)  # others may have waited for it
    except RecursionError as error:
        raise Refusal(400, INVALID_JSON, "The body is nested too deep.") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        message = f"The body is not JSON: {error.msg} at {where}."
        raise Refusal(400, INVALID_JSON, message) from error
    except ValueError as error:
        raise Refusal(400, INVALID_JSON, f"The body is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise Refusal(400, INVALID_JSON, "The body is not a JSON object.")
    if _deeper_than(value, MAX_DEPTH):
        raise Refusal(400, INVALID_JSON, f"The body is nested deeper than {MAX_DEPTH}.")
    return value


async def count_parts(text: str, few: int = MAX_PARTS) -> int:
    """Count the parts of a JSON text; where they are few, those in texts may be counted too."""
    count = _separators(text)
    if count <= few:
        return count
    plain = text.replace("\\\\", "").replace('\\"', "")
    count = inside = 0
    for start in range(0, len(plain), _PIECE):
        parts = plain[start : start + _PIECE].split('"')
        count += _separators("".join(parts[inside::2]))
        inside = (inside + len(parts) - 1) % 2
        await asyncio.sleep(0)
    return count


def _separators(text: str) -> int:
    return sum(text.count(mark) for mark in ",:[{")


async def _bounded(request: Request, limit: int) -> bytes:
    """The body's bytes, given up as soon as they pass the limit."""
    parts: list[bytes] = []
    size = 0
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        size = int(declared)
    else:
        async for part in request.stream():
            size += len(part)
            if size > limit:
                break
            parts.append(part)
    if size > limit:
        raise Refusal(
            413,
            BODY_TOO_LARGE,
            f"The body is larger than {limit} bytes.",
            headers={"connection": "close"},
            limit=limit,
        )
    return b"".join(parts)


def _deeper_than(value: Any, limit: int) -> bool:
    """Whether a JSON value nests deeper; later readers and writers may recurse over it."""
    level = [value]
    for _ in range(limit):
        level = [
            child
            for item in level
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:20]} is larger than any number")  # it would be sent as Infinity
    return number


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")
