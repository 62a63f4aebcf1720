"""Members of a server's JSON object, read tolerantly: a wrong type is as good as a missing one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flowdbg.core.json_text import JsonText, Span, members
from flowdbg.errors import ProtocolViolation

Members = Mapping[str, Span]

CHECK_URL: Final = "Check that the URL is the API's."
"""What to do about an answer that the protocol does not allow."""


def object_of(text: str, what: str) -> Members:
    """The members of a JSON object.

    Raises:
        ProtocolViolation: The text is none.
    """
    try:
        return members(text)
    except ValueError as error:
        raise ProtocolViolation(f"The server's {what} is {error}.", CHECK_URL) from error


def value_at(found: Members, name: str) -> Any:
    """A member's value; None when it is missing."""
    span = found.get(name)
    return span.value if span else None


def text_at(found: Members, name: str) -> str:
    """A member that holds text; empty when it does not."""
    value = value_at(found, name)
    return value if isinstance(value, str) else ""


def integer_at(found: Members, name: str) -> int | None:
    """A member that holds a whole number; None when it does not."""
    value = value_at(found, name)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def json_at(text: str, found: Members, name: str) -> JsonText | None:
    """A member as the text it came in; None when it is missing or null."""
    span = found.get(name)
    if span is None or span.value is None:
        return None
    return JsonText(text[span.start : span.end], span.value)


def message_of(error: Any) -> str:
    """The words of an error: a text, or an object with a message or a code."""
    if isinstance(error, Mapping):
        error = error.get("message") or error.get("code") or JsonText.of(error).text
    return error if isinstance(error, str) else ""


def required_at(found: Members, name: str) -> str:
    """A member that must hold text.

    Raises:
        ProtocolViolation: It does not.
    """
    value = text_at(found, name)
    if not value:
        raise ProtocolViolation(f"The server's answer has no {name}.", CHECK_URL)
    return value
