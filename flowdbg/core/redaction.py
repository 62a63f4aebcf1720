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

_SECRET_NAME = re.compile(
    r"(?:[\w-]*[_-])?(?:authorization|cookie|api[_-]?key|(?:access|refresh|auth|id|session|bearer)"
    r"[_-]?token|token|secret|password|passwd|passphrase|private[_-]?key|credentials?)",
    re.IGNORECASE,
)
"""Names of headers and fields that hold secrets; `tokens` and `max_tokens` are no secrets."""

_NAMED_VALUE = re.compile(
    rf"(\b{_SECRET_NAME.pattern}[\"']?[ \t]*[:=][ \t]*[\"']?)"
    r"((?:(?:bearer|basic|token)[ \t]+)?[^\s\"',;&<>{}()\[\]]{4,})",
    re.IGNORECASE,
)
_KEY_SHAPE = re.compile(
    r"\b(?:nk_(?:live|test)_|sk-|ghp_|xox[abp]-)[\w-]{8,}|\bbearer [\w.~+/=-]{8,}", re.IGNORECASE
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
        text = _NAMED_VALUE.sub(lambda match: match[1] + MARK, self.values(text))
        return _KEY_SHAPE.sub(MARK, text)
