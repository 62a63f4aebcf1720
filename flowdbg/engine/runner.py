"""Runs one plan entry and tells what happens, event by event.

Protocol: noukai sections 12 and 17; the wire form is the dialect's business.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from flowdbg.engine.blocks.base import ToolOffer, ToolsAsked
from flowdbg.engine.branches import Stopped
from flowdbg.engine.channel import Channel
from flowdbg.engine.definition import FlowDefinition
from flowdbg.engine.errors import MissingOutput, StepIndexInvalid
from flowdbg.engine.events import (
    EngineEvent,
    EntryCompleted,
    EntryFailed,
    EntryPaused,
    TerminalEvent,
)
from flowdbg.engine.nodes import Node
from flowdbg.engine.plan import apply_block_overrides, plan_hash
from flowdbg.engine.references import outputs_needed
from flowdbg.engine.scope import Scope
from flowdbg.engine.services import Services
from flowdbg.engine.state import Progress
from flowdbg.engine.walk import Checkpoint, NodeFailed, StopBefore, Walk


class Runner:
    """Runs plan entries with the services of one process; holds no state of a run."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def run_entry(  # noqa: PLR0913  # the fields of one step request
        self,
        definition: FlowDefinition,
        index: int,
        *,
        outputs: Mapping[str, Any],
        initial: Mapping[str, Any],
        input_overrides: Mapping[str, Any] | None = None,
        block_overrides: Mapping[str, Mapping[str, Any]] | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        tool_choice: Any = None,
        resume: Mapping[str, Any] | None = None,
        checkpoint: Checkpoint | None = None,
        stop_before: StopBefore = lambda _: False,
    ) -> AsyncGenerator[EngineEvent, None]:
        """Run entry `index` of the plan; the checks are made in this call, before any event.

        The pipeline input is the preceding entry's output after `input_overrides` (whole values
        by step id) were laid over `outputs`; for entry 0 it is `initial`. Exactly one terminal
        event comes last. Closing the generator cancels everything that runs, the model call
        included; one that was never iterated has run nothing.

        Args:
            definition: The flow.
            index: Which entry of its plan.
            outputs: Step id to output, as far as the caller has them.
            initial: The flow's global input, see `flowdbg.engine.inputs.flow_input`.
            input_overrides: Step id to a value that stands in for its whole output.
            block_overrides: Step id to fields that stand in for its configuration.
            tools: OpenAI tool definitions, offered by blocks with `tools_enabled`.
            tool_choice: Passed on to the provider.
            resume: The state of an `EntryPaused` or of `checkpoint`, or what
                `flowdbg.engine.state.tool_resume` makes; finished blocks are not run again.
            checkpoint: Gets the state at every block boundary.
            stop_before: Whether to stop before the block at a path.

        Raises:
            StepIndexInvalid, MissingOutput, OverrideInvalid, ResumeInvalid
        """
        if not 0 <= index < len(definition.steps):
            raise StepIndexInvalid(
                f"The plan has {len(definition.steps)} steps, so there is no step {index}.",
                "Give an index of the plan.",
            )
        effective = apply_block_overrides(definition, block_overrides or {})
        known = {**outputs, **(input_overrides or {})}
        _require_outputs(effective, index, known)
        earlier = {node.id: known[node.id] for node in effective.steps[:index] if node.id in known}
        pipeline_input = earlier[effective.steps[index - 1].id] if index else dict(initial)
        progress = Progress(definition.steps[index].id, lambda: plan_hash(definition))
        if resume is not None:
            progress.restore(resume)
        walk = Walk(
            self._services,
            effective.scripts,
            progress,
            Channel(),
            _offer(progress, tools or (), tool_choice),
            checkpoint,
            stop_before,
        )
        scope = Scope(pipeline_input, dict(initial), earlier)
        return _events(walk, effective.steps[index], scope)


async def _events(walk: Walk, node: Node, scope: Scope) -> AsyncGenerator[EngineEvent, None]:
    task = asyncio.create_task(_walked(walk, node, scope))
    task.add_done_callback(lambda _: walk.channel.close())
    try:
        while events := await walk.channel.take():
            for event in events:
                yield event
        # Raises what the walk did not foresee.
        yield task.result()
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _walked(walk: Walk, node: Node, scope: Scope) -> TerminalEvent:
    started = time.monotonic()
    progress = walk.progress
    try:
        output = await walk.entry(node, scope)
    except NodeFailed as failure:
        return EntryFailed(
            failure.path, failure.error.as_json(), progress.usage, _milliseconds(started)
        )
    except Stopped as stop:
        return EntryPaused(
            "stop",
            progress.as_json(),
            path=progress.stopped_at or stop.path,
            usage=progress.usage,
            duration_ms=_milliseconds(started),
        )
    except ToolsAsked as asked:
        progress.add(asked.usage, None)
        progress.conversation = {
            "messages": list(asked.messages),
            "iterations_used": asked.iterations_used,
        }
        return EntryPaused(
            "tool_calls",
            progress.as_json(),
            tool_calls=asked.calls,
            messages=asked.messages,
            iterations_used=asked.iterations_used,
            usage=asked.usage,
            duration_ms=_milliseconds(started),
        )
    model = next(iter(progress.models)) if len(progress.models) == 1 else None
    return EntryCompleted(output, progress.usage, _milliseconds(started), model)


def _require_outputs(definition: FlowDefinition, index: int, known: Mapping[str, Any]) -> None:
    needed = set(outputs_needed(definition.steps, index))
    if index:
        needed.add(definition.steps[index - 1].id)
    missing = tuple(
        node.id for node in definition.steps[:index] if node.id in needed and node.id not in known
    )
    if missing:
        raise MissingOutput(missing)


def _offer(progress: Progress, tools: Sequence[Mapping[str, Any]], choice: Any) -> ToolOffer:
    conversation = progress.conversation or {}
    return ToolOffer(
        tools=tools,
        choice=choice,
        messages=conversation.get("messages"),
        iterations_used=conversation.get("iterations_used", 0),
    )


def _milliseconds(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
