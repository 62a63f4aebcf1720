"""Runs one block: input check, attempts with a time-out, output check."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from flowdbg.engine.blocks.base import BlockContext, BlockResult
from flowdbg.engine.blocks.code import run_code
from flowdbg.engine.blocks.http import run_http
from flowdbg.engine.blocks.llm import run_llm
from flowdbg.engine.errors import BlockFailed
from flowdbg.engine.nodes import Block, CodeBlock, HttpBlock, LlmBlock
from flowdbg.engine.schemas import SchemaMismatch, check_value
from flowdbg.engine.sizes import json_size

_MAX_DELAY = 10.0

OnRetry = Callable[[int, Mapping[str, Any]], Awaitable[None]]
"""Told about attempt n (1-based) and its error before the next attempt."""


async def run_block(block: Block, context: BlockContext, on_retry: OnRetry) -> BlockResult:
    """The result of a block, after as many attempts as it allows.

    Raises:
        BlockFailed: Its input does not fit, or the last attempt failed.
        ToolsAsked: The model wants tools.
    """
    await _check(
        "INPUT_SCHEMA", "input", context.scope.pipeline_input, block.input_schema, context, False
    )
    attempt = 1
    while True:
        try:
            return await _attempt(block, context)
        except BlockFailed as error:
            if attempt > block.retries or not error.retryable:
                raise
            await on_retry(attempt, error.as_json())
        delay = context.services.settings.retry_delay * 2 ** (attempt - 1)
        await asyncio.sleep(min(delay, _MAX_DELAY))
        attempt += 1


async def _attempt(block: Block, context: BlockContext) -> BlockResult:
    seconds = _time_out(block, context)
    try:
        async with asyncio.timeout(seconds):
            result = await _run(block, context)
    except TimeoutError as error:
        raise BlockFailed(
            "TIMEOUT",
            f"The block took longer than {seconds:g} seconds.",
            "Raise its `timeout`, or make it do less.",
        ) from error
    async with context.services.effort.turn:
        size = _check_size(result.output, context.services.settings.max_output_bytes)
    await _check("OUTPUT_SCHEMA", "output", result.output, block.output_schema, context, True)
    return replace(result, size=size)


async def _run(block: Block, context: BlockContext) -> BlockResult:
    if isinstance(block, LlmBlock):
        return await run_llm(block, context)
    if isinstance(block, CodeBlock):
        return await run_code(block, context)
    if isinstance(block, HttpBlock):
        return await run_http(block, context)
    return BlockResult(context.scope.pipeline_input)


def _time_out(block: Block, context: BlockContext) -> float:
    settings = context.services.settings
    if block.timeout is not None:
        return block.timeout
    if isinstance(block, HttpBlock):
        return settings.http_timeout
    if isinstance(block, CodeBlock):
        # The sandbox ends code by itself; this only bounds waiting for a free worker.
        return 60 + 2 * settings.sandbox.seconds
    return settings.llm_timeout


async def _check(
    code: str,
    what: str,
    value: Any,
    schema: Mapping[str, Any] | None,
    context: BlockContext,
    retryable: bool,
) -> None:
    if schema is None:
        return
    try:
        await check_value(value, schema, context.services.sandbox, context.compute)
    except SchemaMismatch as error:
        raise BlockFailed(
            code,
            f"The {what} does not fit the block's {what}_schema: {error.what}",
            f"Correct the schema or what makes the {what}.",
            detail={"where": error.where},
            retryable=retryable,
        ) from error


def _check_size(output: Any, limit: int) -> int:
    """The size of an output as JSON text; refuses one that is too large.

    Raises:
        BlockFailed: Code `OUTPUT_TOO_LARGE`, or as `json_size`.
    """
    size = json_size(output)
    if size > limit:
        raise BlockFailed(
            "OUTPUT_TOO_LARGE", f"The output is larger than {limit:,} bytes.", "Return less."
        )
    return size
