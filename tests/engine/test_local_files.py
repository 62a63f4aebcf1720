"""Offline models that are missing, wrong, or elsewhere, and the end of their process."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import httpx
import pytest

from flowdbg.engine.models.local_process import LocalProcess
from flowdbg.engine.models.store import model_path
from flowdbg.engine.services import EngineSettings, Services
from tests.engine.flows import failure_of, flow, output_of

pytestmark = pytest.mark.xdist_group("offline-model")

WRITE = """
- id: write
  kind: llm
  prompt: "Write one sentence about {thing}."
  temperature: 0
  max_tokens: 10
"""


async def test_any_gguf_file_can_be_used_by_its_path(services: Services, model_cache: Path) -> None:
    by_path = flow(WRITE + f"  model: local/{model_path(model_cache)}\n")
    assert (await output_of(services, by_path, initial={"thing": "rain"}))["text"]


async def test_services_that_close_end_the_process(model_cache: Path) -> None:
    async with Services.create(EngineSettings(cache_dir=model_cache)) as services:
        await output_of(services, flow(WRITE), initial={"thing": "rain"})
        [process] = services.models.local_processes
        pid = process.pid
        assert pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_who_comes_while_another_who_leaves_had_it_loaded_gets_the_model(
    model_cache: Path,
) -> None:
    path = model_path(model_cache)
    assert path is not None
    process = LocalProcess(path)
    first = asyncio.create_task(process.endpoint())
    for _ in range(4000):
        if process.pid is not None:
            break
        await asyncio.sleep(0.01)
    first.cancel()
    pid = process.pid
    try:
        url, key = await process.endpoint()
        assert process.pid == pid
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"{url}/models", headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 200
    finally:
        process.close()


@pytest.mark.parametrize("content", [b"", b"GGUF" + b"\0" * 100, b"not a model"])
async def test_a_file_that_is_no_model_is_a_clear_failure(
    services: Services, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    failed = await failure_of(
        services, flow(WRITE + f"  model: local/{path}\n"), initial={"thing": "x"}
    )
    assert failed.error["code"] == "MODEL_FAILED"
    assert "bad.gguf cannot be loaded" in failed.error["message"]


@pytest.mark.parametrize(
    ("model", "code", "said"),
    [
        ("local/smollm2-135m", "MODEL_MISSING", "flowdbg model pull"),
        ("local/none.gguf", "MODEL_UNKNOWN", "There is no model file"),
        ("local//etc/passwd", "MODEL_UNKNOWN", "There is no model file"),
        ("local/other", "MODEL_UNKNOWN", "There is no model file"),
    ],
)
async def test_a_model_that_is_not_here_says_what_to_do(
    services: Services, model: str, code: str, said: str
) -> None:
    overrides = {"write": {"model": model}}
    failed = await failure_of(
        services, flow(WRITE), initial={"thing": "x"}, block_overrides=overrides
    )
    assert failed.error["code"] == code
    assert said in failed.error["message"]
