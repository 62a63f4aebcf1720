"""The http block: what it sends, what it gives, and where it refuses to go."""

from __future__ import annotations

import asyncio
import gzip
import ipaddress
import json
import socket
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdbg.engine.definition import FlowDefinition
from flowdbg.engine.http_access import HttpAccess, HttpFailed, HttpRefused, is_public
from flowdbg.engine.services import EngineSettings, Services
from flowdbg.errors import DefinitionError
from tests.engine.flows import failure_of, flow, output_of
from tests.engine.http_server import Answer, Request, Server, http_server

JSON = "Content-Type: application/json\r\n"
ANSWERS = {
    "/json": ('{"a": [1]}', "200 OK", f"{JSON}Set-Cookie: id=1\r\nX-Extra: yes\r\n"),
    "/text": ("plain é", "200 OK", "Content-Type: text/plain\r\n"),
    "/broken-json": ("{oops", "200 OK", JSON),
    "/no-json": ('{"a": NaN}', "200 OK", JSON),
    "/deep-json": ("[" * 100_000, "200 OK", JSON),
    "/missing": ("no such thing", "404 Not Found", ""),
    "/busy": ("later", "503 Service Unavailable", ""),
    "/same-host": ("", "302 Found", "Location: /text\r\n"),
    "/loop": ("", "302 Found", "Location: /loop\r\n"),
    "/elsewhere": ("", "302 Found", "Location: http://localhost:1/x\r\n"),
    "/to-file": ("", "302 Found", "Location: file:///etc/passwd\r\n"),
}


async def answering(request: Request, answer: Answer) -> None:
    """Answers by path."""
    match request.path:
        case "/huge":
            await answer.send(b"", headers="Content-Type: text/plain\r\n", end=False)
            for _ in range(100):
                await answer.more(b"x" * 100_000)
        case "/bomb":
            packed = gzip.compress(b"0" * 50_000_000)
            await answer.send(packed, headers="Content-Encoding: gzip\r\n")
        case "/silence":
            await answer.silence()
        case "/reset":
            answer.reset()
        case "/echo-headers":
            await answer.send(json.dumps(request.headers), "400 Bad Request")
        case path:
            body, status, headers = ANSWERS.get(path, ("{}", "200 OK", JSON))
            await answer.send(body, status, headers)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with http_server(answering) as made:
        yield made


def step(server: Server, path: str, **fields: Any) -> FlowDefinition:
    block = {"id": "a", "kind": "http", "url": f"{server.url}{path}", **fields}
    return flow(f"- {json.dumps(block)}")


async def test_the_answer_is_status_headers_and_parsed_body(
    services: Services, server: Server
) -> None:
    output = await output_of(services, step(server, "/json"))
    assert (output["status"], output["body"]) == (200, {"a": [1]})
    assert output["headers"]["x-extra"] == "yes"
    assert "set-cookie" not in output["headers"]
    assert (await output_of(services, step(server, "/text")))["body"] == "plain é"
    assert (await output_of(services, step(server, "/broken-json")))["body"] == "{oops"
    assert (await output_of(services, step(server, "/no-json")))["body"] == '{"a": NaN}'
    assert len((await output_of(services, step(server, "/deep-json")))["body"]) == 100_000


async def test_templates_fill_address_headers_and_body(services: Services, server: Server) -> None:
    definition = step(
        server,
        "/echo?q={{ q | url_encode }}",
        method="POST",
        headers={"X-Key": "{{ key }}"},
        body={"text": "{q}", "list": ["{{ n }}", 3, None]},
    )
    await output_of(services, definition, initial={"q": "a b&c", "key": "k1", "n": 7})
    [request] = server.requests
    assert (request.method, request.path) == ("POST", "/echo?q=a+b%26c")
    assert request.headers["x-key"] == "k1"
    assert request.headers["host"] == server.url.removeprefix("http://")
    assert request.headers["content-type"] == "application/json"
    assert request.json == {"text": "a b&c", "list": ["7", 3, None]}


async def test_a_text_body_is_sent_as_text_unless_a_header_says_otherwise(
    services: Services, server: Server
) -> None:
    await output_of(services, step(server, "/e", method="PUT", body="{q}"), initial={"q": "é"})
    typed = step(server, "/e", method="PUT", body="x", headers={"content-type": "text/csv"})
    await output_of(services, typed)
    assert server.requests[0].body == "é".encode()
    assert server.requests[0].headers["content-type"] == "text/plain; charset=utf-8"
    assert server.requests[1].headers["content-type"] == "text/csv"


@pytest.mark.parametrize(
    ("path", "code", "said", "attempts"),
    [
        ("/missing", "HTTP_STATUS", "status 404", 1),
        ("/busy", "HTTP_STATUS", "status 503", 2),
        ("/reset", "HTTP_FAILED", "did not answer", 2),
        ("/loop", "HTTP_FAILED", "redirected more than 5 times", 12),
        ("/elsewhere", "HTTP_REFUSED", "redirects to http://localhost", 1),
        ("/to-file", "HTTP_REFUSED", "scheme `file` is not allowed", 1),
        ("/huge", "HTTP_FAILED", "larger than 2,000,000 bytes", 2),
        ("/bomb", "HTTP_FAILED", "compressed although", 2),
    ],
)
async def test_what_goes_wrong_is_named_and_only_what_may_get_better_is_repeated(
    services: Services, server: Server, path: str, code: str, said: str, attempts: int
) -> None:
    failed = await failure_of(services, step(server, path, retries=1))
    assert failed.error["code"] == code
    assert said in failed.error["message"]
    assert len(server.requests) == attempts


async def test_a_failed_status_shows_the_answer(services: Services, server: Server) -> None:
    failed = await failure_of(services, step(server, "/missing"))
    assert (failed.error["status"], failed.error["body"]) == (404, "no such thing")


async def test_an_error_does_not_repeat_the_keys_that_were_sent(
    services: Services, server: Server
) -> None:
    headers = {"Authorization": "Bearer {{ key }}", "X-Api-Key": "{{ key }}2", "X-Asked-By": "Ada"}
    failed = await failure_of(
        services, step(server, "/echo-headers", headers=headers), initial={"key": "s3cret-value"}
    )
    assert "Ada" in failed.error["body"]
    assert "s3cret" not in str(failed)


async def test_a_silent_server_is_given_up_on(services: Services, server: Server) -> None:
    failed = await failure_of(services, step(server, "/silence", timeout=0.1))
    assert failed.error["code"] == "TIMEOUT"


async def test_a_redirect_on_the_same_host_is_followed_for_reading_only(
    services: Services, server: Server
) -> None:
    assert (await output_of(services, step(server, "/same-host")))["body"] == "plain é"
    failed = await failure_of(services, step(server, "/same-host", method="POST"))
    assert "redirects a POST, which is not followed" in failed.error["message"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("file:///etc/passwd", "scheme `file`"),
        ("ftp://example.com/", "scheme `ftp`"),
        ("gopher://127.0.0.1:6379/_x", "scheme `gopher`"),
        ("//example.com/", "scheme `` is not allowed"),
        ("http:///path", "has no host"),
        ("http://user:secret@example.com/", "holds a password"),
        (
            "http://127.0.0.1/",
            "127.0.0.1 is a private address. Only `flowdbg serve --allow-private",
        ),
        ("http://localhost/", " private"),
        ("http://[::1]/", "::1 is a private address."),
        ("http://0.0.0.0/", " private"),
        ("http://0/", " private"),
        ("http://2130706433/", " private"),
        ("http://0x7f000001/", " private"),
        ("http://127.1/", " private"),
        ("http://169.254.169.254/latest/meta-data/", " private"),
        ("http://10.0.0.1/", " private"),
        ("http://192.168.1.1/", " private"),
        ("http://172.16.0.1/", " private"),
        ("http://100.64.0.1/", " private"),
        ("http://[fd00::1]/", " private"),
        ("http://[fe80::1]/", " private"),
        ("http://[::ffff:127.0.0.1]/", " private"),
        ("http://[64:ff9b::7f00:1]/", " private"),
        ("http://[2002:7f00:1::]/", " private"),
        ("http://224.0.0.1/", " private"),
        ("http://[::127.0.0.1]/", " private"),
        ("http://[::ffff:0:127.0.0.1]/", " private"),
        ("http://[fec0::1]/", " private"),
        ("http://name.that.is.not.there.invalid/", "was not found"),
    ],
)
async def test_addresses_inside_are_refused_before_a_byte_is_sent(
    tmp_path: Path, url: str, said: str
) -> None:
    definition = flow("- {id: a, kind: http, url: '{{ url }}'}")
    async with Services.create(EngineSettings(cache_dir=tmp_path)) as services:
        failed = await failure_of(services, definition, initial={"url": url})
    assert said in failed.error["message"]
    assert "secret" not in str(failed)


async def test_a_name_is_connected_to_the_address_that_was_checked(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second answer of the name server, after the check, changes nothing."""
    asked = names_resolve_to(monkeypatch, "127.0.0.1")
    access = HttpAccess(allow_private=True)
    url = f"http://shop.example:{server.port}/json"
    answer = await access.request("GET", url, {}, None)
    await access.aclose()
    assert answer.status == 200
    assert asked == ["shop.example"]
    assert server.requests[0].headers["host"] == f"shop.example:{server.port}"
    private = HttpAccess()
    with pytest.raises(HttpRefused, match=r"shop\.example is private: 127\.0\.0\.1"):
        await private.request("GET", url, {}, None)


def names_resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Have every name mean these addresses; returns the names that were asked for."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def resolve(host: str, port: int, **options: Any) -> Any:
        asked.append(host)
        return [found for address in addresses for found in real(address, port, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


async def test_an_address_where_nobody_listens_is_passed_over(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name such as localhost means an IPv6 and an IPv4 address, and many servers have one."""
    names_resolve_to(monkeypatch, "127.0.0.2", "127.0.0.1")
    access = HttpAccess(allow_private=True)
    answer = await access.request("POST", f"http://shop.example:{server.port}/json", {}, b"x")
    assert (answer.status, len(server.requests)) == (200, 1)
    names_resolve_to(monkeypatch, "127.0.0.1", "127.0.0.2")
    with pytest.raises(HttpFailed, match="did not answer"):
        await access.request("POST", f"http://shop.example:{server.port}/reset", {}, b"x")
    assert len(server.requests) == 2
    await access.aclose()


async def test_one_private_address_among_public_ones_is_enough_to_refuse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names_resolve_to(monkeypatch, "8.8.8.8", "127.0.0.1")
    with pytest.raises(HttpRefused, match=r"is private: 127\.0\.0\.1"):
        await HttpAccess().request("GET", "http://shop.example/", {}, None)


async def test_names_that_nobody_answers_for_hold_up_no_other_step(
    services: Services, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    silence = threading.Event()

    def resolve(host: str, port: int, **options: Any) -> Any:
        silence.wait()
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    waiting = [asyncio.create_task(failure_of(services, step(server, "/json"))) for _ in range(40)]
    try:
        works = flow(
            "- {id: a, kind: llm, model: scripted/x, prompt: 'Say {{ x }}'}",
            "scripts: {x: {replies: [{match: Say hi, text: fine}]}}",
        )
        assert await output_of(services, works, initial={"x": "hi"}) == {"text": "fine"}
        assert not any(task.done() for task in waiting)
    finally:
        silence.set()
    for failed in await asyncio.gather(*waiting):
        assert "was not found" in failed.error["message"]


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"X-A": "{v}"}, "not valid"),
        ({"Bad Name": "x"}, "not valid"),
        ({"X-A": "ü{v}"}, "not valid"),
    ],
)
async def test_a_header_cannot_carry_another_request(
    services: Services, server: Server, headers: dict[str, str], said: str
) -> None:
    definition = step(server, "/text", headers=headers)
    failed = await failure_of(services, definition, initial={"v": "x\r\nX-Evil: 1\r\n\r\nGET /"})
    assert failed.error["code"] == "HTTP_REFUSED"
    assert said in failed.error["message"]
    assert server.requests == []


@pytest.mark.parametrize("name", ["Host", "CONTENT-length", "transfer-encoding", "Connection"])
async def test_a_header_that_ends_the_request_elsewhere_is_refused(name: str) -> None:
    """What stands between us and the server could take the rest for another request."""
    said = [f"test.flow.yaml:4: steps[0].headers.{name}: is not a flow's to set. Take it out."]
    with pytest.raises(DefinitionError) as caught:
        flow(f"- {{id: a, kind: http, url: 'http://x/', headers: {{{name}: '3'}}}}")
    assert [str(problem) for problem in caught.value.problems] == said
    with pytest.raises(HttpRefused, match="is not a flow's to set"):
        await HttpAccess(allow_private=True).request("POST", "http://x/", {name: "3"}, b"hello")


@given(st.ip_addresses(v=4))
def test_an_address_hidden_in_an_ipv6_one_is_judged_like_itself(
    address: ipaddress.IPv4Address,
) -> None:
    number = int(address)
    hidden = [(0xFFFF << 32) | number, (0x0064_FF9B << 96) | number, (0x2002 << 112) | number << 80]
    judged = {is_public(ipaddress.IPv6Address(value)) for value in hidden}
    assert judged == {is_public(address)}
