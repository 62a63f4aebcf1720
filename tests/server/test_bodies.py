"""Request bodies: how much they may hold, and that nothing else is refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdbg.dialects.bodies import MAX_PARTS, count_parts
from tests.dialects.noukai.server import http
from tests.dialects.noukai.server.stream import code_of, only, read_events
from tests.flows import THREE_STEP
from tests.serving import Running, running_server, write_flows

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(alphabet=st.sampled_from('a"\\\\,[{é\ud800\n')),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(alphabet='",[{\\\\x'), inner),
    max_leaves=30,
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = write_flows(tmp_path_factory.mktemp("flows"), THREE_STEP)
    with running_server([folder], folder / "server.db") as running:
        yield running


def post(server: Running, body: bytes) -> httpx.Response:
    return http.post(f"{server.base}/seq/acme/demo/three-step/step", content=body)


def parts(value: Any) -> int:
    """How many commas, colons and opening brackets a JSON value is written with."""
    if not isinstance(value, (dict, list)):
        return 0
    inner = list(value.values()) if isinstance(value, dict) else value
    colons = len(value) if isinstance(value, dict) else 0
    return 1 + max(len(inner) - 1, 0) + colons + sum(parts(item) for item in inner)


@given(JSON, st.booleans(), st.integers(1, 40))
def test_parts_are_counted_without_what_stands_in_texts(
    value: Any, ascii_only: bool, piece: int
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flowdbg.dialects.bodies._PIECE", piece)
        assert asyncio.run(count_parts(text, few=-1)) == parts(value)


@pytest.mark.parametrize("item", [b"[]", b'""', b"1", b'{"a":1}', b"null"])
def test_a_body_of_too_many_parts_is_refused(server: Running, item: bytes) -> None:
    items = b",".join([item] * (MAX_PARTS + 1))
    answer = post(server, b'{"stepIndex":0,"message":"m","parameters":{"x":[' + items + b"]}}")
    assert (answer.status_code, code_of(answer)) == (413, "BODY_TOO_LARGE")
    assert str(MAX_PARTS) in answer.json()["detail"]["message"]


def test_what_a_long_text_is_made_of_does_not_count(server: Running) -> None:
    message = 'Well, "yes": [or] {no}, \\' * 250_000
    answer = post(server, json.dumps({"stepIndex": 0, "message": message}).encode())
    assert answer.status_code == 200
    asked = only(read_events(answer.content), "step_input")
    assert asked["inputData"]["message"] == message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_every_encoding_of_json_is_read_and_bounded(server: Running, encoding: str) -> None:
    text = '{"stepIndex":0,"message":"\u2200\u0122","parameters":{"x":[%s]}}'
    answer = post(server, (text % "1").encode(encoding))
    assert answer.status_code == 200
    answer = post(server, (text % ("1," * MAX_PARTS + "1")).encode(encoding))
    assert (answer.status_code, code_of(answer)) == (413, "BODY_TOO_LARGE")


@pytest.mark.parametrize(
    ("depth", "status"),
    [(198, 200), (199, 400), (100_000, 400)],
)
def test_a_body_may_be_nested_so_deep_and_no_deeper(
    server: Running, depth: int, status: int
) -> None:
    nested = b"[" * depth + b"]" * depth
    answer = post(server, b'{"stepIndex":0,"message":"m","parameters":{"x":' + nested + b"}}")
    assert answer.status_code == status, answer.text
