"""What every block kind gets and gives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flowdbg.engine.effort import Compute
from flowdbg.engine.errors import BlockFailed
from flowdbg.engine.events import Usage
from flowdbg.engine.scope import Scope
from flowdbg.engine.scripts import ScriptedReplies
from flowdbg.engine.services import Services
from flowdbg.engine.templates import TemplateError, render


@dataclass(frozen=True, slots=True)
class ToolOffer:
    """Tools that a block may offer to its model, and the conversation so far when it resumes."""

    tools: Sequence[Mapping[str, Any]] = ()
    choice: Any = None
    messages: Sequence[Mapping[str, Any]] | None = None
    iterations_used: int = 0


@dataclass(frozen=True, slots=True)
class BlockContext:
    """The surroundings of one running block."""

    services: Services
    scope: Scope
    scripts: Mapping[str, ScriptedReplies]
    emit: Callable[[Any], Awaitable[None]]
    """Sends one piece of output (text or JSON) to whoever listens."""
    on_prompt: Callable[[str, Sequence[Mapping[str, Any]]], Awaitable[None]]
    """Told the model and the messages before a model is asked."""
    compute: Compute
    """Does what takes time."""
    tools: ToolOffer = ToolOffer()


@dataclass(frozen=True, slots=True)
class BlockResult:
    """What a block produced."""

    output: Any
    usage: Usage = field(default_factory=Usage)
    model: str | None = None
    size: int = 0
    """Length of the output as JSON text."""


class ToolsAsked(Exception):
    """The model wants tools: the block pauses and goes on with their results."""

    def __init__(
        self,
        calls: Sequence[Mapping[str, Any]],
        messages: Sequence[Mapping[str, Any]],
        iterations_used: int,
        usage: Usage,
    ) -> None:
        super().__init__("the model asks for tools")
        self.calls = calls
        self.messages = messages
        self.iterations_used = iterations_used
        self.usage = usage


async def rendered(field_name: str, template: str, context: BlockContext) -> str:
    """A template of a block with the data of its scope.

    Raises:
        BlockFailed: It does not parse or render (code `TEMPLATE_FAILED`, with line and column).
    """
    try:
        return await render(template, context.scope.names(), context.compute)
    except TemplateError as error:
        raise BlockFailed(
            "TEMPLATE_FAILED",
            f"`{field_name}`: {error.what}",
            error.next_step,
            detail={"field": field_name, "line": error.line, "column": error.column},
            retryable=False,
        ) from error
