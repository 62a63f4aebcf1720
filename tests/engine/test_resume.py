"""Stopping at any block and going on: nothing finished runs again, nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdbg.engine.definition import FlowDefinition
from flowdbg.engine.errors import ResumeInvalid
from flowdbg.engine.events import (
    EngineEvent,
    EntryCompleted,
    EntryFailed,
    EntryPaused,
    NodeFinished,
    NodePath,
)
from flowdbg.engine.runner import Runner
from flowdbg.engine.services import Services
from flowdbg.engine.state import tool_resume
from tests.engine.flows import events_of, flow

TREE = """
- id: root
  kind: sequence
  steps:
    - {id: a, kind: code, code: "return {'xs': [n, n + 1], 'n': n}"}
    - id: both
      kind: parallel
      steps:
        - {id: left, kind: code, code: "return {'n': n + 100}"}
        - id: right
          kind: loop
          array_field: xs
          steps:
            - {id: r1, kind: code, code: "return {'v': item * 2}"}
            - {id: r2, kind: code, code: "return {'v': v + 1, 'i': index}"}
    - {id: z, kind: code, code: "return {'left': left, 'right': right['items']}"}
"""
WHOLE = {"left": {"n": 105}, "right": [{"v": 11, "i": 0}, {"v": 13, "i": 1}]}
BLOCKS: set[NodePath] = {
    ("a",), ("both", "left"), ("both", "right", 0, "r1"), ("both", "right", 0, "r2"),
    ("both", "right", 1, "r1"), ("both", "right", 1, "r2"), ("z",),
}  # fmt: skip


def blocks_finished(events: list[EngineEvent]) -> list[NodePath]:
    return [e.path for e in events if isinstance(e, NodeFinished) and e.path in BLOCKS]


def through_json(state: Mapping[str, Any]) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(json.dumps(state))
    return loaded


@pytest.mark.parametrize("path", sorted(BLOCKS, key=str))
async def test_a_run_stops_before_any_block_and_goes_on(services: Services, path: NodePath) -> None:
    definition = flow(TREE)
    first = await events_of(services, definition, initial={"n": 5}, stop_before={path}.__contains__)
    paused = first[-1]
    assert isinstance(paused, EntryPaused)
    assert (paused.reason, paused.path) == ("stop", path)
    assert path not in blocks_finished(first)
    second = await events_of(
        services, definition, initial={"n": 5}, resume=through_json(paused.state)
    )
    last = second[-1]
    assert isinstance(last, EntryCompleted)
    assert last.output == WHOLE
    done = blocks_finished(first) + blocks_finished(second)
    assert sorted(done, key=str) == sorted(BLOCKS, key=str)


async def test_stepping_through_every_block_runs_each_once(services: Services) -> None:
    definition = flow(TREE)
    state: dict[str, Any] | None = None
    done: list[NodePath] = []
    for _ in range(30):
        events = await events_of(
            services, definition, initial={"n": 5}, resume=state, stop_before=lambda _: True
        )
        done += blocks_finished(events)
        last = events[-1]
        if isinstance(last, EntryCompleted):
            assert last.output == WHOLE
            break
        assert isinstance(last, EntryPaused)
        state = through_json(last.state)
    assert sorted(done, key=str) == sorted(BLOCKS, key=str)


async def checkpoints(services: Services, definition: FlowDefinition) -> list[dict[str, Any]]:
    states: list[dict[str, Any]] = []

    async def save(state: Mapping[str, Any]) -> None:
        states.append(through_json(state))

    await events_of(services, definition, initial={"n": 5}, checkpoint=save)
    return states


async def test_every_checkpoint_is_enough_to_finish_after_the_process_died(
    services: Services,
) -> None:
    definition = flow(TREE)
    states = await checkpoints(services, definition)
    assert len(states) >= len(BLOCKS)
    for state in states:
        async with Services.create() as others:
            events = await events_of(others, definition, initial={"n": 5}, resume=state)
        last = events[-1]
        assert isinstance(last, EntryCompleted)
        assert last.output == WHOLE
    finished_last = await events_of(services, definition, initial={"n": 5}, resume=states[-1])
    assert blocks_finished(finished_last) == []


async def test_a_later_checkpoint_never_knows_less(services: Services) -> None:
    states = await checkpoints(services, flow(TREE))

    def outputs(node: Mapping[str, Any], path: NodePath = ()) -> set[NodePath]:
        if "output" in node:
            return {path}
        inside: Mapping[str, Any] = node.get("inside", {})
        return {p for name, child in inside.items() for p in outputs(child, (*path, name))}

    def covers(later: set[NodePath], path: NodePath) -> bool:
        return any(path[: len(known)] == known for known in later)

    for before, after in pairwise(states):
        known = outputs(after["progress"])
        assert all(covers(known, path) for path in outputs(before["progress"]))


async def test_a_step_that_changes_something_is_not_repeated_when_its_outcome_is_unknown(
    services: Services,
) -> None:
    definition = flow(
        """
        - id: root
          kind: sequence
          steps:
            - {id: a, kind: passthrough}
            - {id: mail, kind: code, code: "return {'sent': True}", effect: write}
        """
    )
    states = await checkpoints(services, definition)
    begun = next(state for state in states if state["begun"] == [["mail"]])
    last = (await events_of(services, definition, resume=begun, checkpoint=_ignore))[-1]
    assert isinstance(last, EntryFailed)
    assert (last.path, last.error["code"]) == (("mail",), "OUTCOME_UNKNOWN")
    # Once it is finished it is just an output.
    last = (await events_of(services, definition, resume=states[-1], checkpoint=_ignore))[-1]
    assert isinstance(last, EntryCompleted)
    assert last.output == {"sent": True}


async def _ignore(_: Mapping[str, Any]) -> None:
    """A checkpoint that keeps nothing."""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 99}, "not one of this engine"),
        ({"entry": "other"}, "belongs to step `other`"),
        ({"plan_hash": "0" * 64}, "changed since the state was written"),
        ({"progress": []}, "damaged"),
        ({"progress": {"inside": 3}}, "damaged"),
        ({"begun": 7}, "damaged"),
        ({"usage": ["x"]}, "damaged"),
    ],
)
async def test_a_state_that_does_not_fit_is_refused_before_anything_runs(
    services: Services, change: dict[str, Any], said: str
) -> None:
    definition = flow(TREE)
    [state, *_] = await checkpoints(services, definition)
    with pytest.raises(ResumeInvalid, match=said):
        Runner(services).run_entry(
            definition, 0, outputs={}, initial={}, resume={**state, **change}
        )


async def test_usage_counts_across_a_stop(services: Services) -> None:
    definition = flow(
        """
        - id: root
          kind: sequence
          steps:
            - {id: a, kind: llm, model: scripted/x, prompt: one}
            - {id: b, kind: llm, model: scripted/x, prompt: two}
        """,
        "scripts: {x: {replies: [{text: hi, usage: {prompt: 3, completion: 1, cost: '0.5'}}]}}",
    )
    paused = (await events_of(services, definition, stop_before={("b",)}.__contains__))[-1]
    assert isinstance(paused, EntryPaused)
    last = (await events_of(services, definition, resume=through_json(paused.state)))[-1]
    assert isinstance(last, EntryCompleted)
    assert (last.usage.prompt, last.usage.completion, last.usage.cost_text) == (6, 2, "1.0")
    assert last.model == "scripted/x"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["output", "inside", "a", "messages", "id"]), inner)
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["progress", "begun", "stopped_at", "usage", "models", "conversation"]),
        json_values,
    )
)
def test_any_damaged_state_is_refused_or_harmless(damage: dict[str, Any]) -> None:
    runner = Runner(Services.create())
    with suppress(ResumeInvalid):
        runner.run_entry(
            flow("- {id: a, kind: passthrough}"),
            0,
            outputs={},
            initial={},
            resume={"version": 1, **damage},
        )


@given(st.lists(json_values, max_size=4), st.integers())
def test_any_tool_conversation_is_accepted_or_refused(messages: list[Any], used: int) -> None:
    with suppress(ResumeInvalid):
        tool_resume(messages, used)
