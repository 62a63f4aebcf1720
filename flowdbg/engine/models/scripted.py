"""Scripted models: they say what a YAML file says, chunk by chunk."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from flowdbg.engine.events import Usage
from flowdbg.engine.models.failures import ModelFailed
from flowdbg.engine.models.messages import (
    ModelEvent,
    ModelFinished,
    ModelRequest,
    TextDelta,
    ToolCalls,
)
from flowdbg.engine.scripts import ScriptedReplies, ScriptedReply

_WORDS = re.compile(r"\S+\s*|\s+")


class ScriptedModel:
    """Answers from a script; replies without `match` are given in turn over its whole life."""

    def __init__(self, name: str, script: ScriptedReplies) -> None:
        self._name = name
        self._script = script
        self._turn = 0
        self._lock = threading.Lock()

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """The chosen reply; see `flowdbg.engine.scripts`.

        Raises:
            ModelError: No reply fits, or the reply is a failure.
        """
        reply = self._choose(_conversation_text(request.messages))
        await asyncio.sleep(reply.first_delay)
        sent = 0
        chunks = _chunks(reply)
        for _ in range(reply.repeat if chunks else 0):
            for chunk in chunks:
                if reply.fail is not None and sent >= reply.fail.after_chunks:
                    break
                if reply.delay and sent:
                    await asyncio.sleep(reply.delay)
                sent += 1
                yield TextDelta(chunk)
        if reply.fail is not None:
            raise ModelFailed(
                _sentence(reply.fail.message),
                "The script of this model says so.",
                code=reply.fail.code,
            )
        asks = reply.tool_calls and request.tools and request.tool_choice != "none"
        if asks:
            yield ToolCalls(_calls(reply, request.messages))
        yield ModelFinished(_usage(reply, request.messages, sent), "tool_calls" if asks else "stop")

    def _choose(self, text: str) -> ScriptedReply:
        for reply in self._script.replies:
            if reply.match is not None and reply.match in text:
                return reply
        in_turn = [reply for reply in self._script.replies if reply.match is None]
        if not in_turn:
            raise ModelFailed(
                f"No reply of the scripted model `{self._name}` matches the prompt.",
                "Add a reply without `match` to its script.",
                retryable=False,
            )
        with self._lock:
            self._turn += 1
            return in_turn[(self._turn - 1) % len(in_turn)]


def _sentence(text: str) -> str:
    """What an author wrote, with an end that another sentence can follow."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _conversation_text(messages: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(_content_text(message.get("content")) for message in messages)


def _content_text(content: Any) -> str:
    """The text of a message; of one in parts also the addresses of its images."""
    if not isinstance(content, list):
        return str(content or "")
    return "\n".join(_part_text(part) for part in content)


def _part_text(part: Mapping[str, Any]) -> str:
    image = part.get("image_url")
    address = image.get("url") if isinstance(image, Mapping) else None
    return str(part.get("text") or address or "")


def _chunks(reply: ScriptedReply) -> tuple[str, ...]:
    if reply.chunks is not None:
        return reply.chunks
    text = reply.text
    if reply.value is not None:
        text = json.dumps(reply.value, ensure_ascii=False)
    return tuple(_WORDS.findall(text)) if text else ()


def _calls(reply: ScriptedReply, messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    # Numbered over the conversation, so that two rounds never use one id twice.
    before = sum(len(message.get("tool_calls") or ()) for message in messages)
    return [
        {
            "id": f"call_{before + number}",
            "type": "function",
            "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
        }
        for number, call in enumerate(reply.tool_calls, start=1)
    ]


def _usage(reply: ScriptedReply, messages: Sequence[Mapping[str, Any]], sent: int) -> Usage:
    if reply.usage is not None:
        return Usage(reply.usage.prompt, reply.usage.completion, reply.usage.cost)
    return Usage(len(_conversation_text(messages).split()), sent)
