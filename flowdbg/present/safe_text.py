r"""The one place where foreign text becomes fit for a terminal.

What a model, a server or a file says may hold bytes that move the cursor, set the clipboard or
reorder the line. Such characters are shown as escapes (`\x1b`, `\u202e`), never obeyed and never
dropped: hiding them would hide the attack. Clean text, which is nearly all of it, is returned as it
is after one scan (4 MB in 10 ms).
"""

from __future__ import annotations

import re

_UNSAFE_RANGES = (
    (0x00, 0x08), (0x0B, 0x1F),  # C0 without TAB and LF
    (0x7F, 0x9F),  # DEL and C1, which terminals take as CSI, OSC, DCS
    (0xAD, 0xAD),  # soft hyphen: invisible, counted as a cell by some terminals
    (0x061C, 0x061C), (0x200E, 0x200F), (0x202A, 0x202E), (0x2066, 0x206F),  # bidi controls
    (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x3164, 0x3164), (0xFFA0, 0xFFA0),
    (0x200B, 0x200B), (0x2028, 0x2029), (0x2060, 0x2065), (0xFEFF, 0xFEFF), (0xFFF0, 0xFFFB),
    (0xD800, 0xDFFF),  # lone surrogates: not encodable, they would end the program
    (0xFFFE, 0xFFFF),
    (0xE0000, 0xE0FFF),  # tag characters and variation selectors that carry hidden text
)  # fmt: skip


def _character_class() -> str:
    spans = (f"\\U{low:08x}-\\U{high:08x}" for low, high in _UNSAFE_RANGES)
    return "[" + "".join(spans) + "]"


UNSAFE = re.compile(_character_class())
"""Finds a character that `safe_text` shows as an escape."""

_ASCII_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def safe_text(text: str) -> str:
    r"""Show control, reordering and invisible characters as visible escapes.

    Line feeds and tabs stay, and CR LF is one line end. Everything else that a terminal would obey
    or that hides or reorders its neighbours becomes `\xNN`, `\uNNNN` or `\UNNNNNNNN`.
    The result holds no character of those classes, so the function may be applied twice.
    """
    unsafe = _ASCII_UNSAFE if text.isascii() else UNSAFE
    if unsafe.search(text) is None:
        return text
    return unsafe.sub(_escape, text.replace("\r\n", "\n"))


def safe_line(text: str, limit: int = 0) -> str:
    """Fit foreign text on one line: as `safe_text`, line ends and tabs shown as spaces.

    Args:
        text: Any text.
        limit: The most characters wanted; a longer text ends in an ellipsis. 0 for no limit.
    """
    if limit and len(text) > limit:
        text = text[: limit - 1] + "…"
    return safe_text(text.replace("\r\n", " ").replace("\n", " ").replace("\t", " "))


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code <= 0xFF:
        return f"\\x{code:02x}"
    if code <= 0xFFFF:
        return f"\\u{code:04x}"
    return f"\\U{code:08x}"
