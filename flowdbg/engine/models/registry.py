"""Finds the model that a model id names.

scripted/<name>          a script: of the flow itself, else one given to the registry
local/smollm2-135m       the small offline model
local/<path>.gguf        any other GGUF file
<provider>/<model>       a configured provider
<vendor>/<model>         OpenRouter, when its key is there
<model>                  the provider called `openai`
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Mapping

from flowdbg.engine.models.messages import ChatModel, ModelEvent, ModelRequest
from flowdbg.engine.models.scripted import ScriptedModel
from flowdbg.engine.scripts import ScriptedReplies
from flowdbg.errors import ModelError

_MAX_SCRIPTED = 1000


class Models:
    """All models of one process; use from one event loop."""

    def __init__(self, scripts: Mapping[str, ScriptedReplies] | None = None) -> None:
        self._scripts = dict(scripts or {})
        self._scripted: dict[str, ScriptedModel] = {}

    def stream(
        self, request: ModelRequest, scripts: Mapping[str, ScriptedReplies]
    ) -> AsyncGenerator[ModelEvent, None]:
        """Ask the model that the request names; `scripts` are the flow's own.

        Raises:
            ModelError: There is no such model, or it fails (also while iterating).
        """
        return self._find(request.model, scripts).stream(request)

    async def aclose(self) -> None:
        """Close connections and end the offline model."""
        self._scripted.clear()

    def _find(self, model: str, scripts: Mapping[str, ScriptedReplies]) -> ChatModel:
        kind, _, rest = model.partition("/")
        if kind == "scripted":
            return self._scripted_model(rest, scripts)
        raise ModelError(f"There is no model `{model}` here.", "Name another model.")

    def _scripted_model(self, name: str, scripts: Mapping[str, ScriptedReplies]) -> ScriptedModel:
        script = scripts.get(name) or self._scripts.get(name)
        if script is None:
            known = ", ".join(sorted({*scripts, *self._scripts})) or "none"
            raise ModelError(
                f"There is no scripted model `{name}`.", f"Scripts there are: {known}."
            )
        # By content, so that a flow published again with another script starts from the first
        # reply, and two flows with the same script name do not share one.
        key = hashlib.sha256(f"{name}\n{script.model_dump_json()}".encode()).hexdigest()
        if key not in self._scripted:
            if len(self._scripted) >= _MAX_SCRIPTED:
                self._scripted.clear()
            self._scripted[key] = ScriptedModel(name, script)
        return self._scripted[key]
