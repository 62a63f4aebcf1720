"""The engine's services for a test, and the real model file for the tests that need it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from flowdbg.engine.services import EngineSettings, Services
from tests.engine.model_file import shared_model_cache


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    """Services with no model file, private addresses allowed, and quick repetitions."""
    settings = EngineSettings(
        cache_dir=tmp_path / "cache", allow_private_http=True, retry_delay=0.001
    )
    async with Services.create(settings) as made:
        yield made


@pytest.fixture(scope="session")
def model_cache(request: pytest.FixtureRequest) -> Path:
    """The cache folder with the model in it, fetched by the real `pull_model`, once for all."""
    return shared_model_cache(request.config)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def local_services(model_cache: Path) -> AsyncIterator[Services]:
    """Services with the offline model, for tests that share one event loop."""
    async with Services.create(EngineSettings(cache_dir=model_cache, providers=())) as made:
        yield made
