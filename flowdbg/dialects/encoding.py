"""How the server side writes JSON: compact, readable, and never in a way that UTF-8 refuses."""

from __future__ import annotations

import json
from typing import Any

_ascii = json.JSONEncoder(separators=(",", ":"))
_readable = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


def json_bytes(value: Any) -> bytes:
    """A value as UTF-8 JSON without white space; lone surrogates are written as escapes."""
    try:
        return _readable.encode(value).encode()
    except UnicodeEncodeError:
        return _ascii.encode(value).encode()
