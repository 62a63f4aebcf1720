"""What a model is asked and what it says, the same for every provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flowdbg.engine.events import Usage


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One call of a model; None leaves a setting to the provider."""

    model: str
    messages: Sequence[Mapping[str, Any]]
    """OpenAI chat messages."""
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: Sequence[str] = ()
    output_schema: Mapping[str, Any] | None = None
    """JSON Schema that the text must fit, enforced where the provider can."""
    tools: Sequence[Mapping[str, Any]] = ()
    tool_choice: Any = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of text, as it is generated."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCalls:
    """The model asks for tools: `{id, type, function: {name, arguments (JSON text)}}`."""

    calls: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class ModelFinished:
    """The call ended; always last."""

    usage: Usage = field(default_factory=Usage)
    reason: str = "stop"
    """Why: `stop`, `length` (max_tokens reached), `tool_calls`, or what the provider says."""


ModelEvent = TextDelta | ToolCalls | ModelFinished
