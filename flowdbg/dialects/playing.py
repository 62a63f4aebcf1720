"""Plan entries played one after the other, for callers that wait for the end.

The step stream has a loop of its own, because it sends every event; this one only records.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flowdbg.dialects.services import BlockOverrides, Call, Resolved, Services
from flowdbg.engine.definition import FlowDefinition
from flowdbg.engine.events import EntryCompleted, EntryFailed, EntryPaused, TerminalEvent
from flowdbg.engine.inputs import flow_input
from flowdbg.engine.runner import Runner
from flowdbg.engine.walk import Checkpoint


def inputs_of(definition: FlowDefinition, initial: Mapping[str, Any]) -> dict[str, Any]:
    """The flow's global input, from what a run was started with.

    Images and chat turns reach the blocks beside the inputs, under names of their own.

    Raises:
        InputInvalid: A required input is missing, or one has a wrong value.
    """
    inputs = flow_input(definition, initial.get("message"), initial.get("parameters") or {})
    return {**inputs, **beside_inputs(initial)}


def beside_inputs(initial: Mapping[str, Any]) -> dict[str, Any]:
    """What a run was started with beside its inputs."""
    return {name: initial[name] for name in ("attachments", "messages") if initial.get(name)}


@dataclass(slots=True)
class Play:
    """What a flow is played with, and what it has brought so far."""

    resolved: Resolved
    inputs: Mapping[str, Any]
    """The flow's global input."""
    outputs: dict[str, Any] = field(default_factory=dict)
    """Step id to output, of everything that has run."""
    block_overrides: BlockOverrides = field(default_factory=dict)
    tools: Sequence[Mapping[str, Any]] = ()
    tool_choice: Any = None
    resume: Mapping[str, Any] | None = None
    """State of the pause that the first entry goes on from."""

    @property
    def result(self) -> Any:
        """The last entry's output."""
        return self.outputs.get(self.resolved.plan[-1].step_id)


async def play_entry(
    engine: Runner, call: Call, play: Play, index: int, checkpoint: Checkpoint | None = None
) -> TerminalEvent:
    """Play one plan entry to its end; `checkpoint` gets the state at every block boundary.

    Raises:
        EngineError: The request does not fit; nothing has run.
    """
    resume, play.resume = play.resume, None
    events = engine.run_entry(
        play.resolved.definition,
        index,
        outputs=play.outputs,
        initial=play.inputs,
        block_overrides=play.block_overrides,
        tools=play.tools,
        tool_choice=play.tool_choice,
        resume=resume,
        checkpoint=checkpoint,
    )
    call.enter(index, resume)
    async with contextlib.aclosing(events):
        async for event in events:
            call.note(event)
            if isinstance(event, TerminalEvent):
                if isinstance(event, EntryCompleted):
                    play.outputs[play.resolved.plan[index].step_id] = event.output
                return event
    raise RuntimeError("the engine ended an entry without saying how")


async def play_rest(
    services: Services, call: Call, play: Play, start: int
) -> tuple[int, EntryFailed | EntryPaused | None]:
    """Play the entries from `start`; the call is left open, except when it is cut short.

    Returns:
        The index of the last entry played, and why it did not complete (None: all did).

    Raises:
        EngineError: An entry cannot be played; nothing of it has run.
    """
    try:
        for index in range(start, len(play.resolved.plan)):
            terminal = await play_entry(services.engine, call, play, index)
            if not isinstance(terminal, EntryCompleted):
                return index, terminal
    except asyncio.CancelledError:
        call.abandon("interrupted" if services.stopping.begun else "cancelled")
        raise
    return len(play.resolved.plan) - 1, None
