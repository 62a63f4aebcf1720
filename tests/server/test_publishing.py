"""Publishing over HTTP: frozen, numbered, hashed, and never half done."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from flowdbg.server.drafts import Draft, Drafts
from tests.flows import THREE_STEP, TWO_STEP
from tests.serving import Running, running_server, write_flows

FLOW = "acme/demo/two-step"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    write_flows(tmp_path, TWO_STEP)
    with running_server([tmp_path], tmp_path / "server.db") as running:
        yield running


def publish(server: Running, definition: str, flow: str = FLOW, **switches: bool) -> httpx.Response:
    return httpx.post(
        f"{server.base}/flows/{flow}/versions", json={"definition": definition, **switches}
    )


def versions(server: Running, flow: str = FLOW) -> dict[str, Any]:
    answer: dict[str, Any] = httpx.get(f"{server.base}/flows/{flow}/versions").json()
    return answer


def plan(server: Running, version: str = "") -> dict[str, Any]:
    answer: dict[str, Any] = httpx.get(f"{server.base}/seq/{FLOW}{version}/plan").json()
    return answer


def test_versions_are_numbered_from_one_and_hashed(server: Running) -> None:
    first = publish(server, TWO_STEP)
    second = publish(server, TWO_STEP.replace("Write to", "Write long to"))
    assert (first.status_code, second.status_code) == (201, 201)
    assert [first.json()["version"], second.json()["version"]] == [1, 2]
    assert [first.json()["created"], second.json()["created"]] == [True, True]
    assert first.json()["hash"] != second.json()["hash"]
    assert plan(server, "/v1")["hash"] == first.json()["hash"]
    assert plan(server, "/v2")["hash"] == second.json()["hash"]


def test_production_moves_only_when_it_is_asked_to(server: Running) -> None:
    assert plan(server)["version"] is None
    publish(server, TWO_STEP)
    assert plan(server)["version"] is None
    publish(server, TWO_STEP, production=True)
    assert (plan(server)["version"], plan(server)["production"]) == (2, True)
    publish(server, TWO_STEP, production=False)
    assert plan(server)["version"] == 2
    answer = httpx.put(f"{server.base}/flows/{FLOW}/production", json={"version": 1})
    assert (answer.status_code, answer.json()) == (200, {"production": 1})
    assert plan(server)["version"] == 1
    listed = versions(server)
    assert listed["production"] == 1
    assert [(item["version"], item["production"]) for item in listed["versions"]] == [
        (1, True),
        (2, False),
        (3, False),
    ]


def test_a_version_that_does_not_exist_cannot_become_production(server: Running) -> None:
    publish(server, TWO_STEP, production=True)
    for number in (0, -1, 2, 10**20):
        answer = httpx.put(f"{server.base}/flows/{FLOW}/production", json={"version": number})
        assert (answer.status_code, answer.json()["detail"]["code"]) == (404, "FLOW_NOT_FOUND")
    assert plan(server)["version"] == 1


def test_reuse_gives_the_newest_version_when_it_says_the_same(server: Running) -> None:
    first = publish(server, TWO_STEP, reuse=True).json()
    again = publish(server, "# a comment only\n" + TWO_STEP, reuse=True, production=True).json()
    assert (first["version"], first["created"], first["production"]) == (1, True, False)
    assert (again["version"], again["created"], again["production"]) == (1, False, True)
    publish(server, TWO_STEP.replace("Write to", "Shout at"))
    third = publish(server, TWO_STEP, reuse=True).json()
    assert (third["version"], third["created"]) == (3, True)


def test_a_version_never_changes_even_when_the_file_does(server: Running, tmp_path: Path) -> None:
    publish(server, TWO_STEP, production=True)
    frozen = plan(server)
    write_flows(tmp_path, TWO_STEP.replace("Write to", "Something else for"))
    assert plan(server) == frozen
    assert plan(server, "/v0")["steps"][0]["config"]["prompt"].startswith("Something else")


def test_everything_wrong_with_a_definition_is_told_at_once(server: Running) -> None:
    broken = TWO_STEP.replace("kind: llm", "kind: lmm").replace("type: string", "type: strnig")
    answer = publish(server, broken)
    assert answer.status_code == 422
    detail = answer.json()["detail"]
    assert detail["code"] == "INVALID_DEFINITION"
    assert {problem["line"] for problem in detail["problems"]} == {4, 14}
    assert all(problem["message"] and problem["file"] for problem in detail["problems"])
    assert versions(server)["versions"] == []


def test_a_definition_belongs_to_its_own_address(server: Running) -> None:
    answer = publish(server, THREE_STEP)
    assert answer.status_code == 422
    assert answer.json()["detail"]["problems"][0]["field"] == "flow"


def test_a_bomb_is_a_wrong_definition_and_nothing_more(server: Running) -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + level)}: &{chr(98 + level)} [{','.join([f'*{chr(97 + level)}'] * 9)}]\n"
        for level in range(9)
    )
    deep = "steps: " + "[" * 5000 + "]" * 5000
    large = "flow: acme/demo/two-step\n#" + "x" * 1_100_000
    for definition in (bomb, deep, large, "\x00", "%YAML 9.9\n---\n!!python/object:os.system"):
        answer = publish(server, definition)
        assert (answer.status_code, answer.json()["detail"]["code"]) == (422, "INVALID_DEFINITION")
    assert versions(server)["versions"] == []


@pytest.mark.parametrize(
    "body",
    [{}, {"definition": 1}, {"definition": TWO_STEP, "production": "yes"}, {"definition": None}],
)
def test_a_wrong_body_is_refused(server: Running, body: dict[str, Any]) -> None:
    answer = httpx.post(f"{server.base}/flows/{FLOW}/versions", json=body)
    assert (answer.status_code, answer.json()["detail"]["code"]) == (400, "INVALID_REQUEST")


def test_publishers_at_the_same_time_get_a_version_each(location: str, tmp_path: Path) -> None:
    write_flows(tmp_path, TWO_STEP)
    with running_server([tmp_path], location) as server:
        numbers: list[int] = []

        def go(word: str) -> None:
            answer = publish(server, TWO_STEP.replace("Write to", word))
            numbers.append(answer.json()["version"])

        threads = [threading.Thread(target=go, args=(f"Word {n}",)) for n in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(numbers) == list(range(1, 13))
        listed = versions(server)["versions"]
    assert [item["version"] for item in listed] == list(range(1, 13))
    assert len({item["hash"] for item in listed}) == 12


@pytest.mark.xdist_group("postgresql")
def test_two_servers_on_one_postgresql_share_their_versions(
    postgresql_server: Any, tmp_path: Path
) -> None:
    write_flows(tmp_path, TWO_STEP)
    url = postgresql_server()
    with running_server([tmp_path], url) as one, running_server([tmp_path], url) as two:
        assert publish(one, TWO_STEP, production=True).json()["version"] == 1
        assert plan(two)["version"] == 1
        assert publish(two, TWO_STEP, production=True).json()["version"] == 2
        assert plan(one)["version"] == 2
        assert plan(one)["flowId"] == plan(two)["flowId"]


def test_versions_outlive_the_server_and_need_no_file(location: str, tmp_path: Path) -> None:
    write_flows(tmp_path, TWO_STEP)
    with running_server([tmp_path], location) as server:
        publish(server, TWO_STEP, production=True)
        before = plan(server)
    (tmp_path / "two-step.flow.yaml").unlink()
    with running_server([tmp_path], location) as server:
        assert plan(server) == before
        gone = httpx.get(f"{server.base}/seq/{FLOW}/v0/plan")
        assert gone.status_code == 404
        assert "no draft" in gone.json()["detail"]["message"]


def test_the_list_shows_every_flow_with_its_file_and_its_faults(
    server: Running, tmp_path: Path
) -> None:
    (tmp_path / "bad.flow.yaml").write_text("flow: acme/demo/bad\nsteps: 5\n")
    publish(server, TWO_STEP, production=True)
    flows = httpx.get(f"{server.base}/flows").json()["flows"]
    assert [(item["flow"], item["production"], item["newest"]) for item in flows] == [
        ("acme/demo/bad", None, None),
        ("acme/demo/two-step", 1, 1),
    ]
    assert flows[0]["draft"]["problems"][0]["line"] == 2
    assert flows[1]["draft"] == {"file": str(tmp_path / "two-step.flow.yaml"), "problems": []}


def test_a_broken_draft_is_told_as_such_and_heals_when_the_file_does(
    server: Running, tmp_path: Path
) -> None:
    file = tmp_path / "two-step.flow.yaml"
    file.write_text(TWO_STEP.replace("kind: llm", "kind: lmm"))
    broken = httpx.get(f"{server.base}/seq/{FLOW}/plan")
    assert (broken.status_code, broken.json()["detail"]["code"]) == (422, "INVALID_TREE")
    assert broken.json()["detail"]["problems"][0]["line"] == 14
    file.write_text(TWO_STEP)
    assert plan(server)["steps"][0]["stepId"] == "draft"


def test_two_files_with_one_address_are_a_defect_of_the_second(
    server: Running, tmp_path: Path
) -> None:
    (tmp_path / "z-copy.flow.yaml").write_text(TWO_STEP)
    assert plan(server)["steps"][0]["stepId"] == "draft"
    found = server.server.drafts.scan()
    assert [len(draft.problems) for draft in found] == [0, 1]
    assert "two-step.flow.yaml" in found[1].problems[0].message


def test_an_edit_of_the_draft_is_seen_by_the_next_request(server: Running, tmp_path: Path) -> None:
    before = plan(server)["hash"]
    write_flows(tmp_path, TWO_STEP.replace("Write to", "Speak to"))
    assert plan(server)["hash"] != before
    write_flows(tmp_path, THREE_STEP)
    assert httpx.get(f"{server.base}/seq/acme/demo/three-step/plan").status_code == 200


def test_what_is_no_file_is_no_draft(tmp_path: Path) -> None:
    """A pipe would be waited for: the server would never begin, or its scans never end."""
    write_flows(tmp_path, TWO_STEP)
    os.mkfifo(tmp_path / "pipe.flow.yaml")
    (tmp_path / "folder.flow.yaml").mkdir()
    (tmp_path / "gone.flow.yaml").symlink_to(tmp_path / "nowhere")
    drafts = Drafts([tmp_path, tmp_path / "pipe.flow.yaml"])
    assert [draft.path.name for draft in drafts.scan()] == ["two-step.flow.yaml"]


def test_a_draft_can_be_asked_for_while_its_file_is_found_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files are scanned in a thread; requests look at the same time."""
    write_flows(tmp_path, TWO_STEP)
    drafts = Drafts([tmp_path])
    address = drafts.scan()[0].address
    assert address is not None
    (tmp_path / "two-step.flow.yaml").unlink()
    seen: list[Draft | None] = []

    def looked_at_meanwhile(found: list[Draft]) -> list[Draft]:
        seen.append(drafts.peek(address))
        return found

    monkeypatch.setattr("flowdbg.server.drafts._without_doubles", looked_at_meanwhile)
    assert drafts.scan() == []
    assert seen == [None]


def test_a_damaged_version_is_not_run(tmp_path: Path) -> None:
    import sqlite3

    write_flows(tmp_path, TWO_STEP)
    location = tmp_path / "server.db"
    with running_server([tmp_path], location) as server:
        publish(server, TWO_STEP, production=True)
    file = sqlite3.connect(location)
    file.execute("UPDATE versions SET definition = replace(definition, 'Write', 'Wrote')")
    file.commit()
    file.close()
    with running_server([tmp_path], location) as server:
        answer = httpx.get(f"{server.base}/seq/{FLOW}/plan")
    assert (answer.status_code, answer.json()["detail"]["code"]) == (422, "INVALID_TREE")
    assert "hash" in answer.json()["detail"]["message"]
