"""Small flows in YAML, and running them."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent
from typing import Any

from flowdbg.engine.definition import FlowDefinition, parse_flow
from flowdbg.engine.events import EngineEvent, EntryCompleted, EntryFailed
from flowdbg.engine.runner import Runner
from flowdbg.engine.services import Services
from flowdbg.errors import DefinitionError


def flow(steps: str, head: str = "") -> FlowDefinition:
    """A flow with these steps; `head` is what stands before them."""
    return parse_flow(source(steps, head), "test.flow.yaml")


def source(steps: str, head: str = "") -> str:
    """The text of a flow file with these steps."""
    indented = dedent(steps).replace("\n", "\n  ")
    return f"flow: acme/demo/test\n{dedent(head)}\nsteps:\n  {indented}\n"


def problems(text: str) -> list[str]:
    """What `parse_flow` says about a text, without the file's name."""
    try:
        parse_flow(text, "f")
    except DefinitionError as error:
        return [str(problem).removeprefix("f:") for problem in error.problems]
    return []


async def events_of(
    services: Services,
    definition: FlowDefinition,
    index: int = 0,
    *,
    outputs: Mapping[str, Any] | None = None,
    initial: Mapping[str, Any] | None = None,
    **more: Any,
) -> list[EngineEvent]:
    """All events of one plan entry."""
    run = Runner(services).run_entry(
        definition, index, outputs=outputs or {}, initial=initial or {}, **more
    )
    return [event async for event in run]


async def output_of(
    services: Services, definition: FlowDefinition, index: int = 0, **more: Any
) -> Any:
    """The output of one plan entry; the test fails when it does not complete."""
    last = (await events_of(services, definition, index, **more))[-1]
    assert isinstance(last, EntryCompleted), last
    return last.output


async def failure_of(
    services: Services, definition: FlowDefinition, index: int = 0, **more: Any
) -> EntryFailed:
    """How one plan entry fails; the test fails when it does not."""
    last = (await events_of(services, definition, index, **more))[-1]
    assert isinstance(last, EntryFailed), last
    return last


async def run_all(
    services: Services, definition: FlowDefinition, initial: Mapping[str, Any], **more: Any
) -> dict[str, Any]:
    """The outputs of all plan entries, one after another."""
    outputs: dict[str, Any] = {}
    for index, node in enumerate(definition.steps):
        outputs[node.id] = await output_of(
            services, definition, index, outputs=outputs, initial=initial, **more
        )
    return outputs
