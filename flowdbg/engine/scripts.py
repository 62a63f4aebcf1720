"""Scripted models: replies written down in YAML, for tests and for teaching.

A scripted model has the name `scripted/<name>`, so nobody takes its words for a real model's.
A reply with `match` answers a conversation that contains that text; the replies without it are
given in turn, and after the last one from the first again.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pydantic import Field, model_validator

from flowdbg.engine.nodes import Model


class ScriptedFailure(Model):
    """How a scripted reply fails."""

    message: str = Field(min_length=1)
    """What the model's server would say."""
    code: str = "MODEL_FAILED"
    """Code of the step's error."""
    after_chunks: int = Field(default=0, ge=0)
    """How many chunks come before the failure."""


class ScriptedToolCall(Model):
    """A tool the scripted model asks for."""

    name: str = Field(min_length=1, max_length=64)
    """The tool's name."""
    arguments: dict[str, Any] = Field(default_factory=dict)
    """Its arguments."""


class ScriptedUsage(Model):
    """What a scripted reply says it consumed."""

    prompt: int = Field(default=0, ge=0)
    completion: int = Field(default=0, ge=0)
    cost: Decimal = Decimal(0)


class ScriptedReply(Model):
    """One answer. Its text is `text` in words, or `chunks` as they are, or `json` as JSON text."""

    match: str | None = Field(default=None, min_length=1)
    """Answer conversations that contain this text; None: answer in turn."""
    text: str | None = None
    """The answer; streamed word by word."""
    chunks: tuple[str, ...] | None = None
    """The answer in exactly these chunks."""
    value: Any = None
    """The answer as a JSON value; streamed as its JSON text."""
    repeat: int = Field(default=1, ge=1, le=1_000_000)
    """How often the chunks are sent, one round after another."""
    first_delay: float = Field(default=0, ge=0, le=600)
    """Seconds before the first chunk."""
    delay: float = Field(default=0, ge=0, le=60)
    """Seconds before every further chunk."""
    fail: ScriptedFailure | None = None
    """Fail instead of ending well."""
    tool_calls: tuple[ScriptedToolCall, ...] = ()
    """Ask for tools instead of answering; needs tools in the request."""
    usage: ScriptedUsage | None = None
    """Token counts; None counts one a chunk and one a prompt word."""

    @model_validator(mode="after")
    def _says_something(self) -> ScriptedReply:
        given = [name for name in ("text", "chunks", "value") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"give one of text, chunks and value, not {' and '.join(given)}")
        if not given and self.fail is None and not self.tool_calls:
            raise ValueError("give text, chunks, value, tool_calls or fail")
        return self


class ScriptedReplies(Model):
    """The script of one scripted model."""

    replies: tuple[ScriptedReply, ...] = Field(min_length=1, max_length=1000)
    """Answers; the first one whose `match` fits is used, else the next one without `match`."""
    sees_images: bool = False
    """Whether the model takes images; their addresses count as text for `match`."""
