"""The vendor's TypeScript SDK drives our server, where Node.js and the package can be had."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.dialects.noukai.server import http
from tests.dialects.noukai.server.test_step_tools import FIRST
from tests.faults.server import FaultServer, answer_json
from tests.flows import ALL
from tests.peers.test_noukai_python_errors import ADMINISTRATOR, FLAKY, broke, key_of
from tests.serving import Running, running_server, write_flows

PACKAGE = "@noukai/sdk@0.3.0"
TOOLS_FIRST = FIRST.replace("flow: x", "flow: acme/demo/tools-first")
DRIVER = Path(__file__).with_name("noukai_typescript.mjs")
HOME = os.environ.get("HOME", "")  # npm's own settings; tests have an empty home


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = write_flows(tmp_path_factory.mktemp("flows"), *ALL, FLAKY, TOOLS_FIRST)
    write_flows(folder, broke("broke", "INSUFFICIENT_CREDITS"))
    with running_server([folder], folder / "server.db") as running:
        yield running


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The address of a server that answers each key once a minute, and a key it made."""
    settings = {"api_keys": (ADMINISTRATOR,), "rate_limit": 1}
    with running_server([], tmp_path_factory.mktemp("db") / "s.db", **settings) as running:
        yield running.base, key_of(running, "acme/other")


@pytest.fixture(scope="module")
def told(
    server: Running, guarded: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What each verb of the SDK gave."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("Node.js is not installed")
    folder = tmp_path_factory.mktemp("node")
    install = [npm, "install", PACKAGE, "--no-audit", "--no-fund", "--prefix", str(folder)]
    environment = {**os.environ, "HOME": HOME}
    try:
        subprocess.run(install, env=environment, check=True, capture_output=True, timeout=120)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        pytest.skip(f"{PACKAGE} cannot be installed here")
    shutil.copy(DRIVER, folder / DRIVER.name)
    made = http.post(f"{server.base}/keys", json={"projectId": "acme/other"}).json()
    gone = answer_json(410, {"detail": {"code": "SESSION_EXPIRED", "message": "It was removed."}})
    with FaultServer(gets={"": gone}).in_thread() as expired:
        addresses = [server.base, guarded[0], "nk_wrong", guarded[1], made["key"], expired.url]
        ran = subprocess.run(
            [node, str(folder / DRIVER.name), *addresses],
            env=environment,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


pytestmark = pytest.mark.xdist_group("noukai-typescript")
TOKENS = {"prompt": 7, "completion": 3, "total": 10}
NOTHING = {"prompt": 0, "completion": 0, "total": 0}
DRAFTED = {
    "type": "step_completed",
    "stepId": "draft",
    "name": "Draft",
    "output": {"text": "Dear reader, hello."},
    "tokens": TOKENS,
    "costUsd": "0.000150",
    "stepIndex": 0,
}
COUNTED = {
    "type": "step_completed",
    "stepId": "count",
    "name": "Count",
    "output": {"text": "Dear reader, hello.", "length": 19},
    "tokens": NOTHING,
    "costUsd": "0",
    "stepIndex": 1,
}


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


def test_steps_yields_one_completed_step_after_the_other(told: dict[str, Any]) -> None:
    assert told["steps"] == [DRAFTED, COUNTED]


def test_events_yields_everything_and_never_posts_a_step_again(told: dict[str, Any]) -> None:
    drafting = ["step_started", "step_input", *["step_output"] * 3, "step_completed"]
    counting = ["step_started", "step_input", "step_completed"]
    assert kinds(told["events"]) == [
        *("run_started", *drafting, "step_paused"),
        *("run_started", *counting, "flow_completed"),
    ]
    assert kinds(told["runRemaining"]) == [
        "run_started",
        *drafting,
        *counting,
        "flow_completed",
    ]
    assert [event["output"] for event in told["events"] if event["type"] == "step_completed"] == [
        DRAFTED["output"],
        COUNTED["output"],
    ]


def test_both_planes_of_overrides_arrive(told: dict[str, Any]) -> None:
    assert [step["output"] for step in told["overridden"]] == [
        {"text": "DEAR READER."},
        {"text": "EDITED", "length": 6},
    ]


def test_failures_and_loops_end_as_they_should(told: dict[str, Any]) -> None:
    assert kinds(told["failing"])[-1] == "step_error"
    assert told["failing"][-1]["error"]["code"] == "MODEL_GONE"
    assert [(step["stepId"], step["stepIndex"]) for step in told["loop"]] == [
        ("each", 0),
        ("after", 1),
    ]
    assert told["failed"]["status"] == "failed"


def test_execute_and_tool_calls_give_results(told: dict[str, Any]) -> None:
    assert told["executed"] == {
        "status": "completed",
        "result": COUNTED["output"],
        "blockCount": 2,
    }
    assert told["tools"]["result"] == {"said": "It is sunny."}
    assert [(step["stepId"], step["stepIndex"]) for step in told["toolSteps"]] == [
        ("before", 0),
        ("ask", 1),
        ("after", 2),
    ]


def test_errors_have_our_codes(told: dict[str, Any]) -> None:
    for name, error, status, code in (
        ("notFound", "FlowNotFoundError", 404, "FLOW_NOT_FOUND"),
        ("missing", "FlowExecutionError", 400, "MISSING_MESSAGE"),
        ("noTools", "FlowExecutionError", 400, "TOOLS_NOT_ENABLED"),
    ):
        assert told[name] == {
            "name": error,
            "statusCode": status,
            "code": code,
            "hasMessage": True,
            "hasId": True,
        }


@pytest.mark.parametrize(
    ("name", "error", "status", "code"),
    [
        ("credits", "InsufficientCreditsError", 402, "INSUFFICIENT_CREDITS"),
        ("key", "AuthenticationError", 401, "UNAUTHENTICATED"),
        ("project", "PermissionDeniedError", 403, "FORBIDDEN"),
        ("rate", "RateLimitError", 429, "RATE_LIMIT"),
        ("streamed", "FlowNotFoundError", 404, "FLOW_NOT_FOUND"),
    ],
)
def test_a_status_becomes_its_class(
    told: dict[str, Any], name: str, error: str, status: int, code: str
) -> None:
    found = told["errors"][name]
    assert (found["name"], found["statusCode"], found["code"]) == (error, status, code)
    assert found["hasMessage"]
    assert found["hasId"]
    assert ("retryAfter" in found) == (name == "rate")


def test_what_has_no_status_has_a_class_too(told: dict[str, Any]) -> None:
    errors = told["errors"]
    assert [errors[name]["name"] for name in ("timeout", "nobody", "rounds")] == [
        "APITimeoutError",
        "APIConnectionError",
        "ToolCallLimitError",
    ]
    assert errors["rounds"]["code"] == "TOOL_CALL_LIMIT_CLIENT"
    replays = told["replayErrors"]
    assert {name: error["name"] for name, error in replays.items()} == {
        "unknown": "ReplaySessionNotFoundError",
        "invalid": "ReplayInvalidSessionError",
        "leftover": "ReplayLeftoverError",
        "miss": "ReplayMissError",
        "noSnapshots": "ReplayNoSnapshotsError",
        "forbidden": "ReplayForbiddenError",
        "expired": "ReplaySessionExpiredError",
    }


def test_a_tag_is_the_calls_own_and_replay_that_is_not_enabled_runs_for_real(
    told: dict[str, Any], server: Running
) -> None:
    answer = http.get(f"{server.base}/seq/sessions/{told['tagged']}").json()
    assert [run["triggerType"] for run in answer["executions"]] == ["execute"]
    assert told["notEnabled"] == "completed"


def test_a_tool_pause_is_resumed_by_hand(told: dict[str, Any]) -> None:
    assert told["paused"] == [True, "ask", 1]
    assert told["resumed"]["result"] == {"said": "It is sunny."}
    assert told["resumedEvents"].count("tool_calls_required") == 1
    assert told["resumedEvents"].count("step_completed") == 3
    assert told["resumedEvents"][-1] == "flow_completed"


def test_a_first_step_that_asks_for_tools_keeps_its_inputs(told: dict[str, Any]) -> None:
    assert [step["output"] for step in told["toolsFirst"]] == [
        {"text": "It is sunny."},
        {"said": "m/stern"},
    ]


def test_jobs_traces_and_replays(told: dict[str, Any]) -> None:
    assert told["polled"] in ("pending", "running", "completed")
    assert told["job"]["status"] == "completed"
    assert told["job"]["result"] == {"said": "m", "before": "m/kind!"}
    assert told["trace"] == [
        ["shout", 0, "completed"],
        ["shout", 1, "completed"],
        ["shout", 2, "completed"],
        ["each", None, "completed"],
        ["after", None, "completed"],
    ]
    assert told["stepTrace"] == {"loud": "B"}
    assert (told["attempt"], told["attempts"]) == (1, 3)
    assert told["tries"] == [[1, "failed"], [2, "completed"]]
    assert told["liveTrace"][0] == "run_started"
    assert told["liveTrace"][-1] == "flow_completed"
    assert told["replayed"] == COUNTED["output"]
