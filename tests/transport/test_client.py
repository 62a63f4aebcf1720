"""What the client sends, and what it makes of whole answers."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Mapping

import pytest

from flowdbg.errors import (
    EventTooLarge,
    FlowNotFound,
    ProtocolViolation,
    Refused,
    RequestTimedOut,
    StalePlan,
)
from flowdbg.transport.answers import ErrorAnswer
from flowdbg.transport.client import HttpClient
from tests.faults.server import (
    HANG,
    FaultServer,
    Script,
    answer,
    answer_json,
    head,
    sse,
    stream_of,
)

PAUSED = sse("step_paused", {"stepIndex": 0})


async def test_a_step_goes_out_once_with_exactly_its_body_and_headers() -> None:
    body = '{"message":"grüß dich"}'.encode()
    async with (
        FaultServer(stream_of(PAUSED)) as fault,
        HttpClient(f"{fault.url}/api/v1/", headers=lambda: {"Authorization": "Bearer k"}) as client,
        client.post_events("/seq/o/p/f/step", body, {"X-Session-Id": "s-1"}) as stream,
    ):
        assert [event.event async for event in stream] == ["step_paused"]
    (request,) = fault.requests
    assert (request.method, request.path) == ("POST", "/api/v1/seq/o/p/f/step")
    assert request.body == body
    agent = request.headers.pop("user-agent")
    assert agent.startswith("flowdbg/")
    assert request.headers == {
        "host": f"127.0.0.1:{fault.port}",
        "accept": "text/event-stream",
        "accept-encoding": "gzip, deflate",
        "authorization": "Bearer k",
        "content-length": str(len(body)),
        "content-type": "application/json",
        "x-session-id": "s-1",
    }


async def test_the_key_is_asked_for_at_each_sending_and_is_in_no_repr() -> None:
    keys = iter(["first", "second"])

    def headers() -> Mapping[str, str]:
        return {"authorization": next(keys)}

    async with (
        FaultServer(stream_of(PAUSED), stream_of(PAUSED)) as fault,
        HttpClient(fault.url, headers=headers) as client,
    ):
        for _ in range(2):
            stream = client.post_events("/step?key=hidden", b"{}")
            async with stream:
                pass
            assert "first" not in repr(client) + repr(vars(stream)) + repr(vars(stream._exchange))
    assert [request.headers["authorization"] for request in fault.requests] == ["first", "second"]


async def test_cookies_of_the_server_are_neither_kept_nor_shown() -> None:
    plan = answer_json(200, {}, set_cookie="session=canary")
    async with (
        FaultServer(stream_of(PAUSED), gets={"/plan": plan}) as fault,
        HttpClient(fault.url) as client,
    ):
        assert "set-cookie" not in (await client.get_json("/plan")).headers
        async with client.post_events("/step", b"{}"):
            pass
    assert all("cookie" not in request.headers for request in fault.requests)


async def test_json_comes_with_its_value_and_its_text() -> None:
    plan = answer(200, "application/json", b'{"steps": [], "n": 18446744073709551617}')
    async with FaultServer(gets={"/plan": plan}) as fault, HttpClient(fault.url) as client:
        got = await client.get_json("/plan")
    assert got.status == 200
    assert got.value == {"steps": [], "n": 18446744073709551617}
    assert got.text == '{"steps": [], "n": 18446744073709551617}'


@pytest.mark.parametrize("content_type", ["application/problem+json", ""])
async def test_json_is_taken_under_its_other_names(content_type: str) -> None:
    plan = answer(200, content_type, b"[1]")
    async with FaultServer(gets={"/plan": plan}) as fault, HttpClient(fault.url) as client:
        assert (await client.get_json("/plan")).value == [1]


@pytest.mark.parametrize(
    ("body", "text"),
    [(b"", "it is empty"), (b"{", "not JSON"), (b"[" * 100_000, "nested too deep")],
)
async def test_what_is_no_json_is_refused_with_the_reason(body: bytes, text: str) -> None:
    plan = answer(200, "application/json", body)
    async with FaultServer(gets={"/plan": plan}) as fault, HttpClient(fault.url) as client:
        with pytest.raises(ProtocolViolation, match=text):
            await client.get_json("/plan")


async def test_an_answer_without_content_counts_only_where_one_is_sent() -> None:
    empty = [head(204, "")]
    async with FaultServer(empty, gets={"/plan": empty}) as fault, HttpClient(fault.url) as client:
        assert (await client.send_json("DELETE", "/jobs/1", b"{}")).value is None
        with pytest.raises(ProtocolViolation, match="status 204"):
            await client.get_json("/plan")


async def test_a_huge_json_answer_is_refused_at_the_limit() -> None:
    plan = answer(200, "application/json", b'"' + b"y" * 5000 + b'"')
    async with (
        FaultServer(gets={"/plan": plan}) as fault,
        HttpClient(fault.url, max_event_bytes=1000) as client,
    ):
        with pytest.raises(EventTooLarge, match="larger than 1000 bytes"):
            await client.get_json("/plan")


async def test_a_plain_request_can_have_a_limit_for_the_whole_answer() -> None:
    async with FaultServer(gets={"/plan": [HANG]}) as fault, HttpClient(fault.url) as client:
        with pytest.raises(RequestTimedOut, match=r"no answer within 0\.1 seconds"):
            await client.get_json("/plan", timeout=0.1)


async def test_a_redirect_of_a_get_is_shown_and_not_followed() -> None:
    plan = answer(302, "text/html", b"", location="/login?next=plan")
    async with FaultServer(gets={"/plan": plan}) as fault, HttpClient(fault.url) as client:
        with pytest.raises(Refused, match="GET /plan was redirected to /login "):
            await client.get_json("/plan?key=1")
    assert len(fault.requests) == 1


async def test_a_dialect_explains_its_own_codes() -> None:
    def explain(refusal: ErrorAnswer) -> Refused:
        assert refusal.status == 400
        return refusal.refused(StalePlan, "The plan changed.", detail=refusal.value["detail"])

    stale = {"detail": {"code": "STALE_TREE", "message": "m", "steps": [{"stepId": "a"}]}}
    async with (
        FaultServer(answer_json(400, stale)) as fault,
        HttpClient(fault.url, explain=explain) as client,
    ):
        with pytest.raises(StalePlan, match="The plan changed") as caught:
            async with client.post_events("/step", b"{}"):
                pass
    assert caught.value.detail["steps"] == [{"stepId": "a"}]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            {"detail": {"code": "FLOW_NOT_FOUND", "message": "no such flow"}},
            "404 Scripted: no such",
        ),
        ({"detail": "no such flow"}, "404 Scripted: no such flow"),
        ({"error": {"message": "no such flow"}}, "404 Scripted: no such flow"),
        ({"error": "no such flow"}, "404 Scripted: no such flow"),
        ({"message": "no such flow"}, "404 Scripted: no such flow"),
        ({"detail": [{"loc": ["body"], "msg": "x"}]}, '404 Scripted: {"detail": [{"loc"'),
        ([], r"404 Scripted: []"),
    ],
)
async def test_the_message_is_found_in_every_common_shape(body: object, text: str) -> None:
    async with FaultServer(answer_json(404, body)) as fault, HttpClient(fault.url) as client:
        with pytest.raises(FlowNotFound) as caught:
            await client.send_json("POST", "/jobs", b"{}")
    assert text in str(caught.value)


async def test_a_client_can_be_used_again_after_closing() -> None:
    async with FaultServer(stream_of(PAUSED), stream_of(PAUSED)) as fault:
        client = HttpClient(fault.url)
        for _ in range(2):
            async with client.post_events("/step", b"{}") as stream:
                assert [event.event async for event in stream] == ["step_paused"]
            await client.aclose()
    assert fault.connections == 2


async def test_two_streams_run_at_the_same_time() -> None:
    both = asyncio.Event()
    script: Script = [head(connection="close"), both, PAUSED]
    async with (
        FaultServer(script, stream_of(PAUSED)) as fault,
        HttpClient(fault.url) as client,
        client.post_events("/step", b"{}") as slow,
    ):
        async with client.post_events("/step", b"{}") as quick:
            assert [event.event async for event in quick] == ["step_paused"]
        both.set()
        async for event in slow:
            assert event.event == "step_paused"
            break


def test_httpx_is_loaded_with_the_first_request_and_without_its_command_line() -> None:
    code = (
        "import asyncio, sys\n"
        "from flowdbg.transport.client import HttpClient\n"
        "client = HttpClient('http://127.0.0.1:9')\n"
        "assert 'httpx' not in sys.modules\n"
        "client.post_events('/step', b'{}')\n"
        "assert 'httpx' in sys.modules and 'rich' not in sys.modules\n"
        "assert 'httpx._main' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
