"""Secrets taken out of text, by value and by name, where data leaves.

Payloads are stored as they came, because they are sent again; what goes to a log, an error
message, an export or a screenshot passes through here first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

MARK = "[redacted]"

_SHORTEST = 6
"""Shorter values are not searched for: they would be found in innocent text."""

_WORDS = (
    r"(?:authorization|cookie|api[_-]?key|(?:access|refresh|auth|id|session|bearer)[_-]?token|token|"
    r"(?:client|shared)[_-]?secret|secret|password|passwd|passphrase|private[_-]?key|credentials?)"
)
"""How the names of headers and fields end that hold secrets; `tokens` is not among them."""

_SECRET_NAME = re.compile(rf"(?:.*[_-])?{_WORDS}", re.IGNORECASE)
_HEADER_LINE = re.compile(
    r"^([ \t<>]*(?:(?:proxy-)?authorization|(?:set-)?cookie)[ \t]*:[ \t]*)\S.*$",
    re.IGNORECASE | re.MULTILINE,
)
_NAMED_VALUE = re.compile(
    rf"((?<![a-z0-9]){_WORDS}[\"']?[ \t]*[:=][ \t]*[\"']?)(?!(?:null|true|false|\d+)\b)"
    r"((?:(?:bearer|basic|token)[ \t]+)?[^\s\"',;&<>{}()\[\]]{4,})",
    re.IGNORECASE,
)
_KEY_SHAPE = re.compile(
    r"\b(?:nk_(?:live|test)_|ghp_|xox[abp]-)[\w-]{8,}|\bsk-[\w-]{16,}|\bbearer [\w.~+/=-]{8,}",
    re.IGNORECASE,
)


def is_secret_name(name: str) -> bool:
    """Whether a header or field of this name holds a secret."""
    return _SECRET_NAME.fullmatch(name) is not None


def secret_values(headers: Mapping[str, str]) -> tuple[str, ...]:
    """The secrets among headers: whole values, and the credential behind a scheme's name."""
    found: set[str] = set()
    for name, value in headers.items():
        if is_secret_name(name):
            found.update((value, value.rpartition(" ")[2]))
    return tuple(found)


class Redactor:
    """Replaces known secrets, and what looks like one, by a mark."""

    __slots__ = ("_known",)

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        longest_first = sorted({s for s in secrets if len(s) >= _SHORTEST}, key=len, reverse=True)
        pattern = "|".join(map(re.escape, longest_first))
        self._known = re.compile(pattern) if pattern else None

    def values(self, text: str) -> str:
        """The text without the known secrets; JSON stays JSON."""
        return self._known.sub(MARK, text) if self._known is not None else text

    def text(self, text: str) -> str:
        """The text without the known secrets, named values and strings shaped like a key."""
        text = _HEADER_LINE.sub(_marked, self.values(text))
        return _KEY_SHAPE.sub(MARK, _NAMED_VALUE.sub(_marked, text))


def _marked(match: re.Match[str]) -> str:
    return match[1] + MARK
