"""The `passthrough` block: its output is its input."""

from __future__ import annotations

from flowdbg.engine.blocks.base import BlockContext, BlockResult
from flowdbg.engine.nodes import PassthroughBlock


async def run_passthrough(_block: PassthroughBlock, context: BlockContext) -> BlockResult:
    """Hand the pipeline input on."""
    return BlockResult(context.scope.pipeline_input)
