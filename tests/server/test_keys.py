"""Managed keys: their shape, their project, their end; and the limit of requests."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.dialects.noukai.server.stream import code_of
from tests.flows import THREE_STEP
from tests.serving import Running, running_server, write_flows

FLOW = "acme/demo/three-step"
OTHER = THREE_STEP.replace("acme/demo/three-step", "acme/other/three-step")
ADMINISTRATOR = {"authorization": "Bearer the-administrator"}
Body = dict[str, Any]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("flows")
    write_flows(folder, THREE_STEP)
    (folder / "other.flow.yaml").write_text(OTHER)
    keys = ("the-administrator",)
    with running_server([folder], folder / "server.db", api_keys=keys) as running:
        yield running


def create(server: Running, **body: Any) -> Body:
    answer = httpx.post(f"{server.base}/keys", json=body, headers=ADMINISTRATOR)
    assert answer.status_code == 201, answer.text
    found: Body = answer.json()
    return found


def get(server: Running, path: str, key: str) -> httpx.Response:
    return httpx.get(f"{server.base}/{path}", headers={"authorization": f"Bearer {key}"})


def test_a_key_has_the_vendors_shape_and_is_shown_once(guarded: Running) -> None:
    made = create(guarded, projectId="acme/shape", name="mine", environment="test")
    assert re.fullmatch(r"nk_test_[A-Za-z0-9]{8}_[A-Za-z0-9]{32}", made["key"])
    assert made["key"].split("_")[2] == made["id"]
    listed = httpx.get(
        f"{guarded.base}/keys", params={"projectId": "acme/shape"}, headers=ADMINISTRATOR
    )
    (item,) = listed.json()["keys"]
    assert (item["id"], item["name"], item["active"]) == (made["id"], "mine", True)
    assert made["key"].split("_")[3] not in listed.text


def test_only_a_hash_of_it_is_stored(guarded: Running, tmp_path: Path) -> None:
    made = create(guarded, projectId="acme/stored")
    copy = sqlite3.connect(str(guarded.server.database.url.database))
    rows = copy.execute("SELECT * FROM api_keys").fetchall()
    copy.close()
    assert made["id"] in str(rows)
    assert made["key"].split("_")[3] not in str(rows)


def test_a_key_opens_its_project_and_no_other(guarded: Running) -> None:
    key = create(guarded, projectId="acme/demo")["key"]
    assert get(guarded, f"seq/{FLOW}/plan", key).status_code == 200
    for path in (
        "seq/acme/other/three-step/plan",
        "seq/acme/other/three-step/runs/x/trace",
        "flows/acme/other/three-step/versions",
    ):
        answer = get(guarded, path, key)
        assert (answer.status_code, code_of(answer)) == (403, "FORBIDDEN")
    listed = get(guarded, "flows", key).json()["flows"]
    assert [item["flow"] for item in listed] == [FLOW]
    assert listed[0]["draft"]["file"] == "three-step.flow.yaml"


def test_runs_and_sessions_of_other_projects_are_forbidden(guarded: Running) -> None:
    session = "7f0b8b86-5f6b-4c58-9f5e-000000000001"
    answer = httpx.post(
        f"{guarded.base}/seq/acme/other/three-step/execute",
        json={"message": "m"},
        headers={**ADMINISTRATOR, "x-session-id": session},
    )
    run_id = answer.json()["executionId"]
    key = create(guarded, projectId="acme/demo")["key"]
    for path in (
        f"flow-runs/{run_id}",
        f"flow-runs/{run_id}/trace",
        f"flow-runs/{run_id}/trace/stream",
        f"flow-runs/{run_id}/steps/first/trace",
        "flow-runs?flow_id=acme/other/three-step",
        f"seq/sessions/{session}",
    ):
        refused = get(guarded, path, key)
        assert (refused.status_code, code_of(refused)) == (403, "FORBIDDEN")


def test_a_revoked_key_opens_nothing_at_once(guarded: Running) -> None:
    made = create(guarded, projectId="acme/demo")
    assert get(guarded, "keys/verify", made["key"]).json() == {
        "valid": True,
        "projectId": "acme/demo",
    }
    for _ in range(2):
        answer = httpx.delete(f"{guarded.base}/keys/{made['id']}", headers=ADMINISTRATOR)
        assert (answer.status_code, answer.json()) == (200, {"id": made["id"], "revoked": True})
    answer = get(guarded, "keys/verify", made["key"])
    assert (answer.status_code, code_of(answer)) == (401, "UNAUTHENTICATED")
    assert "revoked" in answer.json()["detail"]["message"]


def test_an_expired_key_opens_nothing(guarded: Running) -> None:
    made = create(guarded, projectId="acme/demo", expiresAt="2999-01-01T00:00:00Z")
    assert get(guarded, "keys/verify", made["key"]).status_code == 200
    guarded.server.database.write_now(
        lambda connection: connection.exec_driver_sql(
            f"UPDATE api_keys SET expires_at = 1 WHERE id = '{made['id']}'"
        )
    )
    answer = get(guarded, "keys/verify", made["key"])
    assert (answer.status_code, code_of(answer)) == (401, "UNAUTHENTICATED")
    assert "expired" in answer.json()["detail"]["message"]


def test_a_guessed_secret_opens_nothing(guarded: Running) -> None:
    made = create(guarded, projectId="acme/demo")
    guess = made["key"][:-1] + ("a" if made["key"][-1] != "a" else "b")
    answer = get(guarded, "keys/verify", guess)
    assert (answer.status_code, code_of(answer)) == (401, "UNAUTHENTICATED")


def test_a_projects_key_cannot_manage_keys(guarded: Running) -> None:
    key = create(guarded, projectId="acme/demo")["key"]
    headers = {"authorization": f"Bearer {key}"}
    for answer in (
        httpx.post(f"{guarded.base}/keys", json={"projectId": "acme/other"}, headers=headers),
        httpx.get(f"{guarded.base}/keys?projectId=acme/demo", headers=headers),
        httpx.delete(f"{guarded.base}/keys/abcdefgh", headers=headers),
    ):
        assert (answer.status_code, code_of(answer)) == (403, "FORBIDDEN")


def test_a_project_has_at_most_ten_active_keys(guarded: Running) -> None:
    made = [create(guarded, projectId="acme/many") for _ in range(10)]
    body = {"projectId": "acme/many"}
    answer = httpx.post(f"{guarded.base}/keys", json=body, headers=ADMINISTRATOR)
    assert (answer.status_code, code_of(answer)) == (409, "KEY_LIMIT_REACHED")
    httpx.delete(f"{guarded.base}/keys/{made[0]['id']}", headers=ADMINISTRATOR)
    create(guarded, projectId="acme/many")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"projectId": "acme"},
        {"projectId": "a/b/c"},
        {"projectId": "acme/\x00"},
        {"projectId": "acme/demo", "environment": "other"},
        {"projectId": "acme/demo", "name": 5},
        {"projectId": "acme/demo", "name": "a\nb"},
        {"projectId": "acme/demo", "expiresAt": "yesterday"},
        {"projectId": "acme/demo", "expiresAt": "2001-01-01T00:00:00Z"},
        {"projectId": "acme/demo", "expiresAt": 5},
    ],
)
def test_a_wrong_key_is_not_created(guarded: Running, body: Body) -> None:
    answer = httpx.post(f"{guarded.base}/keys", json=body, headers=ADMINISTRATOR)
    assert (answer.status_code, code_of(answer)) == (400, "INVALID_REQUEST")


def test_keys_that_do_not_exist_cannot_be_revoked(guarded: Running) -> None:
    for key_id in ("abcdefgh", "%00", "%F0%9F%98%80"):
        answer = httpx.delete(f"{guarded.base}/keys/{key_id}", headers=ADMINISTRATOR)
        assert (answer.status_code, code_of(answer)) == (404, "KEY_NOT_FOUND")


def test_an_open_server_holds_its_own_keys_to_their_project(tmp_path: Path) -> None:
    write_flows(tmp_path, THREE_STEP)
    with running_server([tmp_path], tmp_path / "server.db") as server:
        made = create(server, projectId="acme/other")
        answer = get(server, f"seq/{FLOW}/plan", made["key"])
        assert (answer.status_code, code_of(answer)) == (403, "FORBIDDEN")
        assert httpx.get(f"{server.base}/seq/{FLOW}/plan").status_code == 200


def test_a_caller_that_asks_too_often_is_told_when_to_come_back(tmp_path: Path) -> None:
    write_flows(tmp_path, THREE_STEP)
    with running_server([tmp_path], tmp_path / "server.db", rate_limit=5) as server:
        answers = [get(server, f"seq/{FLOW}/plan", "nk_one") for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        assert code_of(answers[-1]) == "RATE_LIMIT"
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 12
        assert get(server, f"seq/{FLOW}/plan", "nk_another").status_code == 200
        assert httpx.get(f"{server.url}/healthz").status_code == 200


def test_who_tries_one_key_after_another_is_stopped(tmp_path: Path) -> None:
    write_flows(tmp_path, THREE_STEP)
    limits = {"rate_limit": 1, "api_keys": ("the-key",)}
    with running_server([tmp_path], tmp_path / "server.db", **limits) as server:
        answers = [get(server, f"seq/{FLOW}/plan", f"guess-{number}") for number in range(2)]
        assert [answer.status_code for answer in answers] == [401, 429]
        assert get(server, f"seq/{FLOW}/plan", "the-key").status_code == 200


def test_a_strict_server_wants_the_run_of_a_later_step(tmp_path: Path) -> None:
    write_flows(tmp_path, THREE_STEP)
    with running_server([tmp_path], tmp_path / "server.db", strict_first_call=True) as server:
        body = {"stepIndex": 1, "accumulatedOutputs": {"first": {"text": "x"}}}
        answer = httpx.post(f"{server.base}/seq/{FLOW}/step", json=body)
        assert (answer.status_code, code_of(answer)) == (400, "INVALID_FIRST_CALL")
