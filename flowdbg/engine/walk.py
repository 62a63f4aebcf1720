"""Walks one plan entry: the state machine over its tree.

The walk is written as plain recursion; what makes it resumable is that every finished node is
recorded (`flowdbg.engine.state`) and taken from the record when the tree is walked again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flowdbg.engine.attempts import run_block
from flowdbg.engine.blocks.base import BlockContext, ToolOffer
from flowdbg.engine.branches import Stopped, run_together
from flowdbg.engine.channel import Channel
from flowdbg.engine.effort import Compute
from flowdbg.engine.errors import BlockFailed
from flowdbg.engine.events import (
    EngineEvent,
    IterationFinished,
    IterationStarted,
    NodeFinished,
    NodePath,
    NodeRetried,
    NodeSkipped,
    NodeStarted,
    OutputChunk,
    PromptRendered,
    StepInput,
    Usage,
)
from flowdbg.engine.nodes import (
    Block,
    Container,
    LoopNode,
    Node,
    ParallelNode,
    PassthroughBlock,
    effect_of,
)
from flowdbg.engine.problems import kind_of
from flowdbg.engine.scope import Scope
from flowdbg.engine.scripts import ScriptedReplies
from flowdbg.engine.services import Services
from flowdbg.engine.sizes import Allowance
from flowdbg.engine.state import Progress
from flowdbg.errors import SandboxError

Checkpoint = Callable[[Mapping[str, Any]], Awaitable[None]]
"""Gets the state as JSON at every block boundary; awaited before anything goes on."""
StopBefore = Callable[[NodePath], bool]


class NodeFailed(Exception):
    """A block failed; says where."""

    def __init__(self, path: NodePath, error: BlockFailed) -> None:
        super().__init__(str(error))
        self.path = path
        self.error = error


@dataclass(slots=True)
class Walk:
    """One walk over one entry."""

    services: Services
    scripts: Mapping[str, ScriptedReplies]
    progress: Progress
    channel: Channel
    tools: ToolOffer
    checkpoint: Checkpoint | None
    stop_before: StopBefore
    _stopping: bool = False
    _blocks: int = 0
    _produced: Allowance = field(init=False)
    _compute: Compute = field(init=False)
    _saving: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        """Begin to count."""
        self._compute = self.services.effort.of_a_run()
        self._produced = self._allowance("The blocks of this step produced")

    async def entry(self, node: Node, scope: Scope) -> Any:
        """The output of the whole entry.

        Raises:
            NodeFailed, Stopped, ToolsAsked
        """
        return await self._node(node, (), scope)

    async def _node(self, node: Node, path: NodePath, scope: Scope) -> Any:
        if self.progress.finished(path):
            return self.progress.output(path)
        if not isinstance(node, Container):
            self._stop_here(path)
            self._count_block()
        started = time.monotonic()
        if path:
            await self.channel.send(NodeStarted(path, node.name, node.kind))
        try:
            if await self._wanted(node, scope):
                inner = self._mapped(node, scope)
                await self.channel.send(StepInput(path, inner.pipeline_input))
                output, usage = await self._run(node, path, inner)
                duration = round((time.monotonic() - started) * 1000)
                last: EngineEvent = NodeFinished(path, output, usage, duration)
            else:
                output = scope.pipeline_input
                await self.channel.send(StepInput(path, output))
                last = NodeSkipped(path, output)
        except BlockFailed as error:
            raise NodeFailed(path, error) from error
        self.progress.finish(path, output)
        # That the entry itself finished is told by the terminal event.
        if path or isinstance(last, NodeSkipped):
            await self.channel.send(last)
            await self._save()
        return output

    def _mapped(self, node: Node, scope: Scope) -> Scope:
        """The scope with what the node's `input` collects, which may name one value many times."""
        if node.input is None:
            return scope
        inner = scope.mapped(node.input)
        self._allowance("The `input` collects").take(inner.pipeline_input.values())
        return inner

    async def _run(self, node: Node, path: NodePath, scope: Scope) -> tuple[Any, Usage]:
        if isinstance(node, ParallelNode):
            return await self._parallel(node, path, scope), Usage()
        if isinstance(node, LoopNode):
            return await self._loop(node, path, scope), Usage()
        if isinstance(node, Container):
            return await self._sequence(node, path, scope), Usage()
        return await self._block(node, path, scope)

    async def _block(self, block: Block, path: NodePath, scope: Scope) -> tuple[Any, Usage]:
        if effect_of(block) == "write" and self.checkpoint is not None:
            if self.progress.begun(path):
                raise BlockFailed(
                    "OUTCOME_UNKNOWN",
                    f"Step `{block.id}` had begun before the process ended, and it changes "
                    "something outside; nobody knows whether it did.",
                    "Find out, then resume with its output as an override, or start again.",
                    retryable=False,
                )
            self.progress.begin(path)
            await self._save()

        async def emit(delta: Any) -> None:
            await self.channel.send(OutputChunk(path, delta))

        async def on_prompt(model: str, messages: Sequence[Mapping[str, Any]]) -> None:
            await self.channel.send(PromptRendered(path, model, messages))

        async def on_retry(attempt: int, error: Mapping[str, Any]) -> None:
            await self.channel.send(NodeRetried(path, attempt, error))

        # Tools belong to a block that is a plan entry itself: only there a caller can answer.
        tools = self.tools if not path else ToolOffer()
        context = BlockContext(
            self.services, scope, self.scripts, emit, on_prompt, self._compute, tools
        )
        result = await run_block(block, context, on_retry)
        self.progress.add(result.usage, result.model)
        if not isinstance(block, PassthroughBlock):
            self._produced.spend(result.size)
        return result.output, result.usage

    def _count_block(self) -> None:
        self._blocks += 1
        limit = self.services.settings.max_entry_blocks
        if self._blocks > limit:
            raise BlockFailed(
                "LOOP_TOO_LONG",
                f"More than {limit:,} blocks ran in this one step.",
                "Give its loops less, or make several steps of it.",
                retryable=False,
            )

    def _allowance(self, what: str) -> Allowance:
        return Allowance(self.services.settings.max_entry_bytes, what)

    async def _sequence(self, node: Container, path: NodePath, scope: Scope) -> Any:
        output = scope.pipeline_input
        for child in node.steps:
            output = await self._node(child, (*path, child.id), scope)
            scope = scope.after(child.id, output)
        return output

    async def _parallel(self, node: ParallelNode, path: NodePath, scope: Scope) -> dict[str, Any]:
        outputs = await run_together(
            [self._node(child, (*path, child.id), scope) for child in node.steps]
        )
        # What branches hand on is one value here and many in the output.
        self._allowance("The branches have outputs of").take(outputs)
        return {child.name: output for child, output in zip(node.steps, outputs, strict=True)}

    async def _loop(self, node: LoopNode, path: NodePath, scope: Scope) -> dict[str, Any]:
        items = scope.resolve(node.array_field)
        if not isinstance(items, list):
            raise BlockFailed(
                "NOT_A_LIST",
                f"`{node.array_field}` is {kind_of(items)}, not a list.",
                "Name a list in `array_field`.",
                retryable=False,
            )
        if len(items) > node.max_items:
            raise BlockFailed(
                "LOOP_TOO_LONG",
                f"The list has {len(items):,} items; the loop allows {node.max_items:,}.",
                "Raise `max_items`, or give it less.",
                retryable=False,
            )
        outputs: list[Any] = []
        allowance = self._allowance("The iterations have outputs of")
        for index, item in enumerate(items):
            output = await self._iteration(node, path, scope.iterated(item, index), len(items))
            allowance.take([output])
            outputs.append(output)
        return {"items": outputs}

    async def _iteration(self, node: LoopNode, path: NodePath, scope: Scope, count: int) -> Any:
        index = scope.iteration.index if scope.iteration else 0
        inside = (*path, index)
        if self.progress.finished(inside):
            return self.progress.output(inside)
        await self.channel.send(IterationStarted(path, index, count))
        output = await self._sequence(node, inside, scope)
        self.progress.finish(inside, output)
        await self.channel.send(IterationFinished(path, index, count, output))
        return output

    async def _wanted(self, node: Node, scope: Scope) -> bool:
        if node.when is None:
            return True
        try:
            return bool(await self.services.sandbox.evaluate(node.when, scope.names()))
        except SandboxError as error:
            raise BlockFailed(
                "GUARD_FAILED", f"`when`: {error.what}", error.next_step, retryable=False
            ) from error

    def _stop_here(self, path: NodePath) -> None:
        if self._stopping:
            raise Stopped(path)
        if path == self.progress.stopped_at:
            # This is where an earlier walk stopped; resuming means going past it.
            self.progress.stopped_at = None
        elif self.stop_before(path):
            self._stopping = True
            self.progress.stopped_at = path
            raise Stopped(path)

    async def _save(self) -> None:
        if self.checkpoint is None:
            return
        # One at a time, and the state is read inside the lock: an older one never comes last.
        async with self._saving:
            await self.checkpoint(self.progress.as_json())
