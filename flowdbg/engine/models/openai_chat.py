"""Models behind an OpenAI-compatible endpoint, the offline model included."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from flowdbg.engine.events import Usage
from flowdbg.engine.models.failures import ModelFailed, explained
from flowdbg.engine.models.messages import (
    ModelEvent,
    ModelFinished,
    ModelRequest,
    TextDelta,
    ToolCalls,
)
from flowdbg.engine.models.output_schema import bounded_schema, is_strict, schema_instruction
from flowdbg.engine.models.providers import OPENROUTER, Provider

if TYPE_CHECKING:
    from openai import AsyncOpenAI

LOCAL_MAX_TOKENS = 512
"""Tokens the offline model writes when a block does not say; it seldom ends by itself."""


class OpenAiChat:
    """One provider; the connection is made with the first request."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._client: AsyncOpenAI | None = None
        self._without_schema: set[str] = set()

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """The answer, token by token; closing it closes the connection and frees the model.

        Raises:
            ModelError: See `flowdbg.engine.models.failures`.
        """
        client = await self._connected()
        constrained = request.output_schema is not None and (
            request.model not in self._without_schema
        )
        try:
            async with aclosing(self._attempt(client, request, constrained=constrained)) as events:
                async for event in events:
                    yield event
        except ModelFailed as error:
            # Some providers refuse `response_format`; then the schema goes into the prompt.
            if not (constrained and error.refuses_schema):
                raise
            self._without_schema.add(request.model)
            async with aclosing(self._attempt(client, request, constrained=False)) as events:
                async for event in events:
                    yield event

    async def aclose(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _connected(self) -> AsyncOpenAI:
        if self._client is None:
            # 0.5 s of imports, off the event loop and only for flows that ask a model.
            openai = await asyncio.to_thread(importlib.import_module, "openai")
            self._client = openai.AsyncOpenAI(
                base_url=self._provider.base_url,
                api_key=self._provider.api_key or "none",
                # Repeating is the block's `retries`, where people see it.
                max_retries=0,
                # The block's time-out ends the whole attempt; a slow token is no failure.
                timeout=openai.Timeout(None, connect=15.0),
                # The offline model's listener closes a kept connection just when it is used again.
                default_headers={"Connection": "close"} if self._provider.is_local else None,
                http_client=openai.DefaultAsyncHttpxClient(
                    timeout=openai.Timeout(None, connect=15.0),
                    trust_env=not self._provider.is_local,
                    follow_redirects=False,
                ),
            )
        return self._client

    async def _attempt(
        self, client: AsyncOpenAI, request: ModelRequest, *, constrained: bool
    ) -> AsyncGenerator[ModelEvent, None]:
        calls = _CallCollector()
        usage = Usage(cost=Decimal(0) if self._provider.is_local else None)
        reason = "stop"
        try:
            stream = await client.chat.completions.create(
                **self._parameters(request, constrained=constrained)
            )
            async with stream:
                async for chunk in stream:
                    if chunk.usage is not None:
                        usage = self._usage(request.model, chunk.usage)
                    for choice in chunk.choices:
                        if choice.delta is not None and choice.delta.content:
                            yield TextDelta(choice.delta.content)
                        if choice.delta is not None and choice.delta.tool_calls:
                            calls.add(choice.delta.tool_calls)
                        reason = choice.finish_reason or reason
        except Exception as error:
            failure = explained(error, self._provider, request.model)
            if failure is None:
                raise
            raise failure from error
        if collected := calls.finished():
            yield ToolCalls(collected)
        yield ModelFinished(usage, reason)

    def _parameters(self, request: ModelRequest, *, constrained: bool) -> dict[str, Any]:
        messages = [dict(message) for message in request.messages]
        schema = request.output_schema
        parameters: dict[str, Any] = {
            "model": request.model,
            "messages": messages,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        for name in ("temperature", "top_p", "max_tokens", "seed"):
            if (value := getattr(request, name)) is not None:
                parameters[name] = value
        if request.stop:
            parameters["stop"] = list(request.stop)
        if request.tools:
            parameters["tools"] = list(request.tools)
            if request.tool_choice is not None:
                parameters["tool_choice"] = request.tool_choice
        if schema is not None and constrained:
            parameters["response_format"] = self._response_format(schema)
        elif schema is not None:
            messages.append({"role": "system", "content": schema_instruction(schema)})
        if self._provider.is_local:
            parameters.setdefault("max_tokens", LOCAL_MAX_TOKENS)
        if self._provider.name == OPENROUTER:
            parameters["extra_body"] = {"usage": {"include": True}}
        return parameters

    def _response_format(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        used = bounded_schema(schema) if self._provider.is_local else dict(schema)
        strict = self._provider.is_local or is_strict(schema)
        return {
            "type": "json_schema",
            "json_schema": {"name": "output", "schema": used, "strict": strict},
        }

    def _usage(self, model: str, told: Any) -> Usage:
        prompt, completion = told.prompt_tokens or 0, told.completion_tokens or 0
        cost: Decimal | None = None
        if self._provider.is_local:
            cost = Decimal(0)
        elif isinstance(stated := getattr(told, "cost", None), int | float | str):
            cost = Decimal(str(stated))
        elif price := self._provider.prices.get(model):
            cost = price.cost(prompt, completion)
        return Usage(prompt, completion, cost)


class _CallCollector:
    """Puts the pieces of streamed tool calls together."""

    def __init__(self) -> None:
        self._calls: dict[int, dict[str, str]] = {}

    def add(self, pieces: Any) -> None:
        for piece in pieces:
            call = self._calls.setdefault(piece.index, {"id": "", "name": "", "arguments": ""})
            call["id"] = piece.id or call["id"]
            if piece.function is not None:
                call["name"] += piece.function.name or ""
                call["arguments"] += piece.function.arguments or ""

    def finished(self) -> list[dict[str, Any]]:
        return [
            {
                "id": call["id"] or f"call_{index}",
                "type": "function",
                "function": {"name": call["name"], "arguments": call["arguments"] or "{}"},
            }
            for index, call in sorted(self._calls.items())
        ]
