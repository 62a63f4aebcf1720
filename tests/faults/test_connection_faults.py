"""No way to the server, said plainly: refused, unknown, unreachable, not trusted, a dead proxy.

Row numbers as in docs/fault-matrix.md. In all of these nothing was sent, and the client knows it.
"""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from flowdbg.errors import ConnectionFailed, FlowdbgError, RequestTimedOut, UsageError
from flowdbg.transport.client import HttpClient
from flowdbg.transport.timeouts import Timeouts
from tests.faults.server import CLOSE, FaultServer, answer, answer_json, sse, stream_of

PAUSED = sse("step_paused", {"stepIndex": 0})
CANARY = "nk_live_canary0_secret"


async def failure_at(
    url: str, path: str = "/step", limits: Timeouts | None = None, key: str = CANARY
) -> FlowdbgError:
    """The error of one POST that nothing answers; its text never holds the key."""
    headers = {"authorization": f"Bearer {key}"}
    async with HttpClient(url, headers=lambda: headers, timeouts=limits or Timeouts()) as client:
        stream = client.post_events(path, b"{}")
        with pytest.raises(FlowdbgError) as caught:
            async with stream:
                pass
    assert not stream.sent
    assert CANARY not in str(caught.value)
    return caught.value


async def names_from(url: str) -> list[str]:
    async with HttpClient(url) as client, client.post_events("/step", b"{}") as stream:
        return [event.event async for event in stream]


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of loopback that refuses: bound, so nobody else takes it, and not listening."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


# 51
async def test_a_closed_port_is_told_with_its_address(closed_port: int) -> None:
    error = await failure_at(f"http://127.0.0.1:{closed_port}/api/v1")
    assert type(error) is ConnectionFailed
    assert f"Nothing listens at http://127.0.0.1:{closed_port} (connection refused)." in str(error)


async def test_a_closed_port_by_name_is_told_likewise(closed_port: int) -> None:
    error = await failure_at(f"http://localhost:{closed_port}")
    assert f"Nothing listens at http://localhost:{closed_port}" in str(error)


async def test_an_unknown_host_is_told_apart_from_a_closed_port() -> None:
    error = await failure_at("http://no-such-host.invalid:8080")
    assert type(error) is ConnectionFailed
    assert "http://no-such-host.invalid:8080" in str(error)
    assert "host name" in str(error)


async def test_an_unreachable_network_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_route(*_: object, **__: object) -> None:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr("asyncio.BaseEventLoop.create_connection", no_route)
    error = await failure_at("http://127.0.0.1:9")
    assert type(error) is ConnectionFailed
    assert "no route to http://127.0.0.1:9 (Network is unreachable)" in str(error)


async def test_a_server_on_ipv6_loopback_alone_is_reached() -> None:
    try:
        async with FaultServer(stream_of(PAUSED), host="::1") as fault:
            assert await names_from(fault.url) == ["step_paused"]
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    assert fault.posts == 1


async def test_a_connection_that_is_never_accepted_passes_its_limit() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        port = server.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:  # fill the queue of connections that nobody accepts
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        error = await failure_at(f"http://127.0.0.1:{port}", limits=Timeouts(connect=0.1))
        for one in waiting:
            one.close()
    assert type(error) is RequestTimedOut
    assert "did not accept a connection within 0.1 seconds" in str(error)


@pytest.mark.parametrize("url", ["http://a..b/api", "http://" + "a" * 70 + ".example"])
async def test_a_host_name_that_cannot_be_one_is_no_crash(url: str) -> None:
    assert type(await failure_at(url)) is ConnectionFailed


@pytest.mark.parametrize("stray", ["\r\nx-evil: 1", "\xa0", "\u2026", "\ud800"])
async def test_a_key_with_a_stray_character_is_refused_without_being_shown(stray: str) -> None:
    async with FaultServer() as fault:
        error = await failure_at(fault.url, key=f"{CANARY}{stray}")
    assert type(error) is ConnectionFailed
    assert "a header that HTTP does not allow" in str(error)
    assert fault.requests == []


@pytest.mark.parametrize(
    "url",
    ["", "localhost:8080", "ftp://host", "http://", "http://host:port", "http://[::1", "file:///etc",
     "http://host/?a=b", "http://host/#x"],
)  # fmt: skip
def test_an_address_that_is_none_is_wrong_usage(url: str) -> None:
    with pytest.raises(UsageError, match="server URL"):
        HttpClient(url)


def test_credentials_in_the_address_are_refused_and_not_shown() -> None:
    with pytest.raises(UsageError) as caught:
        HttpClient(f"http://me:{CANARY}@host/api")
    assert CANARY not in str(caught.value)


# 29
@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment names the authority, as a person with a private one does."""
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))


def server_context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@pytest.mark.usefixtures("trusted")
async def test_a_trusted_certificate_is_accepted(authority: trustme.CA) -> None:
    tls = server_context(authority.issue_cert("127.0.0.1"))
    async with FaultServer(stream_of(PAUSED), tls=tls) as fault:
        assert await names_from(fault.url) == ["step_paused"]
    assert fault.posts == 1


@pytest.mark.usefixtures("trusted")
async def test_an_expired_certificate_is_named_so(authority: trustme.CA) -> None:
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    tls = server_context(authority.issue_cert("127.0.0.1", not_before=past, not_after=past))
    async with FaultServer(stream_of(PAUSED), tls=tls) as fault:
        error = await failure_at(fault.url)
    assert type(error) is ConnectionFailed
    assert f"The certificate of {fault.url} has expired." in str(error)
    assert fault.posts == 0


@pytest.mark.usefixtures("trusted")
async def test_a_certificate_for_another_address_is_named_so(authority: trustme.CA) -> None:
    tls = server_context(authority.issue_cert("10.9.8.7"))
    async with FaultServer(stream_of(PAUSED), tls=tls) as fault:
        error = await failure_at(fault.url)
    assert "is for another address" in str(error)
    assert fault.posts == 0


@pytest.mark.usefixtures("trusted")
async def test_a_certificate_for_another_name_is_named_so(authority: trustme.CA) -> None:
    tls = server_context(authority.issue_cert("other.example"))
    async with FaultServer(stream_of(PAUSED), tls=tls) as fault:
        error = await failure_at(f"https://localhost:{fault.port}")
    assert "is for another host name" in str(error)
    assert fault.posts == 0


async def test_an_unknown_authority_is_named_so_and_never_overridden(
    authority: trustme.CA,
) -> None:
    tls = server_context(authority.issue_cert("127.0.0.1"))
    async with FaultServer(stream_of(PAUSED), tls=tls) as fault:
        error = await failure_at(fault.url)
    assert "comes from an authority that is not trusted here" in str(error)
    assert "SSL_CERT_FILE" in str(error)
    assert fault.posts == 0


async def test_a_self_signed_certificate_is_named_so(tmp_path: Path) -> None:
    # an authority's own certificate, used by a server, is signed by itself
    signer = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    files[0].write_bytes(signer.cert_pem.bytes())
    files[1].write_bytes(signer.private_key_pem.bytes())
    context.load_cert_chain(*files)
    async with FaultServer(stream_of(PAUSED), tls=context) as fault:
        error = await failure_at(fault.url)
    assert f"The certificate of {fault.url} is self-signed." in str(error)
    assert fault.posts == 0


async def test_tls_to_a_server_without_it_is_named_so() -> None:
    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        error = await failure_at(f"https://127.0.0.1:{port}")
    assert type(error) is ConnectionFailed
    assert f"https://127.0.0.1:{port} does not speak TLS" in str(error)


@pytest.mark.usefixtures("trusted")
async def test_a_tls_connection_cut_off_is_an_unknown_outcome(authority: trustme.CA) -> None:
    tls = server_context(authority.issue_cert("127.0.0.1"))
    async with FaultServer([CLOSE], tls=tls) as fault, HttpClient(fault.url) as client:
        stream = client.post_events("/step", b"{}")
        with pytest.raises(FlowdbgError, match="not known"):
            async with stream:
                pass
    assert stream.sent
    assert fault.posts == 1


async def test_a_certificate_file_that_is_none_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    async with HttpClient("https://127.0.0.1:9") as client:
        with pytest.raises(ConnectionFailed, match=r"missing\.pem cannot be read"):
            await client.get_json("/plan")


# 26
async def test_a_dead_proxy_does_not_stand_before_loopback(
    monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port}")
    async with FaultServer(stream_of(PAUSED), stream_of(PAUSED)) as fault:
        assert await names_from(fault.url) == ["step_paused"]
        assert await names_from(f"http://localhost:{fault.port}") == ["step_paused"]
    assert fault.posts == 2


async def test_a_remote_server_is_reached_through_the_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with FaultServer(stream_of(PAUSED)) as proxy:
        monkeypatch.setenv("http_proxy", f"http://me:{CANARY}@127.0.0.1:{proxy.port}")
        async with HttpClient("http://flows.example/api") as client:
            assert client.proxy == f"http://127.0.0.1:{proxy.port}"
            async with client.post_events("/step", b"{}") as stream:
                assert [event.event async for event in stream] == ["step_paused"]
    assert proxy.requests[0].path == "http://flows.example/api/step"


async def test_a_dead_proxy_is_named_for_a_remote_server_without_its_password(
    monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    monkeypatch.setenv("ALL_PROXY", f"me:{CANARY}@127.0.0.1:{closed_port}")
    error = await failure_at("http://flows.example/api")
    assert type(error) is ConnectionFailed
    assert f"the proxy http://127.0.0.1:{closed_port} (from the environment)" in str(error)


async def test_a_proxy_that_refuses_the_way_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async with FaultServer(answer_json(407, {})) as proxy:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
        error = await failure_at("https://flows.example/api")
    assert type(error) is ConnectionFailed
    assert "refused the way to flows.example: 407" in str(error)
    assert proxy.posts == 0


async def test_a_host_in_no_proxy_is_reached_directly(
    monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port}")
    monkeypatch.setenv("no_proxy", "flows.invalid")
    error = await failure_at("http://flows.invalid/api")
    assert "the proxy" not in str(error)


def test_a_proxy_of_an_unknown_kind_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", f"socks5://me:{CANARY}@127.0.0.1:1080")
    with pytest.raises(UsageError, match="only http and https proxies") as caught:
        HttpClient("https://flows.example/api")
    assert CANARY not in str(caught.value)


async def test_a_login_page_of_a_captive_network_is_recognised() -> None:
    page = answer(200, "text/html", b"<html><title>Welcome to Hotel Wifi</title></html>")
    async with FaultServer(gets={"/plan": page}) as fault, HttpClient(fault.url) as client:
        with pytest.raises(FlowdbgError, match=r"an HTML page .* Hotel Wifi"):
            await client.get_json("/plan")
