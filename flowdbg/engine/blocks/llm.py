"""The `llm` block: renders its prompt, streams the answer, and makes an object of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

from flowdbg.engine.blocks.base import BlockContext, BlockResult, ToolsAsked, rendered
from flowdbg.engine.errors import BlockFailed, ResumeInvalid
from flowdbg.engine.events import Usage
from flowdbg.engine.models.messages import ModelFinished, ModelRequest, TextDelta, ToolCalls
from flowdbg.engine.nodes import LlmBlock
from flowdbg.engine.tools import chat_message
from flowdbg.errors import ModelError

_FENCE = "```"


async def run_llm(block: LlmBlock, context: BlockContext) -> BlockResult:
    """Ask the model; output is `{"text": …}`, or the object that `output_schema` describes.

    Raises:
        BlockFailed: The prompt does not render, the model fails, or the answer is no such object.
        ToolsAsked: The model wants tools; resume with their results.
    """
    request = await _request(block, context)
    await context.on_prompt(block.model, request.messages)
    text, calls, finished = await _answer(block, request, context)
    if calls and not request.tools:
        raise BlockFailed(
            "MODEL_FAILED", "The model asks for tools although none were offered.", "Try again."
        )
    if calls:
        asked = {"role": "assistant", "content": text or None, "tool_calls": list(calls)}
        raise ToolsAsked(
            calls,
            [*request.messages, asked],
            context.tools.iterations_used + 1,
            finished.usage,
        )
    return BlockResult(_output(block, text, finished), finished.usage, block.model)


async def _request(block: LlmBlock, context: BlockContext) -> ModelRequest:
    resumed = context.tools.messages
    messages = await _conversation(block, context) if resumed is None else list(resumed)
    offered = context.tools.tools if block.processor_config.tools_enabled else ()
    return ModelRequest(
        model=block.model,
        messages=messages,
        temperature=block.temperature,
        top_p=block.top_p,
        max_tokens=block.max_tokens,
        seed=block.seed,
        stop=block.stop,
        output_schema=block.output_schema,
        tools=offered,
        tool_choice=context.tools.choice if offered else None,
    )


async def _conversation(block: LlmBlock, context: BlockContext) -> list[Mapping[str, Any]]:
    messages: list[Mapping[str, Any]] = []
    if block.system_prompt:
        system = await rendered("system_prompt", block.system_prompt, context)
        messages.append({"role": "system", "content": system})
    if block.processor_config.chat:
        messages += _earlier_turns(context.scope.initial.get("messages"))
    prompt = await rendered("prompt", block.prompt, context)
    images = _images(block, context)
    content = [{"type": "text", "text": prompt}, *images] if images else prompt
    return [*messages, {"role": "user", "content": content}]


def _earlier_turns(turns: Any) -> list[dict[str, Any]]:
    """The chat so far without its last turn, for which the prompt stands.

    Raises:
        BlockFailed: A turn is not a chat message.
    """
    if not isinstance(turns, list):
        return []
    try:
        return [chat_message(turn) for turn in turns[:-1]]
    except ResumeInvalid as error:
        raise BlockFailed(
            "MESSAGES_INVALID", f"`messages`: {error.what}", "Correct it.", retryable=False
        ) from error


def _images(block: LlmBlock, context: BlockContext) -> list[dict[str, Any]]:
    """The images that came with the run, as parts of a message, where the model takes them."""
    attachments = context.scope.initial.get("attachments")
    models = context.services.models
    if not isinstance(attachments, list) or not models.sees_images(block.model, context.scripts):
        return []
    return [
        {"type": "image_url", "image_url": {"url": attachment["url"]}}
        for attachment in attachments
        if isinstance(attachment, Mapping) and isinstance(attachment.get("url"), str)
    ]


async def _answer(
    block: LlmBlock, request: ModelRequest, context: BlockContext
) -> tuple[str, Any, ModelFinished]:
    pieces: list[str] = []
    size = 0
    limit = context.services.settings.max_output_bytes
    calls: Any = ()
    finished = ModelFinished(Usage())
    try:
        async with aclosing(context.services.models.stream(request, context.scripts)) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    size += len(event.text)
                    if size > limit:
                        raise BlockFailed(
                            "OUTPUT_TOO_LARGE",
                            f"The model wrote more than {limit:,} characters.",
                            "Set max_tokens.",
                        )
                    pieces.append(event.text)
                    await context.emit(event.text)
                elif isinstance(event, ToolCalls):
                    calls = event.calls
                else:
                    finished = event
    except ModelError as error:
        raise BlockFailed(
            getattr(error, "code", "MODEL_FAILED"),
            error.what,
            error.next_step,
            detail={"model": block.model},
            retryable=getattr(error, "retryable", True),
        ) from error
    return "".join(pieces), calls, finished


def _output(block: LlmBlock, text: str, finished: ModelFinished) -> Any:
    if block.output_schema is None:
        return {"text": text}
    try:
        return json.loads(_unfenced(text))
    except (ValueError, RecursionError) as error:
        cut = finished.reason == "length"
        raise BlockFailed(
            "OUTPUT_NOT_JSON",
            "The answer ended before the JSON was complete." if cut else "The answer is not JSON.",
            "Raise max_tokens." if cut else "Make the prompt ask for JSON, or use another model.",
            detail={"text": text[:2000]},
        ) from error


def _unfenced(text: str) -> str:
    """The text without the fence of a code block, where it is one.

    Providers without constrained output like to put JSON into one. Cut by hand: a regular
    expression would take minutes for an answer of nothing but line ends.
    """
    inside = text.strip()
    if not (inside.startswith(_FENCE) and inside.endswith(_FENCE)):
        return text
    language, _, rest = inside.removeprefix(_FENCE).partition("\n")
    return rest.removesuffix(_FENCE) if language.strip() in ("", "json") else text
