"""Everything the engine needs from outside, made once for a process: models, sandbox, limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from flowdbg.engine.effort import Effort
from flowdbg.engine.http_access import HttpAccess
from flowdbg.engine.models.providers import Provider, providers_from_environment
from flowdbg.engine.models.registry import Models
from flowdbg.engine.models.store import default_cache_dir
from flowdbg.expressions import Sandbox, SandboxLimits


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What a server or a test may set; the defaults are safe for flows of strangers."""

    cache_dir: Path = field(default_factory=default_cache_dir)
    """Where the offline model's file is kept."""
    providers: Sequence[Provider] = field(default_factory=providers_from_environment)
    """OpenAI-compatible endpoints."""
    sandbox: SandboxLimits = field(default_factory=SandboxLimits)
    """Limits of code, guards and patterns."""
    allow_private_http: bool = False
    """Whether `http` blocks may reach loopback and private addresses."""
    llm_timeout: float = 300.0
    """Seconds for one model call when the block says nothing."""
    http_timeout: float = 30.0
    """Seconds for one HTTP request when the block says nothing."""
    max_output_bytes: int = 4_000_000
    """Largest output of a block as JSON text."""
    max_entry_bytes: int = 16_000_000
    """Largest input, and output of a container, as JSON text; also all that its blocks produce."""
    max_entry_blocks: int = 100_000
    """Most blocks that run, or are skipped, in one plan entry."""
    retry_delay: float = 0.5
    """Seconds before the first repetition of a failed attempt; doubles each time."""


class Services:
    """The engine's services; close them, or use as an async context manager."""

    def __init__(
        self, settings: EngineSettings, models: Models, sandbox: Sandbox, http: HttpAccess
    ) -> None:
        self.settings = settings
        self.models = models
        self.sandbox = sandbox
        self.http = http
        self.effort = Effort()

    @classmethod
    def create(cls, settings: EngineSettings | None = None) -> Services:
        """Make the services; nothing is started or loaded before it is first used."""
        settings = settings or EngineSettings()
        return cls(
            settings,
            Models(settings.cache_dir, settings.providers),
            Sandbox(settings.sandbox),
            HttpAccess(allow_private=settings.allow_private_http),
        )

    async def aclose(self) -> None:
        """End the workers and the offline model, close connections."""
        await self.models.aclose()
        await self.sandbox.aclose()
        await self.http.aclose()
        self.effort.close()

    async def __aenter__(self) -> Services:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
