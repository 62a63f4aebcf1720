"""Whole answers: when to come back, what to do next, and what was sent instead of JSON."""

from __future__ import annotations

import email.utils
import time

import pytest

from flowdbg.errors import ProtocolViolation, Refused, ServerFailed
from flowdbg.transport.answers import ErrorAnswer, explain_plainly, json_answer, retry_after


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("0", 0.0), ("7", 7.0), (" 1.5 ", 1.5), ("-3", None), ("soon", None), ("nan", None),
     ("1e3", None), ("", None), ("9" * 400, None), ("Mon, 99 Foo 2020", None)],
)  # fmt: skip
def test_a_wait_is_a_plain_number_of_seconds(value: str, seconds: float | None) -> None:
    assert retry_after(value) == seconds


def test_a_wait_can_be_a_date() -> None:
    later = retry_after(email.utils.formatdate(time.time() + 100, usegmt=True))
    assert later is not None
    assert 90 < later <= 100
    assert retry_after("Fri, 01 Jan 2021 00:00:00 GMT") == 0.0


def refusal(status: int, request_id: str = "", retry_after: float | None = None) -> Refused:
    return explain_plainly(
        ErrorAnswer("POST", "/step", status, "Reason", "", None, request_id, retry_after)
    )


def test_every_status_says_what_to_do_next() -> None:
    assert "API key" in refusal(401).next_step
    assert "address" in refusal(404).next_step
    assert refusal(429).next_step == "Wait a while and try again."
    assert refusal(429, retry_after=3).next_step == "Wait 3 seconds and try again."
    assert "(request r-1)" in refusal(503, "r-1").next_step
    assert refusal(409, "r-1").next_step == "The server names this request r-1."
    assert refusal(409).next_step == ""
    assert str(refusal(409)) == "POST /step was refused with status 409 Reason."
    assert type(refusal(599)) is ServerFailed


def test_json_in_another_dress_is_refused() -> None:
    with pytest.raises(ProtocolViolation, match=r"content of type 'text/plain' where JSON"):
        json_answer(200, {"content-type": "text/plain"}, "{}")
