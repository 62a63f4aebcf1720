"""What a server answered: a JSON value, or an error in words a person can act on."""

from __future__ import annotations

import email.utils
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from flowdbg.core.json_text import JsonText
from flowdbg.errors import (
    AuthenticationFailed,
    FlowNotFound,
    ProtocolViolation,
    RateLimited,
    Refused,
    ServerFailed,
)
from flowdbg.transport.excerpt import excerpt

EVENT_STREAM = "text/event-stream"
NO_CONTENT = frozenset({204, 205})
_STEP_IN_DOUBT = "Whether the step ran is not known; nothing was sent again."
_WORK_IN_DOUBT = "Whether the server did it is not known; nothing was sent again."
_ONLY_ASKED = "It was only a question, so nothing ran or changed; ask again."
_CHECK_ADDRESS = "Check that the address is that of a flow server."
_SECONDS = re.compile(r"\d{1,9}(?:\.\d+)?")


class Answer(NamedTuple):
    """A successful answer that carries JSON."""

    status: int
    value: Any
    """The JSON value; None for an answer without content."""
    headers: Mapping[str, str]
    """Lower-case names; without cookies."""
    text: str


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """An answer with an error status; its text is capped and holds no secret that was sent."""

    method: str
    path: str
    """Without its query."""
    status: int
    reason: str
    """The server's own words for the status, printable; may be empty."""
    text: str
    value: Any
    """The JSON value of the body; None when it is none, or was longer than the cap."""
    request_id: str
    retry_after: float | None
    """Seconds, when the server named them or a date."""

    @property
    def message(self) -> str:
        """The server's message, else the beginning of the body; printable and short."""
        return excerpt(_message(self.value) or self.text)

    def refused(
        self,
        kind: type[Refused] | None = None,
        what: str = "",
        next_step: str = "",
        *,
        code: str = "",
        detail: Mapping[str, Any] | None = None,
    ) -> Refused:
        """The error to raise for this answer; everything left out is filled in."""
        message = self.message
        status = f"{self.status} {self.reason}".rstrip()
        what = what or f"{self.method} {self.path} was refused with status {status}" + (
            f": {message}" if message else "."
        )
        return (kind or _kind(self.status))(
            what,
            next_step or self._next_step(),
            status=self.status,
            code=code,
            detail=detail,
            request_id=self.request_id,
            retry_after=self.retry_after,
        )

    def _next_step(self) -> str:
        named = f" (request {self.request_id})" if self.request_id else ""
        if self.status in {401, 403}:
            return "Check the API key."
        if self.status == 404:
            return "Check the address of the server and of the flow."
        if self.status == 429:
            wait = "a while" if self.retry_after is None else f"{self.retry_after:g} seconds"
            return f"Wait {wait} and try again."
        if self.status >= 500:
            return f"The fault is the server's{named}; look at its log or try again later."
        return f"The server names this request {self.request_id}." if self.request_id else ""


def explain_plainly(answer: ErrorAnswer) -> Refused:
    """An error from the common shapes of a body: `detail` or `error` with code and message."""
    value = answer.value
    nested = value.get("detail", value.get("error")) if isinstance(value, dict) else None
    detail = nested if isinstance(nested, dict) else None
    code = (detail or (value if isinstance(value, dict) else {})).get("code")
    return answer.refused(code=code if isinstance(code, str) else "", detail=detail)


def not_a_stream(status: int, content_type: str, text: str) -> ProtocolViolation:
    """The error for a successful answer that is no event stream."""
    if status in NO_CONTENT:
        return ProtocolViolation(
            f"The server answered with status {status}, which has no content, "
            "where an event stream was expected.",
            _CHECK_ADDRESS,
        )
    return ProtocolViolation(
        f"The server answered with {_description(content_type)} "
        f"where an event stream was expected{_quote(text)}",
        _CHECK_ADDRESS,
    )


def json_answer(status: int, headers: Mapping[str, str], text: str) -> Answer:
    """The answer's JSON value.

    Raises:
        ProtocolViolation: There is no content, or it is not JSON.
    """
    if status in NO_CONTENT:
        raise ProtocolViolation(
            f"The server answered with status {status}, which has no content, "
            "where JSON was expected.",
            _CHECK_ADDRESS,
        )
    content_type = headers.get("content-type", "")
    kind = media_type(content_type)
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise ProtocolViolation(
            f"The server answered with {_description(content_type)} "
            f"where JSON was expected{_quote(text)}",
            _CHECK_ADDRESS,
        )
    body = JsonText(text)
    if body.problem:
        raise ProtocolViolation(
            f"The server's answer is {body.problem}{_quote(text)}",
            _CHECK_ADDRESS,
        )
    return Answer(status, body.value, headers, text)


def when_lost(method: str, accept: str) -> str:
    """What is known of the server's doing when a request left and no whole answer came."""
    if method == "GET":
        return _ONLY_ASKED
    return _STEP_IN_DOUBT if accept == EVENT_STREAM else _WORK_IN_DOUBT


def media_type(content_type: str) -> str:
    """The type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def retry_after(value: str) -> float | None:
    """Seconds from a `Retry-After` header: a number or a date; None when it is neither."""
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    try:
        when = email.utils.parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return None
    return max(0.0, when - time.time())


def _kind(status: int) -> type[Refused]:
    if status in {401, 403}:
        return AuthenticationFailed
    if status >= 500:
        return ServerFailed
    return {404: FlowNotFound, 429: RateLimited}.get(status, Refused)


def _message(value: Any) -> str:
    """The message in an error body: in `detail`, `error` or at the top."""
    for _ in range(3):
        if isinstance(value, str):
            return value
        if not isinstance(value, dict):
            return ""
        value = next((value[key] for key in ("message", "detail", "error") if key in value), None)
    return ""


def _description(content_type: str) -> str:
    kind = media_type(content_type)
    if not kind:
        return "content of no stated type"
    if kind in {"text/html", "application/xhtml+xml"}:
        return "an HTML page (perhaps a login page or a proxy's)"
    return "JSON" if kind == "application/json" else f"content of type {excerpt(kind, 60)!r}"


def _quote(text: str) -> str:
    shown = excerpt(text)
    return f": {shown}" if shown else "; it is empty."
