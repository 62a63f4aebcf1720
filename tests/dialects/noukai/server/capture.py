"""Captures of the bytes on the wire, one file for each kind of run, readable in a review.

`python -m tests.dialects.noukai.server.capture` writes them anew; a test compares. What differs
from run to run (ids, hashes, times) is numbered or replaced, nothing else is touched.
"""

from __future__ import annotations

import json
import re
import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.flows import ALL
from tests.serving import running_server, write_flows

FOLDER = Path(__file__).with_name("captures")
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
FLAKY = """\
flow: acme/demo/attempts
scripts:
  flaky:
    replies:
      - fail: {message: "busy", code: MODEL_FAILED}
      - text: "now it works"
steps:
  - {id: ask, kind: llm, model: scripted/flaky, prompt: "Go", retries: 1}
"""
SESSION = "7f0b8b86-5f6b-4c58-9f5e-0123456789ab"
Body = dict[str, Any]


class Wire:
    """Sends requests over a plain socket and writes down what goes both ways."""

    def __init__(self, url: str) -> None:
        host, port = url.removeprefix("http://").split(":")
        self._address = (host, int(port))
        self.transcript: list[str] = []

    def send(self, method: str, path: str, body: Body | None = None, **headers: str) -> Any:
        """One request; the parsed answer: JSON, or the data of the last event."""
        data = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
        lines = [f"{method} /api/v1{path} HTTP/1.1"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if body is not None:
            lines.append("Content-Type: application/json")
        shown = "\r\n".join(lines)
        with socket.create_connection(self._address, timeout=60) as connection:
            extra = (
                f"\r\nHost: localhost\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n"
            )
            connection.sendall((shown + extra).encode() + data)
            received = b"".join(iter(lambda: connection.recv(65536), b""))
        head, _, answer = received.partition(b"\r\n\r\n")
        if b"transfer-encoding: chunked" in head:
            answer = _dechunked(answer)
        text = answer.decode()
        self.transcript += [">>> " + shown.replace("\r\n", "\n>>> "), data.decode(), ""]
        kept = [line for line in head.decode().split("\r\n") if _kept(line)]
        self.transcript += ["<<< " + "\n<<< ".join(kept), text, ""]
        if b"text/event-stream" in head:
            return json.loads(text.rstrip("\n").split("data: ")[-1])
        return json.loads(text)


def step_by_step(wire: Wire) -> None:
    """A step that streams, then the last one."""
    path = "/seq/acme/demo/two-step/step"
    first = wire.send("POST", path, {"stepIndex": 0, "message": "you"})
    wire.send(
        "POST",
        path,
        {
            "executionId": first["executionId"],
            "stepIndex": 1,
            "accumulatedOutputs": {"draft": {"text": "Dear reader, hello."}},
            "inputOverrides": {"draft": {"text": "edited"}},
        },
    )


def run_remaining(wire: Wire) -> None:
    """Everything in one stream, with a loop in it."""
    body = {"stepIndex": 0, "message": "m", "runRemaining": True}
    wire.send("POST", "/seq/acme/demo/loop/step", body)


def failing(wire: Wire) -> None:
    """A step that fails, and the failed answer of a whole run."""
    body = {"stepIndex": 0, "message": "m", "runRemaining": True}
    wire.send("POST", "/seq/acme/demo/failing/step", body)
    wire.send("POST", "/seq/acme/demo/failing/execute", {"message": "m"})


def tools_on_step(wire: Wire) -> None:
    """A pause for tool calls and the resume, on `/step`."""
    path = "/seq/acme/demo/tools/step"
    body: Body = {"stepIndex": 1, "message": "m", "tools": [TOOL]}
    body["accumulatedOutputs"] = {"before": {"message": "m"}}
    paused = wire.send("POST", path, body)
    wire.send("POST", path, {**body, **_resumed(paused), "stepIndex": 1})


def execute(wire: Wire) -> None:
    """A whole run, and one that pauses for tool calls."""
    wire.send("POST", "/seq/acme/demo/two-step/execute", {"message": "you"})
    path = "/seq/acme/demo/tools/execute"
    paused = wire.send("POST", path, {"message": "m", "tools": [TOOL]})
    resumed = {**_resumed(paused), "pausedAtStep": paused["pausedAtStep"], "tools": [TOOL]}
    wire.send("POST", path, resumed)


def jobs(wire: Wire) -> None:
    """A queued run, and what polling says of it at the end."""
    path = "/seq/acme/demo/three-step/jobs"
    run_id = wire.send("POST", path, {"message": "m"})["executionId"]
    told = len(wire.transcript)
    while wire.send("GET", f"{path}/{run_id}")["status"] != "completed":
        del wire.transcript[told:]
        time.sleep(0.05)


def traces(wire: Wire) -> None:
    """A recorded run in both families, followed, and in its session."""
    body = {"message": "m", "trace": True}
    run = wire.send("POST", "/seq/acme/demo/loop/execute", body, X_Session_Id=SESSION)
    run_id = run["executionId"]
    wire.send("GET", f"/seq/acme/demo/loop/runs/{run_id}/trace")
    wire.send("GET", f"/flow-runs/{run_id}/steps/shout/trace?attempt=all&loop_index=1")
    wire.send("GET", f"/flow-runs/{run_id}/trace/stream")
    wire.send("GET", f"/seq/sessions/{SESSION}")
    wire.send("GET", "/flow-runs?flow_id=acme/demo/loop")


def attempts(wire: Wire) -> None:
    """A block that failed once and was tried again: its attempts, and the run followed."""
    flow = "acme/demo/attempts"
    wire.send("POST", f"/flows/{flow}/versions", {"definition": FLAKY, "production": True})
    run = wire.send("POST", f"/seq/{flow}/execute", {"trace": True})
    run_id = run["executionId"]
    wire.send("GET", f"/seq/{flow}/runs/{run_id}/steps/ask/trace?attempt=all")
    wire.send("GET", f"/seq/{flow}/runs/{run_id}/trace/stream")


def keys(wire: Wire) -> None:
    """A key's life: made, listed, verified, refused elsewhere, revoked, refused."""
    key = wire.send("POST", "/keys", {"projectId": "acme/demo", "environment": "test"})
    headers = {"Authorization": f"Bearer {key['key']}"}
    wire.send("GET", "/keys?projectId=acme/demo")
    wire.send("GET", "/keys/verify", None, **headers)
    wire.send("POST", "/seq/other/demo/two-step/execute", {"message": "m"}, **headers)
    wire.send("DELETE", f"/keys/{key['id']}")
    wire.send("GET", "/keys/verify", None, **headers)


def refusals(wire: Wire) -> None:
    """One refusal of each form."""
    path = "/seq/acme/demo/two-step"
    wire.send("POST", f"{path}/v0/step", {})
    wire.send("POST", f"{path}/step", {"stepIndex": 1, "accumulatedOutputs": {"old": 1}})
    wire.send("POST", f"{path}/step", {"stepIndex": 0, "message": "m"}, If_Match='"old"')
    wire.send("POST", f"{path}/step", {"stepIndex": 1})
    wire.send("POST", f"{path}/step", {"stepIndex": "x"})
    wire.send("POST", "/seq/acme/demo/nothing/execute", {})
    wire.send("GET", "/nothing")


def publishing(wire: Wire) -> None:
    """The routes that are ours: plan, publish, promote, versions."""
    flow = "acme/demo/published"
    definition = f"flow: {flow}\nsteps:\n  - {{id: only, kind: passthrough}}\n"
    body = {"definition": definition, "production": True}
    wire.send("POST", f"/flows/{flow}/versions", body)
    wire.send("PUT", f"/flows/{flow}/production", {"version": 1})
    wire.send("GET", f"/flows/{flow}/versions")
    wire.send("GET", f"/seq/{flow}/plan")


SCENARIOS: tuple[Callable[[Wire], None], ...] = (
    step_by_step,
    run_remaining,
    failing,
    tools_on_step,
    execute,
    jobs,
    traces,
    attempts,
    keys,
    refusals,
    publishing,
)


def captured(url: str, scenario: Callable[[Wire], None]) -> str:
    """The transcript of a scenario, without what differs from run to run."""
    wire = Wire(url)
    scenario(wire)
    return settled("\n".join(wire.transcript))


def settled(text: str) -> str:
    """A transcript with its ids numbered, and its hashes and times replaced."""
    names: dict[str, str] = {SESSION: SESSION}
    uuid = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
    text = uuid.sub(lambda found: names.setdefault(found[0], f"<id-{len(names)}>"), text)
    text = re.sub(r"\bcall_[A-Za-z0-9]+", "<call>", text)
    text = re.sub(r"\b[0-9a-f]{64}\b", "<hash>", text)
    for key_id in set(re.findall(r"nk_test_(\w{8})_", text)):
        text = text.replace(key_id, "<key-id>")
    text = re.sub(r"nk_test_<key-id>_\w{32}", "nk_test_<key-id>_<secret>", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "<time>", text)
    text = re.sub(r'"durationMs":\d+', '"durationMs":0', text)
    return re.sub(r"content-length: \d+", "content-length: <number>", text)


def _resumed(paused: Body) -> Body:
    call_id = paused["toolCalls"][0]["id"]
    result = {"role": "tool", "toolCallId": call_id, "content": "sunny"}
    return {
        "executionId": paused["executionId"],
        "iterationsUsed": paused["iterationsUsed"],
        "accumulatedOutputs": paused["accumulatedOutputs"],
        "toolCallMessages": [*paused["toolCallMessages"], result],
    }


def _kept(line: str) -> bool:
    return not line.lower().startswith(("date:", "connection:"))


def _dechunked(data: bytes) -> bytes:
    parts: list[bytes] = []
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        parts.append(data[:length])
        data = data[length + 2 :]
    return b"".join(parts)


def main() -> None:
    """Write every capture anew."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        write_flows(Path(folder), *ALL)
        for scenario in SCENARIOS:
            database = Path(folder, f"{scenario.__name__}.db")
            with running_server([Path(folder)], database) as server:
                text = captured(server.url, scenario)
            FOLDER.joinpath(f"{scenario.__name__}.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
