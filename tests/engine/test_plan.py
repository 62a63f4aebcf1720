"""Plans, their hash, and what a plan says about a step."""

from __future__ import annotations

import pytest

from flowdbg.engine.plan import plan_hash, plan_of
from tests.engine.flows import flow

STEPS = """
- {id: a, kind: llm, prompt: one, name: First}
- {id: b, kind: loop, array_field: xs, steps: [{id: c, kind: http, url: "https://x", method: POST}]}
"""
HEAD = "inputs: {xs: {type: array}}"


def test_a_plan_is_the_root_sequence_and_a_container_is_one_entry() -> None:
    first, second = plan_of(flow(STEPS, HEAD))
    assert (first.step_id, first.name, first.kind, first.effect) == ("a", "First", "llm", "none")
    assert first.config["prompt"] == "one"
    assert "id" not in first.config
    assert "temperature" not in first.config
    assert (second.step_id, second.kind, second.effect) == ("b", "loop", "write")
    assert second.config == {"array_field": "xs", "max_items": 1000}
    assert [child.step_id for child in second.children] == ["c"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("prompt: one", "prompt: two"),
        ("name: First", "name: Second"),
        ("id: c", "id: d"),
        ("method: POST", "method: PUT"),
        ("xs, steps", "xs, max_items: 5, steps"),
    ],
)
def test_every_change_of_a_step_changes_the_hash(old: str, new: str) -> None:
    assert plan_hash(flow(STEPS.replace(old, new), HEAD)) != plan_hash(flow(STEPS, HEAD))


def test_order_and_inputs_change_the_hash_and_a_title_does_not() -> None:
    lines = STEPS.strip().splitlines()
    base = plan_hash(flow(STEPS, HEAD))
    assert plan_hash(flow("\n".join(reversed(lines)), HEAD)) != base
    assert plan_hash(flow(STEPS, "inputs: {xs: {type: array, default: []}}")) != base
    assert plan_hash(flow(STEPS, HEAD + "\nname: Another title\ndescription: Words")) == base
    assert plan_hash(flow(STEPS.replace("name: First", 'name: "First"'), HEAD)) == base
    assert len(base) == 64
