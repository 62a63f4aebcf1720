"""What every client of the dialect shares: its headers, its errors, and the events of an answer.

Protocol sections 1.2, 1.3, 5.1 and 11.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from flowdbg.core.events import Received
from flowdbg.dialects.noukai import wire
from flowdbg.dialects.noukai.codes import CODES, meaning_of
from flowdbg.dialects.noukai.decode import decode
from flowdbg.errors import Interrupted, Refused, ServerFailed
from flowdbg.transport.answers import Answer, ErrorAnswer
from flowdbg.transport.client import HttpClient
from flowdbg.transport.stream import EventStream
from flowdbg.transport.timeouts import DEFAULT_LIMITS, Limits

_NO_ROUTE = frozenset({400, 404, 405, 422, 501})
"""Statuses that may mean that a server has no such route."""


def client_of(
    url: str,
    key: Callable[[], str],
    explain: Callable[[ErrorAnswer], Refused],
    limits: Limits = DEFAULT_LIMITS,
) -> HttpClient:
    """A client of one server; `key` is called for each request, and nobody keeps what it gives."""

    def headers() -> dict[str, str]:
        version = {"X-Noukai-API-Version": wire.API_VERSION}
        found = key()
        return {**version, "Authorization": f"Bearer {found}"} if found else version

    return HttpClient(
        url,
        headers=headers,
        timeouts=limits.timeouts,
        explain=explain,
        max_event_bytes=limits.max_event_bytes,
    )


async def get_plan(client: HttpClient, flow: str) -> Answer | None:
    """The plan of a flow's path, from the embedded server's own route; None on other servers.

    Raises:
        TargetError: The server could not be asked, or refuses for a reason of the protocol's.
    """
    try:
        return await client.get_json(f"{flow}/plan")
    except Refused as error:
        if error.status in _NO_ROUTE and error.code not in CODES:
            return None
        if isinstance(error, ServerFailed):
            error.next_step = "Look at the server's log, and try again; nothing was run."
        raise


async def batches(stream: EventStream, next_step: str) -> AsyncIterator[list[Received]]:
    """The stream's events, decoded, in the groups they come in.

    Raises:
        Interrupted: It ends in the middle of one; `next_step` is what to do then.
        TargetError: The stream broke.
    """
    async for events in stream.batches():
        yield [decode(event.event, event.data) for event in events]
    if stream.tail.strip():
        raise Interrupted(
            "The stream ended in the middle of an event.",
            next_step,
            tail=stream.tail[:2000].decode("utf-8", "replace"),
        )


def explain(answer: ErrorAnswer) -> Refused:
    """Turn an error answer into an error that says what to do in the debugger (section 11)."""
    detail = answer.value.get("detail") if isinstance(answer.value, dict) else None
    code, message = "", answer.message
    if isinstance(detail, dict):
        code = detail["code"] if isinstance(detail.get("code"), str) else ""
    elif isinstance(detail, list):
        message = "; ".join(_validation(item) for item in detail[:5])
    meaning = meaning_of(answer.status, code)
    named = f" {code}" if code else ""
    return answer.refused(
        meaning.kind,
        f"The server answered {answer.status}{named}: {message or 'it gave no reason'}",
        meaning.next_step,
        code=code,
        detail=detail if isinstance(detail, dict) else None,
    )


def explain_to_commands(answer: ErrorAnswer) -> Refused:
    """As `explain`, in the words of the commands outside of the debugger."""
    error = explain(answer)
    error.next_step = meaning_of(answer.status, error.code).for_commands
    if error.retry_after is not None:
        unit = "second" if error.retry_after == 1 else "seconds"
        error.next_step = f"Wait {error.retry_after:g} {unit} and try again."
    return error


def _validation(item: Any) -> str:
    """One entry of a FastAPI validation error."""
    if not isinstance(item, dict):
        return str(item)
    found = item.get("loc")
    place = ".".join(str(part) for part in found) if isinstance(found, list) else "the request"
    return f"{place}: {item.get('msg', 'is wrong')}"
