"""How the server side writes JSON and times: compact, and never in a way that UTF-8 refuses."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

_ascii = json.JSONEncoder(separators=(",", ":"))
_readable = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


def json_bytes(value: Any) -> bytes:
    """A value as UTF-8 JSON without white space; lone surrogates are written as escapes."""
    try:
        return _readable.encode(value).encode()
    except UnicodeEncodeError:
        return _ascii.encode(value).encode()


def timestamp(seconds: float) -> str:
    """A time (seconds since the epoch) as ISO 8601 in UTC, milliseconds, ending in `Z`."""
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"
