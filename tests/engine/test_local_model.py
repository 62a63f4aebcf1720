"""The offline model: real tokens from the real file, and what a person relies on about them."""

from __future__ import annotations

import asyncio
import os
import signal

import httpx
import pytest

from flowdbg.engine.events import EntryCompleted, EntryFailed, OutputChunk
from flowdbg.engine.models.local_process import LocalProcess
from flowdbg.engine.runner import Runner
from flowdbg.engine.services import Services
from tests.engine.flows import events_of, failure_of, flow, output_of

# One process of the model for all tests here, so one event loop for them.
pytestmark = [
    pytest.mark.xdist_group("offline-model"),
    pytest.mark.asyncio(loop_scope="module"),
]

WRITE = """
- id: write
  kind: llm
  prompt: "Write one sentence about {thing}."
  temperature: 0
  max_tokens: 40
"""


async def processing(process: LocalProcess) -> bool:
    """Whether the model is generating for anybody."""
    url, key = await process.endpoint()
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(
            f"{url.removesuffix('/v1')}/slots", headers={"Authorization": f"Bearer {key}"}
        )
    return any(slot["is_processing"] for slot in answer.json())


def only_process(services: Services) -> LocalProcess:
    [process] = services.models.local_processes
    return process


async def test_tokens_arrive_while_the_model_still_generates(local_services: Services) -> None:
    definition = flow(
        "- {id: a, kind: llm, prompt: Write a long story., temperature: 0, max_tokens: 400}"
    )
    events = Runner(local_services).run_entry(definition, 0, outputs={}, initial={})
    chunks = 0
    async for event in events:
        chunks += isinstance(event, OutputChunk)
        if chunks == 5:
            break
    # Five pieces are here, and the model is not done.
    assert await processing(only_process(local_services))
    await events.aclose()


async def test_closing_the_run_frees_the_model(local_services: Services) -> None:
    definition = flow(
        "- {id: a, kind: llm, prompt: Write a long story., temperature: 0, max_tokens: 1800}"
    )
    events = Runner(local_services).run_entry(definition, 0, outputs={}, initial={})
    async for event in events:
        if isinstance(event, OutputChunk):
            break
    await events.aclose()
    process = only_process(local_services)
    async with asyncio.timeout(60):
        while await processing(process):
            pass


async def test_others_are_served_while_the_model_generates(local_services: Services) -> None:
    slow = flow("- {id: a, kind: llm, prompt: Write a long story., max_tokens: 1500}")
    quick = flow("- {id: a, kind: code, when: 'True', code: \"return {'n': 1}\"}")
    story = Runner(local_services).run_entry(slow, 0, outputs={}, initial={})
    async for event in story:
        if isinstance(event, OutputChunk):
            break
    for _ in range(20):
        assert await output_of(local_services, quick) == {"n": 1}
    assert await processing(only_process(local_services))
    await story.aclose()


async def test_a_changed_prompt_changes_the_words_and_the_same_prompt_does_not(
    local_services: Services,
) -> None:
    definition = flow(WRITE)
    cats = await output_of(local_services, definition, initial={"thing": "cats"})
    rain = await output_of(local_services, definition, initial={"thing": "rain"})
    again = await output_of(local_services, definition, initial={"thing": "cats"})
    assert cats["text"]
    assert cats == again
    assert cats != rain
    overridden = await output_of(
        local_services,
        definition,
        initial={"thing": "cats"},
        block_overrides={"write": {"prompt": "Name three colours."}},
    )
    assert overridden != cats


async def test_what_runs_beside_it_does_not_change_the_words(local_services: Services) -> None:
    definition = flow(WRITE)
    alone = await output_of(local_services, definition, initial={"thing": "cats"})
    together = await asyncio.gather(
        *(
            output_of(local_services, definition, initial={"thing": thing})
            for thing in ("cats", "rain", "cats")
        )
    )
    assert together[0] == together[2] == alone


async def test_a_schema_is_kept_and_the_json_is_complete(local_services: Services) -> None:
    definition = flow(
        """
        - id: a
          kind: llm
          prompt: Describe a blue vase.
          temperature: 0
          output_schema:
            type: object
            properties:
              colour: {enum: [red, green, blue]}
              about: {type: string, maxLength: 60}
              tags: {type: array, items: {type: string, maxLength: 10}, maxItems: 3}
            required: [colour, about, tags]
        """
    )
    output = await output_of(local_services, definition)
    assert output["colour"] in ("red", "green", "blue")
    assert len(output["about"]) <= 60
    assert len(output["tags"]) <= 3


async def test_usage_is_counted_and_costs_nothing(local_services: Services) -> None:
    last = (await events_of(local_services, flow(WRITE), initial={"thing": "cats"}))[-1]
    assert isinstance(last, EntryCompleted)
    assert last.usage.prompt > 5
    assert 0 < last.usage.completion <= 40
    assert last.usage.cost_text == "0"
    assert last.model == "local/smollm2-135m"


async def test_a_prompt_that_is_too_long_is_a_clear_failure(local_services: Services) -> None:
    failed = await failure_of(local_services, flow(WRITE), initial={"thing": "cats " * 5000})
    assert failed.error["code"] == "MODEL_FAILED"
    assert "context" in failed.error["message"]


async def test_a_model_that_dies_fails_its_step_and_is_started_again(
    local_services: Services,
) -> None:
    definition = flow(
        "- {id: a, kind: llm, prompt: Write a long story., temperature: 0, max_tokens: 1500}"
    )
    events = Runner(local_services).run_entry(definition, 0, outputs={}, initial={})
    async for event in events:
        if isinstance(event, OutputChunk):
            pid = only_process(local_services).pid
            assert pid
            os.kill(pid, signal.SIGKILL)
            break
    last = [event async for event in events][-1]
    assert isinstance(last, EntryFailed)
    assert "process of the offline model ended" in last.error["message"]
    assert await output_of(local_services, flow(WRITE), initial={"thing": "cats"})
