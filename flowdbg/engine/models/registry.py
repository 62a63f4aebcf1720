"""Finds the model that a model id names.

scripted/<name>          a script of the flow itself
local/smollm2-135m       the small offline model
local/<path>.gguf        any other GGUF file
<provider>/<model>       a configured provider
<vendor>/<model>         OpenRouter when its key is there, else `openai` at its own base URL
<model>                  the provider called `openai`
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from flowdbg.engine.models.failures import ModelFailed
from flowdbg.engine.models.local_process import LocalProcess
from flowdbg.engine.models.messages import ModelEvent, ModelRequest
from flowdbg.engine.models.openai_chat import OpenAiChat
from flowdbg.engine.models.providers import OPENAI, OPENROUTER, Provider
from flowdbg.engine.models.scripted import ScriptedModel
from flowdbg.engine.models.store import model_path
from flowdbg.engine.nodes import SMALL_MODEL
from flowdbg.engine.scripts import ScriptedReplies

_MAX_SCRIPTED = 200


class Models:
    """All models of one process; use from one event loop."""

    def __init__(self, cache_dir: Path, providers: Sequence[Provider] = ()) -> None:
        self._cache_dir = cache_dir
        self._providers = {provider.name: provider for provider in providers}
        self._scripted: dict[str, ScriptedModel] = {}
        self._chats: dict[tuple[str, str], OpenAiChat] = {}
        self._processes: dict[Path, LocalProcess] = {}

    async def stream(
        self, request: ModelRequest, scripts: Mapping[str, ScriptedReplies]
    ) -> AsyncGenerator[ModelEvent, None]:
        """Ask the model that the request names; `scripts` are the flow's own.

        Raises:
            ModelError: There is no such model, or it fails.
        """
        kind, _, rest = request.model.partition("/")
        if kind == "scripted":
            events = self._scripted_model(rest, scripts).stream(request)
        elif kind == "local":
            events = self._local(rest, replace(request, model=rest))
        else:
            provider, model = self._provider(request.model)
            events = self._chat(provider).stream(replace(request, model=model))
        async with aclosing(events):
            async for event in events:
                yield event

    def sees_images(self, model: str, scripts: Mapping[str, ScriptedReplies]) -> bool:
        """Whether a model takes images, as far as is known: a provider's is taken to."""
        kind, _, rest = model.partition("/")
        if kind == "scripted":
            return rest in scripts and scripts[rest].sees_images
        return kind != "local"

    @property
    def local_processes(self) -> tuple[LocalProcess, ...]:
        """The processes of the offline models used so far."""
        return tuple(self._processes.values())

    async def aclose(self) -> None:
        """Close connections and end the offline models."""
        for chat in self._chats.values():
            await chat.aclose()
        for process in self._processes.values():
            process.close()
        self._chats.clear()
        self._processes.clear()

    def _chat(self, provider: Provider) -> OpenAiChat:
        # A restarted offline model has another port and another key.
        return self._chats.setdefault((provider.base_url, provider.api_key), OpenAiChat(provider))

    def _provider(self, model: str) -> tuple[Provider, str]:
        """The provider for a model id, and what the model is called there."""
        first, slash, rest = model.partition("/")
        if slash and first in self._providers:
            return self._providers[first], rest
        if slash and OPENROUTER in self._providers:
            return self._providers[OPENROUTER], model
        if OPENAI in self._providers:
            return self._providers[OPENAI], model
        known = ", ".join(sorted(self._providers)) or "none"
        raise ModelFailed(
            f"There is no provider for the model `{model}`.",
            f"Set OPENAI_API_KEY or OPENROUTER_API_KEY, or use a local model. Providers: {known}.",
            code="MODEL_UNKNOWN",
            retryable=False,
        )

    async def _local(self, name: str, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        path = self._model_file(name)
        process = self._processes.setdefault(path, LocalProcess(path))
        for is_last in (False, True):
            url, key = await process.endpoint()
            chat = self._chat(Provider("local", url, key, is_local=True))
            begun = False
            try:
                async with aclosing(chat.stream(request)) as events:
                    async for event in events:
                        begun = True
                        yield event
                return
            except ModelFailed as error:
                # It may have died since the last request; nothing was generated, so start anew.
                if is_last or begun or not error.unreachable:
                    raise
                await asyncio.to_thread(process.close)

    def _model_file(self, name: str) -> Path:
        if name == SMALL_MODEL:
            path = model_path(self._cache_dir)
            if path is None:
                raise ModelFailed(
                    f"The offline model `local/{SMALL_MODEL}` is not on this machine.",
                    "Fetch it with `flowdbg model pull`.",
                    code="MODEL_MISSING",
                    retryable=False,
                )
            return path
        path = Path(name).expanduser()
        if path.suffix != ".gguf" or not path.is_file():
            raise ModelFailed(
                f"There is no model file `{name}`.",
                f"Write local/{SMALL_MODEL}, or local/ and the path of a .gguf file.",
                code="MODEL_UNKNOWN",
                retryable=False,
            )
        return path

    def _scripted_model(self, name: str, scripts: Mapping[str, ScriptedReplies]) -> ScriptedModel:
        script = scripts.get(name)
        if script is None:
            known = ", ".join(sorted(scripts)) or "none"
            raise ModelFailed(
                f"There is no scripted model `{name}`.",
                f"Scripts there are: {known}.",
                code="MODEL_UNKNOWN",
                retryable=False,
            )
        # By content, so that a flow published again with another script starts from the first
        # reply, and two flows with the same script name do not share one.
        key = hashlib.sha256(f"{name}\n{script.model_dump_json()}".encode()).hexdigest()
        if key not in self._scripted:
            if len(self._scripted) >= _MAX_SCRIPTED:
                self._scripted.clear()
            self._scripted[key] = ScriptedModel(name, script)
        return self._scripted[key]
