"""Loops, parallel branches and nested sequences: order, outputs, failures, cancellation."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from flowdbg.engine.events import (
    EntryCompleted,
    EntryFailed,
    IterationFinished,
    IterationStarted,
    NodeFinished,
    NodeSkipped,
    NodeStarted,
    OutputChunk,
    StepInput,
)
from flowdbg.engine.runner import Runner
from flowdbg.engine.services import EngineSettings, Services
from flowdbg.expressions import SandboxLimits
from tests.engine.flows import events_of, failure_of, flow, output_of
from tests.engine.http_server import Answer, Request, http_server

LOOP = """
- id: each
  kind: loop
  array_field: words
  steps:
    - {id: up, kind: code, code: "return {'text': item.upper(), 'n': index}"}
    - {id: wrap, kind: passthrough, when: "n > 0", input: {text: outputs.up.text}}
"""


async def test_a_loop_runs_its_steps_for_every_item_and_tells_each_iteration(
    services: Services,
) -> None:
    events = await events_of(services, flow(LOOP), initial={"words": ["a", "b"]})
    shown = [event for event in events if not isinstance(event, NodeFinished | NodeStarted)]
    assert shown[:-1] == [
        StepInput((), {"words": ["a", "b"]}),
        IterationStarted((), 0, 2),
        StepInput((0, "up"), {"item": "a"}),
        StepInput((0, "wrap"), {"text": "A", "n": 0}),
        NodeSkipped((0, "wrap"), {"text": "A", "n": 0}),
        IterationFinished((), 0, 2, {"text": "A", "n": 0}),
        IterationStarted((), 1, 2),
        StepInput((1, "up"), {"item": "b"}),
        StepInput((1, "wrap"), {"text": "B"}),
        IterationFinished((), 1, 2, {"text": "B"}),
    ]
    started = [event for event in events if isinstance(event, NodeStarted)]
    assert [event.path for event in started] == [(0, "up"), (0, "wrap"), (1, "up"), (1, "wrap")]
    # What was skipped has not finished as well.
    finished = [event for event in events if isinstance(event, NodeFinished)]
    assert [event.path for event in finished] == [(0, "up"), (1, "up"), (1, "wrap")]
    last = events[-1]
    assert isinstance(last, EntryCompleted)
    assert last.output == {"items": [{"text": "A", "n": 0}, {"text": "B"}]}
    assert [type(event) for event in events].count(EntryCompleted) == 1


async def test_the_members_of_an_object_item_are_fields(services: Services) -> None:
    definition = flow(
        "- {id: l, kind: loop, array_field: xs, steps: "
        "[{id: a, kind: code, code: \"return {'r': name + item['name']}\"}]}"
    )
    output = await output_of(services, definition, initial={"xs": [{"name": "q"}]})
    assert output == {"items": [{"r": "qq"}]}


async def test_an_empty_list_gives_no_items(services: Services) -> None:
    assert await output_of(services, flow(LOOP), initial={"words": []}) == {"items": []}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("text", "NOT_A_LIST", "is text, not a list"),
        ({"a": 1}, "NOT_A_LIST", "is an object, not a list"),
        (None, "NOT_A_LIST", "is null, not a list"),
        (["x"] * 1001, "LOOP_TOO_LONG", "has 1,001 items; the loop allows 1,000"),
    ],
)
async def test_a_loop_over_something_else_fails(
    services: Services, words: Any, code: str, said: str
) -> None:
    failed = await failure_of(services, flow(LOOP), initial={"words": words})
    assert failed.error["code"] == code
    assert said in failed.error["message"]


async def test_a_failing_iteration_fails_the_entry_with_its_path(services: Services) -> None:
    failed = await failure_of(services, flow(LOOP), initial={"words": ["a", 3, "b"]})
    assert failed.path == (1, "up")
    assert failed.error["code"] == "CODE_FAILED"


SLOW = """
scripts:
  slow: {replies: [{chunks: [a, b, c], delay: 0.02}]}
  quick: {replies: [{text: q}]}
  endless: {replies: [{chunks: [x], repeat: 1000000, delay: 0.01}]}
"""


async def test_parallel_branches_run_at_the_same_time(services: Services) -> None:
    definition = flow(
        """
        - id: both
          kind: parallel
          steps:
            - {id: one, name: First, kind: llm, model: scripted/slow, prompt: x}
            - id: two
              kind: sequence
              steps:
                - {id: three, kind: llm, model: scripted/slow, prompt: x}
                - {id: four, kind: passthrough, input: {seen: outputs.three.text}}
        """,
        SLOW,
    )
    events = await events_of(services, definition)
    paths = [event.path for event in events if isinstance(event, OutputChunk)]
    # Both had said something before either had ended.
    assert set(paths[:3]) == {("one",), ("two", "three")}
    last = events[-1]
    assert isinstance(last, EntryCompleted)
    assert last.output == {"First": {"text": "abc"}, "two": {"seen": "abc"}}
    assert last.model == "scripted/slow"


async def test_a_failing_branch_ends_the_others(services: Services) -> None:
    definition = flow(
        """
        - id: both
          kind: parallel
          steps:
            - {id: endless, kind: llm, model: scripted/endless, prompt: x}
            - {id: bad, kind: code, code: "return 1 / 0"}
        """,
        SLOW,
    )
    async with asyncio.timeout(60):
        failed = await failure_of(services, definition)
    assert failed.path == ("bad",)


async def test_branches_do_not_see_each_other_and_read_the_same_input(services: Services) -> None:
    body = "return {'in': pipeline_input, 'known': sorted(outputs)}"
    definition = flow(
        f"""
        - id: before
          kind: passthrough
        - id: both
          kind: parallel
          steps:
            - {{id: one, kind: code, code: "{body}"}}
            - {{id: two, kind: code, code: "{body}"}}
        """
    )
    output = await output_of(services, definition, 1, outputs={"before": {"x": 1}})
    assert output["one"] == output["two"] == {"in": {"x": 1}, "known": ["before"]}


async def test_outputs_inside_a_container_end_with_it(services: Services) -> None:
    definition = flow(
        """
        - id: outer
          kind: sequence
          steps:
            - id: inner
              kind: sequence
              steps: [{id: deep, kind: passthrough}, {id: deeper, kind: passthrough}]
            - {id: after, kind: code, code: "return {'known': sorted(outputs)}"}
        """
    )
    assert await output_of(services, definition) == {"known": ["inner"]}


async def test_a_guarded_container_is_skipped_whole(services: Services) -> None:
    definition = flow(
        "- {id: s, kind: sequence, when: 'False', steps: [{id: a, kind: code, code: 'return 1/0'}]}"
    )
    assert await output_of(services, definition, initial={"x": 1}) == {"x": 1}


async def test_the_output_of_a_nested_loop_is_a_list_of_lists(services: Services) -> None:
    definition = flow(
        """
        - id: rows
          kind: loop
          array_field: rows
          steps:
            - id: cells
              kind: loop
              array_field: item
              steps: [{id: cell, kind: code, code: "return {'v': item * 10, 'i': index}"}]
        """
    )
    events = await events_of(services, definition, initial={"rows": [[1, 2], [3]]})
    last = events[-1]
    assert isinstance(last, EntryCompleted)
    assert last.output == {
        "items": [
            {"items": [{"v": 10, "i": 0}, {"v": 20, "i": 1}]},
            {"items": [{"v": 30, "i": 0}]},
        ]
    }
    assert IterationStarted((0, "cells"), 1, 2) in events


async def test_many_small_outputs_together_may_not_be_large(tmp_path: Any) -> None:
    settings = EngineSettings(cache_dir=tmp_path, max_entry_bytes=1000)
    definition = flow(
        "- {id: l, kind: loop, array_field: xs, steps: "
        "[{id: a, kind: code, code: \"return {'t': 'x' * 100}\"}]}"
    )
    async with Services.create(settings) as services:
        failed = await failure_of(services, definition, initial={"xs": list(range(50))})
    assert failed.error["code"] == "OUTPUT_TOO_LARGE"
    assert failed.path == (9, "a")


async def test_closing_the_run_ends_models_requests_and_workers_and_nothing_further_begins(
    tmp_path: Path,
) -> None:
    """A model, a request that would be repeated, and as many endless codes as there are workers."""
    silent, gone = asyncio.Event(), asyncio.Event()

    async def wait(_: Request, answer: Answer) -> None:
        silent.set()
        await answer.silence()
        gone.set()

    codes = "\n".join(
        f'    - {{id: code{n}, kind: code, code: "while True: pass"}}' for n in range(4)
    )
    definition = flow(
        "- id: s\n  kind: sequence\n  steps:\n  - id: both\n    kind: parallel\n    steps:\n"
        "    - {id: one, kind: llm, model: scripted/endless, prompt: x}\n"
        '    - {id: two, kind: http, url: "{{ url }}", retries: 5}\n'
        f"{codes}\n"
        '  - {id: after, kind: http, url: "{{ initial.url }}"}\n',
        SLOW + "inputs: {url: {}}",
    )
    settings = EngineSettings(
        cache_dir=tmp_path, allow_private_http=True, sandbox=SandboxLimits(seconds=600)
    )
    async with Services.create(settings) as services, http_server(wait) as server:
        events = Runner(services).run_entry(definition, 0, outputs={}, initial={"url": server.url})
        async for event in events:
            if isinstance(event, OutputChunk):
                break
        async with asyncio.timeout(60):
            await silent.wait()
            await events.aclose()
            await gone.wait()
            # A worker that went on would be busy for ten minutes.
            works = flow("- {id: a, kind: code, code: \"return {'n': 1}\"}")
            assert await output_of(services, works) == {"n": 1}
        assert len(server.requests) == 1


async def test_a_reader_that_is_behind_holds_the_blocks_back(services: Services) -> None:
    definition = flow(
        "- {id: a, kind: llm, model: scripted/many, prompt: x}",
        "scripts: {many: {replies: [{chunks: [x], repeat: 100000}]}}",
    )
    events = Runner(services).run_entry(definition, 0, outputs={}, initial={})
    await anext(events)
    for _ in range(50):
        await asyncio.sleep(0)
    count = 0
    async for event in events:
        count += isinstance(event, OutputChunk)
        assert not isinstance(event, EntryFailed)
    assert count == 100_000
