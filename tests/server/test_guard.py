"""What stands around every route: who may call, from where, how much, and what is told of it."""

from __future__ import annotations

import json
import logging
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from flowdbg.server.logs import JsonLines, TextLines
from tests.dialects.noukai.server.stream import code_of, step
from tests.flows import THREE_STEP
from tests.serving import Running, running_server, write_flows

FLOW = "acme/demo/three-step"
KEY = "nk_test_right001_0123456789abcdef0123456789abcdef"
SECRET = "the secret of the message"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = write_flows(tmp_path_factory.mktemp("flows"), THREE_STEP)
    with running_server([folder], folder / "server.db", max_body=20_000) as running:
        yield running


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = write_flows(tmp_path_factory.mktemp("flows"), THREE_STEP)
    keys = ("another-key", KEY)
    with running_server([folder], folder / "server.db", api_keys=keys) as running:
        yield running


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:80",
        "",
        "127.0.0.1.evil.example",
        "[::2]",
        "localhost.",
        "[bad",
    ],
)
def test_a_request_that_names_another_host_is_refused(server: Running, host: str) -> None:
    answer = httpx.get(f"{server.url}/healthz", headers={"host": host})
    assert (answer.status_code, code_of(answer)) == (403, "FORBIDDEN")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:9", "[::1]:5", "LOCALHOST"])
def test_every_name_of_this_machine_is_fine(server: Running, host: str) -> None:
    assert httpx.get(f"{server.url}/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_a_page_of_another_origin_cannot_run_a_flow(server: Running, origin: str) -> None:
    url = f"{server.base}/seq/{FLOW}/step"
    answer = httpx.post(url, json={"message": "m"}, headers={"origin": origin})
    assert (answer.status_code, code_of(answer)) == (403, "FORBIDDEN")
    preflight = httpx.options(url, headers={"origin": origin})
    assert preflight.status_code == 403
    assert not [name for name in preflight.headers if name.startswith("access-control")]


def test_the_servers_own_origin_is_fine(server: Running) -> None:
    answer = httpx.get(f"{server.url}/healthz", headers={"origin": server.url})
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_without_keys_any_key_and_no_key_is_fine(server: Running) -> None:
    for headers in ({}, {"authorization": "Bearer nk_anything"}, {"authorization": "nonsense"}):
        assert httpx.get(f"{server.base}/seq/{FLOW}/plan", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer wrong", f"Basic {KEY}", KEY, f"Bearer {KEY}x", "Bearer k\xe9y"],
)
def test_with_keys_nothing_else_is_let_in(guarded: Running, authorization: str | None) -> None:
    headers: dict[bytes, bytes] = {}
    if authorization is not None:
        headers[b"authorization"] = authorization.encode("latin-1")
    for method, path in (
        ("POST", f"/api/v1/seq/{FLOW}/step"),
        ("GET", f"/api/v1/seq/{FLOW}/plan"),
        ("GET", "/api/v1/flows"),
        ("POST", f"/api/v1/flows/{FLOW}/versions"),
        ("PUT", f"/api/v1/flows/{FLOW}/production"),
        ("GET", "/metrics"),
    ):
        answer = httpx.request(method, guarded.url + path, headers=headers)
        assert (answer.status_code, code_of(answer)) == (401, "UNAUTHENTICATED")
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("authorization", [f"Bearer {KEY}", f"bearer  {KEY}", "Bearer another-key"])
def test_each_key_opens_every_route(guarded: Running, authorization: str) -> None:
    headers = {"authorization": authorization}
    assert httpx.get(f"{guarded.base}/flows", headers=headers).status_code == 200
    assert step(guarded.base, FLOW, headers=headers, stepIndex=0, message="m")


def test_health_needs_no_key(guarded: Running) -> None:
    assert httpx.get(f"{guarded.url}/healthz").status_code == 200


def test_a_body_that_is_too_large_is_refused_before_it_is_read(server: Running) -> None:
    url = f"{server.base}/seq/{FLOW}/step"
    answer = httpx.post(url, json={"message": "x" * 20_000})
    assert (answer.status_code, code_of(answer)) == (413, "BODY_TOO_LARGE")
    assert "20000 bytes" in answer.json()["detail"]["message"]


def test_a_body_of_unknown_length_is_cut_off(server: Running) -> None:
    def endless() -> Iterator[bytes]:
        yield b'{"message": "'
        for _ in range(100):
            yield b"x" * 1000

    answer = httpx.post(f"{server.base}/seq/{FLOW}/step", content=endless())
    assert (answer.status_code, code_of(answer)) == (413, "BODY_TOO_LARGE")


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999", "-1e400", "1" * 5000])
def test_a_number_that_json_cannot_carry_on_is_refused(server: Running, number: str) -> None:
    body = f'{{"stepIndex": 0, "message": "m", "parameters": {{"x": {number}}}}}'
    answer = httpx.post(f"{server.base}/seq/{FLOW}/step", content=body)
    assert (answer.status_code, code_of(answer)) == (400, "INVALID_JSON")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "NOT_FOUND"),
        ("GET", "/api/v1/nothing", 404, "NOT_FOUND"),
        ("POST", f"/api/v1/seq/{FLOW}/vx/step", 404, "NOT_FOUND"),
        ("POST", f"/api/v1/seq/{FLOW}/v-1/step", 404, "NOT_FOUND"),
        ("GET", f"/api/v1/seq/{FLOW}/v{'9' * 5000}/plan", 404, "NOT_FOUND"),
        ("POST", f"/api/v1/seq/{FLOW}/step/", 404, "NOT_FOUND"),
        ("GET", f"/api/v1/seq/{FLOW}/plan/", 404, "NOT_FOUND"),
        ("GET", f"/api/v1/seq/{FLOW}/step", 405, "METHOD_NOT_ALLOWED"),
        ("DELETE", "/healthz", 405, "METHOD_NOT_ALLOWED"),
    ],
)
def test_every_error_has_the_envelope_and_nothing_redirects(
    server: Running, method: str, path: str, status: int, code: str
) -> None:
    answer = httpx.request(method, server.url + path)
    assert (answer.status_code, code_of(answer)) == (status, code)


def test_every_answer_has_a_request_id_of_its_own(server: Running) -> None:
    ids = [httpx.get(f"{server.url}/healthz").headers["x-request-id"] for _ in range(5)]
    assert len(set(ids)) == 5


def test_a_broken_request_line_does_not_hurt_the_server(server: Running) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    for data in (b"\x00\xff\r\n\r\n", b"GET\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n", b""):
        with socket.create_connection((host, int(port)), timeout=10) as raw:
            raw.sendall(data)
            raw.shutdown(socket.SHUT_WR)
            raw.recv(1000)
    assert httpx.get(f"{server.url}/healthz").status_code == 200


def test_a_client_that_leaves_while_it_sends_does_not_hurt_the_server(
    server: Running, caplog: pytest.LogCaptureFixture
) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall(
            f"POST /api/v1/seq/{FLOW}/step HTTP/1.1\r\nHost: localhost\r\n"
            'Content-Length: 1000\r\n\r\n{"message"'.encode()
        )
    end = time.monotonic() + 60
    while 'status="499"' not in httpx.get(f"{server.url}/metrics").text:
        assert time.monotonic() < end
    assert httpx.get(f"{server.url}/healthz").status_code == 200
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_what_is_logged_names_the_request_and_nothing_it_carried(
    guarded: Running, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "flowdbg.server")
    headers = {"authorization": f"Bearer {KEY}", "x-session-id": "session-of-mine"}
    step(guarded.base, FLOW, headers=headers, stepIndex=0, message=SECRET)
    httpx.get(f"{guarded.base}/flows?token={SECRET}", headers={"authorization": "Bearer guess"})
    for formatter in (JsonLines(), TextLines()):
        lines = [formatter.format(record) for record in caplog.records]
        assert any("/step" in line and "200" in line for line in lines)
        for line in lines:
            assert "\n" not in line
            assert KEY not in line
            assert SECRET not in line
            assert "guess" not in line
    entry = json.loads(JsonLines().format(caplog.records[-1]))
    assert {"time", "level", "event", "method", "path", "status", "ms", "request_id"} == set(entry)


def test_a_log_line_cannot_be_forged() -> None:
    told = {"msg": "request", "levelno": logging.INFO, "levelname": "INFO"}
    record = logging.makeLogRecord({**told, "path": "/a\nfake line\x1b[2J"})
    assert "\n" not in TextLines().format(record)
    assert "\x1b" not in TextLines().format(record)
    assert json.loads(JsonLines().format(record))["path"] == "/a\nfake line\x1b[2J"


def test_counters_count(server: Running) -> None:
    def counters() -> dict[str, float]:
        lines = httpx.get(f"{server.url}/metrics").text.splitlines()
        pairs = [line.rsplit(" ", 1) for line in lines if not line.startswith("#")]
        return {name: float(value) for name, value in pairs}

    before = counters()
    step(server.base, FLOW, stepIndex=0, message="m")
    after = counters()
    name = 'flowdbg_calls_total{end="paused"}'
    assert after[name] == before.get(name, 0) + 1
    assert after["flowdbg_calls_running"] == 0
    assert (
        after['flowdbg_requests_total{status="200"}']
        > before['flowdbg_requests_total{status="200"}']
    )


def test_health_tells_what_runs(server: Running) -> None:
    health: dict[str, Any] = httpx.get(f"{server.url}/healthz").json()
    assert health["status"] == "ok"
    assert health["callsRunning"] == 0
    assert health["version"]


def test_a_database_that_fails_is_told_as_unavailable(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_flows(tmp_path, THREE_STEP)
    with running_server([tmp_path], tmp_path / "server.db") as server:
        server.server.database.write_now(
            lambda connection: connection.exec_driver_sql("DROP TABLE runs")
        )
        answer = httpx.post(f"{server.base}/seq/{FLOW}/step", json={"message": "m"})
    assert (answer.status_code, code_of(answer)) == (503, "UNAVAILABLE")
    (logged,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "no such table: runs" in TextLines().format(logged)
    assert "Traceback" not in TextLines().format(logged)


def test_another_host_asks_for_keys_and_answers_to_every_name(tmp_path: Path) -> None:
    write_flows(tmp_path, THREE_STEP)
    with running_server(
        [tmp_path], tmp_path / "server.db", host="0.0.0.0", api_keys=(KEY,)
    ) as server:
        port = server.url.rsplit(":", 1)[1]
        url = f"http://127.0.0.1:{port}/api/v1/flows"
        headers = {"host": "my.machine.example", "authorization": f"Bearer {KEY}"}
        assert httpx.get(url, headers=headers).status_code == 200
        assert httpx.get(url, headers={"host": "my.machine.example"}).status_code == 401
