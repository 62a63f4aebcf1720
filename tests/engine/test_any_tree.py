"""Random trees, stopped anywhere and gone on with: the same outputs as run through, each once."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from flowdbg.engine.definition import FlowDefinition
from flowdbg.engine.events import (
    EngineEvent,
    EntryCompleted,
    EntryPaused,
    NodeFinished,
    NodePath,
    NodeSkipped,
)
from flowdbg.engine.nodes import Container, Node
from flowdbg.engine.services import Services
from flowdbg.engine.walk import StopBefore
from tests.engine.flows import events_of

INITIAL = {"xs": [7, {"n": 8}, 9], "n": 1}
leaves: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"kind": "passthrough"},
        {"kind": "passthrough", "input": {"before": "pipeline_input", "n": "initial.n"}},
        {"kind": "passthrough", "when": "False"},
        {"kind": "code", "code": "return {'n': 1 + (pipeline_input or {}).get('n', 10)}"},
        {"kind": "code", "code": "return {'known': sorted(outputs)}", "effect": "write"},
    ]
)


def trees(depth: int) -> st.SearchStrategy[dict[str, Any]]:
    """Containers inside containers, to a depth."""
    if not depth:
        return leaves
    inside = st.lists(trees(depth - 1), min_size=1, max_size=3)
    kinds = st.sampled_from(["sequence", "parallel", "loop"])
    nodes: st.SearchStrategy[dict[str, Any]]
    nodes = st.fixed_dictionaries({"kind": kinds, "steps": inside})
    return nodes | leaves


actions = st.lists(
    st.tuples(st.sampled_from(["step", "run to", "die"]), st.integers(0, 30)),
    min_size=3,
    max_size=12,
)


def flow_of(nodes: list[dict[str, Any]]) -> FlowDefinition:
    """A flow whose only entry is a sequence of the nodes."""
    numbers = itertools.count()

    def named(node: dict[str, Any]) -> dict[str, Any]:
        whole = {"id": f"n{next(numbers)}", **node}
        if "steps" in node:
            whole["steps"] = [named(child) for child in node["steps"]]
        if node["kind"] == "loop":
            whole["array_field"] = "initial.xs"
        return whole

    steps = [named({"kind": "sequence", "steps": nodes})]
    return FlowDefinition.model_validate({"flow": "a/b/c", "steps": steps})


def containers(node: Node) -> set[str]:
    inside = node.steps if isinstance(node, Container) else ()
    return {node.id for _ in inside[:1]}.union(*map(containers, inside))


@dataclass
class Driver:
    """One entry, driven through stops and deaths; counts what ran."""

    services: Services
    definition: FlowDefinition
    state: dict[str, Any] | None = None
    ran: Counter[NodePath] = field(default_factory=Counter)
    saved: list[dict[str, Any]] = field(default_factory=list)

    async def go(self, stop_before: StopBefore = lambda _: False) -> EngineEvent:
        """Go on from the state; a block that is finished in it does not run again."""
        finished = outputs_in(self.state["progress"]) if self.state else set()
        self.saved = []
        events = await events_of(
            self.services, self.definition, initial=INITIAL, resume=self.state,
            checkpoint=self.save, stop_before=stop_before,
        )  # fmt: skip
        blocks = self.blocks_in(events)
        assert not any(path[:length] in finished for path in blocks for length in range(len(path)))
        assert not finished.intersection(blocks)
        self.ran.update(blocks)
        return events[-1]

    async def save(self, state: Mapping[str, Any]) -> None:
        self.saved.append(json.loads(json.dumps(state)))

    def blocks_in(self, events: Sequence[EngineEvent]) -> list[NodePath]:
        inner = containers(self.definition.steps[0])
        return [
            event.path
            for event in events
            if isinstance(event, NodeFinished | NodeSkipped) and event.path[-1] not in inner
        ]


def outputs_in(node: Mapping[str, Any], path: NodePath = ()) -> set[NodePath]:
    """The paths of finished nodes in a state's progress; iterations are numbers again."""
    if "output" in node:
        return {path}
    return {
        found
        for name, child in node.get("inside", {}).items()
        for found in outputs_in(child, (*path, int(name) if name.isdecimal() else name))
    }


@settings(max_examples=40)
@given(st.lists(trees(3), min_size=2, max_size=3), actions)
def test_a_tree_stopped_anywhere_ends_as_it_does_when_run_through(
    nodes: list[dict[str, Any]], series: list[tuple[str, int]]
) -> None:
    async def drive() -> None:
        async with Services.create() as services:
            definition = flow_of(nodes)
            whole = Driver(services, definition)
            end = await whole.go()
            assert isinstance(end, EntryCompleted)
            blocks = sorted(whole.ran, key=str)
            driver = Driver(services, definition)
            died = False
            last: EngineEvent | None = None
            for action, number in series:
                target = blocks[number % len(blocks)]
                last = await driver.go(
                    (lambda _: True) if action == "step" else {target}.__contains__
                )
                if isinstance(last, EntryCompleted):
                    break
                assert isinstance(last, EntryPaused)
                driver.state = json.loads(json.dumps(last.state))
                # What was being written when the process died is not repeated: that is a failure
                # of its own, so only states with nothing begun are gone on with here.
                left = [state for state in driver.saved if not state["begun"]]
                if action == "die" and left:
                    died = True
                    driver.state = left[number % len(left)]
            if not isinstance(last, EntryCompleted):
                last = await driver.go()
            assert isinstance(last, EntryCompleted)
            assert last.output == end.output
            assert set(driver.ran) == set(whole.ran)
            assert died or driver.ran == whole.ran

    asyncio.run(drive())
