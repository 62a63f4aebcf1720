"""Plan entries played one after the other, and recorded while they are."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flowdbg.dialects.services import BlockOverrides, Call, Resolved, Services
from flowdbg.engine.definition import FlowDefinition
from flowdbg.engine.events import (
    EngineEvent,
    EntryCompleted,
    EntryFailed,
    EntryPaused,
    TerminalEvent,
)
from flowdbg.engine.inputs import flow_input
from flowdbg.engine.runner import Runner
from flowdbg.engine.walk import Checkpoint

Events = AsyncGenerator[EngineEvent, None]
Listener = Callable[[EngineEvent], Awaitable[None] | None]
"""Takes an event; what it returns is waited for (no coroutine around it: chunks are many)."""


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
    input_overrides: dict[str, Any] = field(default_factory=dict)
    """Step id to a value that stands in for its output, until the step itself has run."""
    block_overrides: BlockOverrides = field(default_factory=dict)
    tools: Sequence[Mapping[str, Any]] = ()
    tool_choice: Any = None
    resume: Mapping[str, Any] | None = None
    """State of the pause that the first entry goes on from."""
    opened: Events | None = None
    """The events of the entry that is played next, when the engine has checked it already."""

    @property
    def result(self) -> Any:
        """The last entry's output."""
        return self.outputs.get(self.resolved.plan[-1].step_id)

    def open(self, engine: Runner, index: int, checkpoint: Checkpoint | None = None) -> Events:
        """Have the engine check the entry that is played next; nothing of it runs yet.

        Raises:
            EngineError: The request does not fit.
        """
        self.opened = engine.run_entry(
            self.resolved.definition,
            index,
            outputs=self.outputs,
            initial=self.inputs,
            input_overrides=self.input_overrides,
            block_overrides=self.block_overrides,
            tools=self.tools,
            tool_choice=self.tool_choice,
            resume=self.resume,
            checkpoint=checkpoint,
        )
        return self.opened


async def play_entry(
    engine: Runner,
    call: Call,
    play: Play,
    index: int,
    checkpoint: Checkpoint | None = None,
    hear: Listener | None = None,
) -> TerminalEvent:
    """Play one plan entry to its end.

    `checkpoint` gets the state at every block boundary, `hear` each event.

    Raises:
        EngineError: The request does not fit; nothing has run.
    """
    call.enter(index, play.resume)
    events = play.opened or play.open(engine, index, checkpoint)
    play.opened = play.resume = None
    async with contextlib.aclosing(events):
        async for event in events:
            call.note(event)
            if hear is not None and (waiting := hear(event)) is not None:
                await waiting
            if isinstance(event, TerminalEvent):
                if isinstance(event, EntryCompleted):
                    step_id = play.resolved.plan[index].step_id
                    play.outputs[step_id] = event.output
                    # Within one call the real output wins over an override (noukai, 17.8).
                    play.input_overrides.pop(step_id, None)
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
