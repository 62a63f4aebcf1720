"""Members of a server's JSON object, read tolerantly: a wrong type is as good as a missing one.

Names are spelled in camel case; a server that writes them in snake case is read all the same
(sections 3 and 17.23).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from flowdbg.core.events import Path
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


def span_at(found: Members, name: str) -> Span | None:
    """A member, in either spelling of its name."""
    span = found.get(name)
    return span if span is not None or name.islower() else found.get(_snake_case(name))


def value_at(found: Members, name: str) -> Any:
    """A member's value; None when it is missing."""
    span = span_at(found, name)
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
    span = span_at(found, name)
    if span is None or span.value is None:
        return None
    return JsonText(text[span.start : span.end], span.value)


def path_at(found: Members) -> Path:
    """Where inside a step something is (the embedded server's extension); `()` when not told."""
    value = value_at(found, "path")
    if not isinstance(value, list):
        return ()
    return tuple(part for part in value if isinstance(part, str | int))


def required_at(found: Members, name: str) -> str:
    """A member that must hold text.

    Raises:
        ProtocolViolation: It does not.
    """
    value = text_at(found, name)
    if not value:
        raise ProtocolViolation(f"The server's answer has no {name}.", CHECK_URL)
    return value


def message_of(error: Any) -> str:
    """The words of an error: a text, or an object with a message or a code."""
    if isinstance(error, Mapping):
        error = error.get("message") or error.get("code") or JsonText.of(error).text
    return error if isinstance(error, str) else ""


@lru_cache(maxsize=256)
def _snake_case(name: str) -> str:
    return re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", name)
