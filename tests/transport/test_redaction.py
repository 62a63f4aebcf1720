"""Secrets are taken out by value and by name, and innocent text stays as it is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdbg.core.redaction import MARK, Redactor, is_secret_name, secret_values

CANARY = "canary-4711-secret"


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {CANARY}",
        f"authorization: {CANARY}",
        f"Proxy-Authorization: Basic {CANARY}",
        f"Cookie: a={CANARY}; b={CANARY}",
        f"> Set-Cookie: session={CANARY}; HttpOnly",
        f"x-api-key: {CANARY}",
        f"api_key={CANARY}&page=2",
        f"https://host/path?access_token={CANARY}&x=1",
        json.dumps({"password": CANARY, "n": 1}),
        json.dumps({"OPENAI_API_KEY": CANARY}),
        f"client_secret = '{CANARY}'",
        f"the token: {CANARY}",
        "nk_live_Ab12CdEf_canary0canary0canary0canary0",
        "sk-proj-canary0canary0canary0",
        "sent Bearer canary0canary0 in vain",
    ],
)
def test_what_is_named_or_shaped_like_a_secret_is_taken_out(text: str) -> None:
    redacted = Redactor().text(text)
    assert "canary" not in redacted
    assert MARK in redacted


@pytest.mark.parametrize(
    "text",
    [
        '{"tokens": {"input": 1200, "output": 340}, "max_tokens": 1000}',
        "The step used 1500 tokens: 1200 in, 300 out.",
        "Passwords are asked for later.",
        "task-force-of-the-ministry sk-learn",
        '{"token": null, "secret": true, "session_token": 12345}',
        "the cookie was eaten",
    ],
)
def test_innocent_text_stays(text: str) -> None:
    assert Redactor().text(text) == text


def test_known_values_are_found_anywhere_and_the_longest_first() -> None:
    redactor = Redactor([CANARY, f"Bearer {CANARY}", "short"])
    assert redactor.values(f"x{CANARY}y Bearer {CANARY} short") == f"x{MARK}y {MARK} short"


def test_json_stays_json_when_known_values_are_taken_out() -> None:
    text = json.dumps({"echo": f"Bearer {CANARY}", "n": 1})
    assert json.loads(Redactor([CANARY]).values(text)) == {"echo": f"Bearer {MARK}", "n": 1}


def test_the_secrets_of_headers_are_whole_values_and_bare_credentials() -> None:
    headers = {"Authorization": f"Bearer {CANARY}", "Accept": "text/html", "X-Api-Key": "k"}
    assert set(secret_values(headers)) == {f"Bearer {CANARY}", CANARY, "k"}


@pytest.mark.parametrize(
    ("name", "secret"),
    [("Authorization", True), ("x-api-key", True), ("Set-Cookie", True), ("refresh_token", True),
     ("max_tokens", False), ("tokens", False), ("content-type", False), ("X-Session-Id", False)],
)  # fmt: skip
def test_names_say_what_is_secret(name: str, secret: bool) -> None:
    assert is_secret_name(name) is secret


def test_a_redactor_does_not_show_what_it_looks_for() -> None:
    assert CANARY not in repr(Redactor([CANARY]))


@given(
    st.text(max_size=30), st.text(max_size=30), st.text("abc123-_.~+/= ", min_size=6, max_size=20)
)
def test_a_known_value_never_stays(before: str, after: str, secret: str) -> None:
    assert secret not in Redactor([secret]).text(f"{before}\u2603{secret}\u2603{after}")


@pytest.mark.parametrize("piece", ["a-", "token", "api_key=", '"', "token ", "bearer "])
def test_hostile_text_is_gone_through_in_one_go(piece: str) -> None:
    redacted = Redactor([CANARY]).text(piece * 100_000)  # a quadratic pattern would take minutes
    assert redacted.endswith((piece, MARK))
