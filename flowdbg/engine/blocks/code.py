"""The `code` block: a Python function body in the sandbox. Protocol: noukai section 13."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowdbg.engine.blocks.base import BlockContext, BlockResult
from flowdbg.engine.errors import BlockFailed
from flowdbg.engine.nodes import CodeBlock
from flowdbg.errors import SandboxError


async def run_code(block: CodeBlock, context: BlockContext) -> BlockResult:
    """Call the body with `initial`, `outputs` and one argument per input field.

    What it prints is sent as one piece of output.

    Raises:
        BlockFailed: The code fails, passes a limit, or returns something that is not an object.
    """
    printed: list[str] = []
    try:
        output = await context.services.sandbox.run_function(
            block.code, _arguments(block, context), on_print=printed.append
        )
    except SandboxError as error:
        raise BlockFailed("CODE_FAILED", error.what, error.next_step) from error
    finally:
        if printed:
            await context.emit("".join(printed))
    if not isinstance(output, dict):
        kind = type(output).__name__
        raise BlockFailed(
            "CODE_FAILED",
            f"The code returned {'nothing' if output is None else kind}, not an object.",
            "Return a dictionary, such as `return {'text': text}`.",
        )
    return BlockResult(output)


def _arguments(block: CodeBlock, context: BlockContext) -> dict[str, Any]:
    names = context.scope.names()
    properties = (block.input_schema or {}).get("properties")
    if not isinstance(properties, Mapping):
        return names
    # A declared field is a parameter even when the input lacks it: with its default, or None.
    defaults = {
        name: schema.get("default") if isinstance(schema, Mapping) else None
        for name, schema in properties.items()
    }
    return {**defaults, **names}
