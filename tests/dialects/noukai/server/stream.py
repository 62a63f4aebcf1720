"""A strict reader of the step stream, for tests: what the protocol page demands, and no more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx

from tests.dialects.noukai.server import http

Event = dict[str, Any]


def read_events(body: bytes) -> list[Event]:
    """The events of a whole stream; fails on any framing the page does not allow."""
    return list(_frames(body))


def _frames(body: bytes) -> Iterator[Event]:
    assert b"\r" not in body
    assert body.endswith(b"\n\n")
    for frame in body[:-2].split(b"\n\n"):
        if frame == b": ping":
            continue
        head, data = frame.split(b"\n")
        assert head.startswith(b"event: ")
        assert data.startswith(b"data: ")
        event = json.loads(data[6:])
        assert event["eventType"] == head[7:].decode()
        yield event


def step(
    base: str, flow: str, /, *, headers: dict[str, str] | None = None, **body: Any
) -> list[Event]:
    """Post `/step` and return the events of a 200."""
    answer = post_step(base, flow, headers=headers, **body)
    assert answer.status_code == 200, answer.text
    return read_events(answer.content)


def post_step(
    base: str, flow: str, /, *, headers: dict[str, str] | None = None, **body: Any
) -> httpx.Response:
    """Post `/step` and return the answer, whatever it is."""
    text = json.dumps(body)
    return http.post(f"{base}/seq/{flow}/step", content=text, headers=headers)


def names(events: list[Event]) -> list[str]:
    """The types of the events, in order."""
    return [event["eventType"] for event in events]


def only(events: list[Event], name: str) -> Event:
    """The one event of a type."""
    (found,) = [event for event in events if event["eventType"] == name]
    return found


def code_of(answer: httpx.Response) -> str:
    """The code of a refusal; its envelope is checked."""
    detail = answer.json()["detail"]
    assert isinstance(detail["message"], str)
    assert detail["message"]
    assert answer.headers["x-request-id"]
    code = detail["code"]
    assert isinstance(code, str)
    return code
