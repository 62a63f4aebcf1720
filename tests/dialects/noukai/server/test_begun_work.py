"""Work that has begun is never answered so that a client sends it again (sections 1.6 and 18.10).

One of the vendor's SDKs repeats every request on 429 and 5xx, POSTs too.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from flowdbg.engine.runner import Runner
from tests.dialects.noukai.server import http
from tests.server.test_cancel import eventually
from tests.serving import running_server, write_flows

LATER = """\
flow: x
inputs:
  message: {type: string}
scripts:
  broken:
    replies:
      - fail: {message: "no", code: CODE}
  silent:
    replies:
      - chunks: ["a", "b"]
        delay: 60
steps:
  - {id: fine, kind: code, code: "return {'sent': True}"}
  - {id: ask, kind: llm, model: scripted/MODEL, prompt: "Go on"}
"""


@pytest.mark.parametrize(
    ("failure", "code", "status"),
    [
        ("CREDITS_EXHAUSTED", "CREDITS_EXHAUSTED", 402),
        ("MODEL_KEY_REJECTED", "BYOK_KEY_REJECTED", 200),
        ("BILLING_UNAVAILABLE", "BILLING_UNAVAILABLE", 200),
    ],
)
def test_what_has_begun_is_never_answered_so_that_a_client_sends_it_again(
    base: str, publish: Any, fresh_flow: str, failure: str, code: str, status: int
) -> None:
    publish(LATER.replace("MODEL", "broken").replace("CODE", failure), fresh_flow)
    answer = http.post(f"{base}/seq/{fresh_flow}/execute", json={"message": "m"})
    assert answer.status_code == status
    if status == 200:
        failed = answer.json()
        assert (failed["status"], failed["error"]["code"]) == ("failed", code)
        assert failed["error"]["stepId"] == "ask"
        assert failed["result"] == failed["error"]["message"]


def test_a_fault_behind_a_finished_step_is_a_failed_run(
    base: str, publish: Any, fresh_flow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(LATER.replace("MODEL", "broken"), fresh_flow)
    real = Runner.run_entry

    def faulty(self: Runner, definition: Any, index: int, **named: Any) -> Any:
        if index:
            raise ZeroDivisionError("the inner workings")
        return real(self, definition, index, **named)

    monkeypatch.setattr(Runner, "run_entry", faulty)
    answer = http.post(f"{base}/seq/{fresh_flow}/execute", json={"message": "m"})
    failed = answer.json()
    assert (answer.status_code, failed["status"]) == (200, "failed")
    assert failed["error"]["code"] == "INTERNAL_ERROR"
    assert "inner workings" not in answer.text


def test_a_run_that_a_stopping_server_cuts_off_is_a_failed_run(tmp_path: Path) -> None:
    write_flows(tmp_path, LATER.replace("flow: x", "flow: a/b/c").replace("MODEL", "silent"))
    with running_server([tmp_path], tmp_path / "server.db") as server:
        answers: list[httpx.Response] = []
        url = f"{server.base}/seq/a/b/c/execute"
        asking = threading.Thread(
            target=lambda: answers.append(http.post(url, json={"message": "m"}))
        )
        asking.start()
        eventually(lambda: "ask" in running_step(server.base, "a/b/c"), "it never came so far")
        server.stop()
        asking.join(60)
    (answer,) = answers
    failed = answer.json()
    assert (answer.status_code, failed["status"]) == (200, "failed")
    assert failed["error"]["code"] == "SERVER_STOPPING"


def running_step(base: str, flow: str) -> list[str]:
    """The steps of a flow's newest run that its trace calls running."""
    runs = http.get(f"{base}/flow-runs?flow_id={flow}").json().get("runs")
    if not runs:  # the flow is not known before its first run
        return []
    steps = http.get(f"{base}/flow-runs/{runs[0]['id']}/trace").json()["steps"]
    return [step["stepId"] for step in steps if step["status"] == "running"]
