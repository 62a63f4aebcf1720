"""Answers that are no event stream, told in words (rows 7 to 11, 24, 25)."""

from __future__ import annotations

import pytest

from flowdbg.errors import (
    AuthenticationFailed,
    FlowNotFound,
    ProtocolViolation,
    RateLimited,
    Refused,
    ServerFailed,
)
from tests.faults.posting import (
    PAUSED,
    STARTED,
    post_against,
)
from tests.faults.server import (
    CLOSE,
    HANG,
    Drip,
    FaultServer,
    Script,
    answer,
    answer_json,
    head,
)


# 7
async def test_a_failing_server_shows_status_message_and_request_id() -> None:
    body = {"detail": {"code": "INTERNAL_ERROR", "message": "the database is away"}}
    outcome = await post_against(answer_json(500, body, x_request_id="req-7"))
    assert type(outcome.error) is ServerFailed
    assert outcome.error.status == 500
    assert outcome.error.code == "INTERNAL_ERROR"
    assert outcome.error.request_id == "req-7"
    assert "the database is away" in str(outcome.error)
    assert "req-7" in str(outcome.error)


async def test_a_long_hostile_error_page_is_cut_and_made_safe() -> None:
    page = ("\x1b]0;pwned\x07\u202e<h1>Bad gateway</h1>" + "x" * 100_000).encode()
    outcome = await post_against(answer(502, "text/html", page))
    assert type(outcome.error) is ServerFailed
    text = str(outcome.error)
    assert "Bad gateway" in text
    assert text.isprintable()
    assert len(text) < 450


async def test_an_error_body_that_never_ends_does_not_hold_up_its_status(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("flowdbg.transport.exchange._ERROR_BODY_SECONDS", 0.1)
    outcome = await post_against([head(503, "text/plain", content_length="99"), b"down", HANG])
    assert type(outcome.error) is ServerFailed
    assert "down" in str(outcome.error)


async def test_an_error_body_without_end_is_not_kept_whole() -> None:
    script: Script = [
        head(500, "text/plain", connection="close"),
        Drip(b"x" * 65536, 65536, 0.0, None),
    ]
    outcome = await post_against(script)
    assert type(outcome.error) is ServerFailed


async def test_an_error_body_cut_off_still_says_its_status() -> None:
    outcome = await post_against([head(500, "text/plain", content_length="99"), b"half", CLOSE])
    assert type(outcome.error) is ServerFailed
    assert "half" in str(outcome.error)


# 9
@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, Refused), (401, AuthenticationFailed), (403, AuthenticationFailed),
     (404, FlowNotFound), (409, Refused), (429, RateLimited), (503, ServerFailed)],
)  # fmt: skip
async def test_events_of_an_answer_with_an_error_status_are_never_delivered(
    status: int, kind: type[Refused]
) -> None:
    script: Script = [head(status, connection="close"), STARTED, PAUSED, CLOSE]
    outcome = await post_against(script)
    assert outcome.events == []
    assert type(outcome.error) is kind
    assert outcome.error.status == status


async def test_a_key_that_the_server_repeats_is_not_shown() -> None:
    said = {"detail": {"code": "X", "message": "bad key nk_live_canary0_secret", "key":
                       "Bearer nk_live_canary0_secret"}}  # fmt: skip
    outcome = await post_against(answer_json(401, said))
    assert isinstance(outcome.error, AuthenticationFailed)
    assert "bad key [redacted]" in str(outcome.error)
    assert "canary" not in str(outcome.error) + str(outcome.error.detail)


async def test_a_wait_that_the_server_asks_for_is_passed_on() -> None:
    outcome = await post_against(answer_json(429, {"detail": "slow down"}, retry_after="12.5"))
    assert isinstance(outcome.error, RateLimited)
    assert outcome.error.retry_after == 12.5
    assert "Wait 12.5 seconds" in str(outcome.error)


# 10
@pytest.mark.parametrize("status", [204, 205])
async def test_an_answer_without_content_is_no_empty_success(status: int) -> None:
    outcome = await post_against([head(status)])
    assert type(outcome.error) is ProtocolViolation
    assert f"status {status}, which has no content" in str(outcome.error)


# 11
@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("application/json", b'{"ok": true}', 'JSON where an event stream was expected: {"ok"'),
        ("text/html; charset=utf-8", b"<h1>Sign in</h1>", "an HTML page (perhaps a login page"),
        ("application/text/event-streamx", b"data: a\n\n", "content of type 'application/text/"),
        ("", b"data: a\n\n", "content of no stated type"),
        ("text/plain", b"", "it is empty"),
    ],
)
async def test_another_content_type_is_refused_with_the_beginning_of_the_body(
    content_type: str, body: bytes, text: str
) -> None:
    outcome = await post_against(answer(200, content_type, body))
    assert outcome.events == []
    assert type(outcome.error) is ProtocolViolation
    assert text in str(outcome.error)


@pytest.mark.parametrize(
    "content_type",
    ["TEXT/EVENT-STREAM", "text/event-stream;charset=utf-8", "text/event-stream ;x=y"],
)
async def test_the_content_type_is_compared_as_http_says(content_type: str) -> None:
    outcome = await post_against([head(200, content_type, connection="close"), PAUSED, CLOSE])
    assert outcome.names == ["step_paused"]


# 24, 25
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_of_a_post_is_shown_and_not_followed(status: int) -> None:
    async with FaultServer() as other:
        target = f"{other.url}/elsewhere?token=nk_live_canary0_secret"
        outcome = await post_against(answer(status, "text/plain", b"", location=target))
    assert isinstance(outcome.error, Refused)
    assert outcome.error.status == status
    assert f"redirected to {other.url}/elsewhere" in str(outcome.error)
    assert "canary" not in str(outcome.error)
    assert other.requests == []
