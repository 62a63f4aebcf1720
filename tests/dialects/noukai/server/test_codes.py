"""Every code of protocol section 11.3 that a local server can meet, provoked over the wire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from flowdbg.dialects.noukai.codes import CODES
from flowdbg.engine.runner import Runner
from tests.dialects.noukai.server import http
from tests.dialects.noukai.server.stream import code_of
from tests.dialects.noukai.server.test_execute import BROKE, IMAGE, TOOL, pause, resume_body
from tests.flows import ALL
from tests.serving import Running, running_server, write_flows

Body = Mapping[str, Any]
SAID: Body = {"message": "m"}
KEY = "the-key-of-the-administrator"

REFUSED: Mapping[str, tuple[int, str, Body]] = {
    "FLOW_NOT_FOUND": (404, "nothing/execute", SAID),
    "INVALID_TREE": (422, "broken/execute", SAID),
    "NO_STEPS": (400, "empty/step", SAID),
    "INVALID_VERSION": (400, "two-step/v0/step", SAID),
    "STALE_TREE": (400, "two-step/step", {"stepIndex": 1, "accumulatedOutputs": {"gone": 1}}),
    "INVALID_STEP_INDEX": (400, "two-step/step", {"stepIndex": 2}),
    "MISSING_MESSAGE": (400, "two-step/step", {}),
    "RUN_NOT_FOUND": (404, "two-step/step", {**SAID, "executionId": "nobody"}),
    "TOOLS_NOT_ENABLED": (400, "two-step/execute", {**SAID, "tools": [TOOL]}),
    "TOOLS_INVALID": (400, "tools/execute", {**SAID, "tools": [{}]}),
    "TOOL_NAME_INVALID": (
        400,
        "tools/execute",
        {**SAID, "tools": [{"type": "function", "function": {"name": "a b"}}]},
    ),
    "TOOLS_IN_NON_SEQUENTIAL_STEP": (400, "tools-in-loop/execute", {**SAID, "tools": [TOOL]}),
    "TOOLS_REQUIRE_SYNC_EXECUTE": (400, "tools/jobs", {**SAID, "tools": [TOOL]}),
    "MESSAGES_ROLE_INVALID": (400, "two-step/execute", {"messages": [{"role": "system"}]}),
    "MESSAGES_TOO_LARGE": (
        413,
        "two-step/execute",
        {"messages": [{"role": "user", "content": "x" * 10**6}]},
    ),
    "PARAMETER_NAME_RESERVED": (
        400,
        "two-step/execute",
        {**SAID, "parameters": {"attachments": []}},
    ),
    "MODEL_MIME_INCOMPATIBLE": (400, "two-step/execute", {**SAID, "attachments": [IMAGE]}),
}
"""Refused before anything runs: status, address and body."""

RESUMED: Mapping[str, tuple[int, Body]] = {
    "EXECUTION_ID_INVALID": (400, {"executionId": "nobody"}),
    "PAUSED_STEP_INVALID": (400, {"pausedAtStep": "after"}),
    "TOOL_RESULTS_MISMATCH": (400, {"toolCallMessages": [{"role": "user"}]}),
    "TOOL_ITERATION_LIMIT": (409, {"iterationsUsed": 11}),
}
"""Refused when a run goes on after a pause: status, and what is wrong in the body."""

FAILED: Mapping[str, tuple[int, str]] = {
    "INSUFFICIENT_CREDITS": (402, "INSUFFICIENT_CREDITS"),
    "CREDITS_EXHAUSTED": (402, "CREDITS_EXHAUSTED"),
    "BILLING_UNAVAILABLE": (503, "BILLING_UNAVAILABLE"),
    "BYOK_KEY_REJECTED": (502, "MODEL_KEY_REJECTED"),
}
"""Met while the flow runs: status, and the code with which the model fails."""

OTHERS = (
    *("INVALID_FIRST_CALL", "UNAUTHENTICATED", "FORBIDDEN", "RATE_LIMIT"),
    *("JOB_NOT_FOUND", "INTERNAL_ERROR"),
)


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with drafts that cannot run, that asks for keys and refuses what it may."""
    folder = write_flows(tmp_path_factory.mktemp("flows"), *ALL)
    broken = "flow: acme/demo/broken\nsteps:\n  - {id: a, kind: nothing}\n"
    write_flows(folder, broken, "flow: acme/demo/empty\nsteps: []\n")
    settings = {"strict_first_call": True, "api_keys": (KEY,)}
    with running_server([folder], folder / "server.db", **settings) as running:
        yield running


def post(base: str, path: str, body: Body, key: str = KEY) -> httpx.Response:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    url = f"{base}/seq/acme/demo/{path}"
    return http.post(url, json=dict(body), headers=headers)


@pytest.mark.parametrize("code", REFUSED)
def test_a_request_that_cannot_run_is_refused(strict: Running, code: str) -> None:
    status, path, body = REFUSED[code]
    answer = post(strict.base, path, body)
    assert (code_of(answer), answer.status_code) == (code, status)


@pytest.mark.parametrize("code", RESUMED)
def test_a_resume_that_does_not_fit_is_refused(base: str, code: str) -> None:
    status, wrong = RESUMED[code]
    answer = post(base, "tools/execute", {**resume_body(pause(base)), **wrong})
    assert (code_of(answer), answer.status_code) == (code, status)


@pytest.mark.parametrize("code", FAILED)
def test_a_run_that_fails_so_has_a_status_of_its_own(
    base: str, publish: Any, fresh_flow: str, code: str
) -> None:
    status, failure = FAILED[code]
    publish(BROKE.replace("CODE", failure), fresh_flow)
    answer = http.post(f"{base}/seq/{fresh_flow}/execute", json=dict(SAID))
    assert (code_of(answer), answer.status_code) == (code, status)
    run_id = answer.json()["detail"]["executionId"]
    assert http.get(f"{base}/flow-runs/{run_id}").json()["status"] == "failed"


def test_a_strict_server_refuses_a_later_step_without_a_run(strict: Running) -> None:
    body = {"stepIndex": 1, "accumulatedOutputs": {"draft": {"text": "x"}}}
    answer = post(strict.base, "two-step/step", body)
    assert (code_of(answer), answer.status_code) == ("INVALID_FIRST_CALL", 400)


def test_keys_are_asked_for_and_held_to_their_project(strict: Running) -> None:
    answer = post(strict.base, "two-step/execute", SAID, key="")
    assert (code_of(answer), answer.status_code) == ("UNAUTHENTICATED", 401)
    assert answer.headers["www-authenticate"].startswith("Bearer")
    made = http.post(
        f"{strict.base}/keys",
        json={"projectId": "other/project"},
        headers={"authorization": f"Bearer {KEY}"},
    )
    answer = post(strict.base, "two-step/execute", SAID, key=made.json()["key"])
    assert (code_of(answer), answer.status_code) == ("FORBIDDEN", 403)


def test_too_many_requests_are_refused_for_a_while(tmp_path: Path) -> None:
    with running_server([], tmp_path / "server.db", rate_limit=1) as server:
        post(server.base, "nothing/execute", SAID)
        answer = post(server.base, "nothing/execute", SAID)
    assert (code_of(answer), answer.status_code) == ("RATE_LIMIT", 429)
    assert 1 <= int(answer.headers["retry-after"]) <= 60


def test_a_job_that_nobody_queued_is_not_found(base: str) -> None:
    answer = http.get(f"{base}/seq/acme/demo/two-step/jobs/nobody")
    assert (code_of(answer), answer.status_code) == ("JOB_NOT_FOUND", 404)


def test_a_fault_of_the_server_is_an_internal_error(
    base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(*arguments: Any, **named: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(Runner, "run_entry", faulty)
    answer = post(base, "two-step/execute", SAID)
    assert (code_of(answer), answer.status_code) == ("INTERNAL_ERROR", 500)


def test_each_code_is_provoked_here_and_the_debugger_says_what_to_do() -> None:
    provoked = {*REFUSED, *RESUMED, *FAILED, *OTHERS}
    assert len(provoked) == 31
    ours = {
        *("INVALID_PARAMETERS", "MISSING_OUTPUT", "ATTACHMENTS_INVALID", "STEP_NOT_FOUND"),
        "INVALID_BLOCK_OVERRIDE",
    }
    assert set(CODES) - ours == {*provoked, "TOOL_CALL_LIMIT_CLIENT"}
    for meaning in CODES.values():
        assert meaning.next_step.endswith(".")
        assert meaning.for_commands.endswith(".")
