"""A flow that is published again between two steps: what is stale, and what is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.dialects.noukai.server import http
from tests.dialects.noukai.server.stream import code_of, names, only, post_step, step

Publish = Callable[..., int]

ORIGINAL = """\
flow: x
inputs:
  message: {type: string}
steps:
  - {id: a, kind: code, code: "return {'from': 'a'}"}
  - {id: b, kind: code, code: "return {'from': 'b'}"}
  - {id: c, kind: code, code: "return {'from': 'c'}"}
"""
RENAMED = ORIGINAL.replace("{id: a,", "{id: a2,")
INSERTED = ORIGINAL.replace("  - {id: b,", "  - {id: new, kind: passthrough}\n  - {id: b,")
REORDERED = """\
flow: x
inputs:
  message: {type: string}
steps:
  - {id: b, kind: code, code: "return {'from': 'b'}"}
  - {id: a, kind: code, code: "return {'from': 'a'}"}
  - {id: c, kind: code, code: "return {'from': 'c'}"}
"""
PROMPT_ONLY = ORIGINAL.replace("'from': 'b'", "'from': 'new b'")
A = {"a": {"from": "a"}}


def plan_hash(base: str, flow: str) -> str:
    """The hash of what an address means now."""
    tag: str = http.get(f"{base}/seq/{flow}/plan").headers["etag"]
    return tag


def test_a_renamed_step_is_stale_and_the_current_plan_comes_along(
    base: str, publish: Publish, fresh_flow: str
) -> None:
    publish(ORIGINAL, fresh_flow)
    publish(RENAMED, fresh_flow)
    answer = post_step(base, fresh_flow, stepIndex=1, accumulatedOutputs=A)
    assert (answer.status_code, code_of(answer)) == (400, "STALE_TREE")
    assert answer.json()["detail"]["steps"] == [
        {"stepId": "a2", "name": "a2", "index": 0},
        {"stepId": "b", "name": "b", "index": 1},
        {"stepId": "c", "name": "c", "index": 2},
    ]


@pytest.mark.parametrize("changed", [PROMPT_ONLY, REORDERED, INSERTED])
def test_a_changed_tree_with_the_same_ids_is_not_stale_without_a_hash(
    base: str, publish: Publish, fresh_flow: str, changed: str
) -> None:
    publish(ORIGINAL, fresh_flow)
    publish(changed, fresh_flow)
    events = step(base, fresh_flow, stepIndex=1, accumulatedOutputs={**A, "b": {"from": "b"}})
    assert names(events)[-1] == "step_paused"


@pytest.mark.parametrize("changed", [RENAMED, PROMPT_ONLY, REORDERED, INSERTED])
def test_a_client_that_names_its_plan_hears_of_every_change_before_anything_runs(
    base: str, publish: Publish, fresh_flow: str, changed: str
) -> None:
    publish(ORIGINAL, fresh_flow)
    before = plan_hash(base, fresh_flow)
    publish(changed, fresh_flow)
    answer = post_step(
        base, fresh_flow, headers={"If-Match": before}, stepIndex=1, accumulatedOutputs=A
    )
    assert (answer.status_code, code_of(answer)) == (412, "STALE_TREE")
    detail = answer.json()["detail"]
    assert detail["version"] == 2
    assert detail["planHash"] == plan_hash(base, fresh_flow).strip('"')
    current = http.get(f"{base}/seq/{fresh_flow}/plan").json()["steps"]
    assert [item["stepId"] for item in detail["steps"]] == [item["stepId"] for item in current]


def test_a_pinned_session_meets_none_of_it(base: str, publish: Publish, fresh_flow: str) -> None:
    publish(ORIGINAL, fresh_flow)
    before = plan_hash(base, f"{fresh_flow}/v1")
    publish(RENAMED, fresh_flow)
    events = step(
        base,
        f"{fresh_flow}/v1",
        headers={"If-Match": before},
        stepIndex=1,
        accumulatedOutputs=A,
    )
    assert only(events, "step_completed")["output"] == {"from": "b"}


def test_the_same_definition_published_again_is_not_stale(
    base: str, publish: Publish, fresh_flow: str
) -> None:
    publish(ORIGINAL, fresh_flow)
    before = plan_hash(base, fresh_flow)
    publish(ORIGINAL, fresh_flow)
    events = step(base, fresh_flow, headers={"If-Match": before}, stepIndex=1, accumulatedOutputs=A)
    assert events[0]["version"] == 2


@pytest.mark.parametrize("form", ['"{}"', 'W/"{}"', '"other", "{}"', "{}", "*"])
def test_the_hash_is_read_in_every_form_the_header_has(
    base: str, publish: Publish, fresh_flow: str, form: str
) -> None:
    publish(ORIGINAL, fresh_flow)
    header = form.format(plan_hash(base, fresh_flow).strip('"'))
    step(base, fresh_flow, headers={"If-Match": header}, stepIndex=0, message="m")
