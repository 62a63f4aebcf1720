r"""JSON text laid out for reading and editing, without touching a single token of it.

Numbers, escapes and duplicate keys stay as they were written; only white space between tokens
changes, and characters that must not reach a terminal become `\uNNNN` escapes, which mean the same.
"""

from __future__ import annotations

import re

from flowdbg.present.safe_text import UNSAFE

_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)


def pretty(text: str, indent: str = "  ") -> str:
    """Lay out one JSON value over lines; text that is not JSON comes out nearly as it was."""
    parts: list[str] = []
    depth = 0
    previous = ""
    for match in _PIECE.finditer(text):
        piece = match.group()
        if piece in ("}", "]"):
            depth = max(depth - 1, 0)
            if previous not in ("{", "["):
                parts.append("\n" + indent * depth)
        elif previous in ("{", "["):
            parts.append("\n" + indent * depth)
        parts.append(piece)
        if piece in ("{", "["):
            depth += 1
        elif piece == ",":
            parts.append("\n" + indent * depth)
        elif piece == ":":
            parts.append(" ")
        previous = piece
    return UNSAFE.sub(_escape, "".join(parts))


def compact(text: str) -> str:
    """Take the white space between the tokens of JSON text away."""
    return "".join(_PIECE.findall(text))


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code <= 0xFFFF:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
