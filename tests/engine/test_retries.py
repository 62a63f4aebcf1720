"""Attempts, time-outs, failures of models, and tool conversations."""

from __future__ import annotations

from typing import Any

import pytest

from flowdbg.engine.errors import ResumeInvalid
from flowdbg.engine.events import (
    EntryCompleted,
    EntryPaused,
    NodeRetried,
    OutputChunk,
)
from flowdbg.engine.runner import Runner
from flowdbg.engine.services import Services
from flowdbg.engine.state import tool_resume
from tests.engine.flows import events_of, failure_of, flow

FLAKY = """
scripts:
  flaky:
    replies:
      - {chunks: [half], fail: {message: Overloaded, code: MODEL_RATE_LIMITED, after_chunks: 1}}
      - {fail: {message: Still overloaded}}
      - {text: At last}
"""


async def test_a_failed_attempt_is_repeated_and_told(services: Services) -> None:
    definition = flow("- {id: a, kind: llm, model: scripted/flaky, prompt: x, retries: 2}", FLAKY)
    events = await events_of(services, definition)
    retried = [event for event in events if isinstance(event, NodeRetried)]
    assert [(event.path, event.attempt, event.error["code"]) for event in retried] == [
        ((), 1, "MODEL_RATE_LIMITED"),
        ((), 2, "MODEL_FAILED"),
    ]
    assert "Overloaded" in retried[0].error["message"]
    last = events[-1]
    assert isinstance(last, EntryCompleted)
    assert last.output == {"text": "At last"}


async def test_the_last_attempt_fails_the_step(services: Services) -> None:
    definition = flow("- {id: a, kind: llm, model: scripted/flaky, prompt: x, retries: 1}", FLAKY)
    failed = await failure_of(services, definition)
    assert failed.error["code"] == "MODEL_FAILED"
    assert failed.error["model"] == "scripted/flaky"
    assert "Still overloaded" in failed.error["message"]


async def test_a_mistake_in_the_block_is_not_repeated(services: Services) -> None:
    definition = flow("- {id: a, kind: llm, prompt: '{{ nope }}', retries: 3}")
    events = await events_of(services, definition)
    assert not any(isinstance(event, NodeRetried) for event in events)


async def test_a_block_that_takes_too_long_is_ended(services: Services) -> None:
    definition = flow(
        "- {id: a, kind: llm, model: scripted/slow, prompt: x, timeout: 0.05}",
        "scripts: {slow: {replies: [{chunks: [x], repeat: 1000, delay: 0.02}]}}",
    )
    failed = await failure_of(services, definition)
    assert failed.error["code"] == "TIMEOUT"
    assert "longer than 0.05 seconds" in failed.error["message"]


async def test_a_model_that_writes_too_much_is_ended(services: Services) -> None:
    definition = flow(
        "- {id: a, kind: llm, model: scripted/wordy, prompt: x}",
        f"scripts: {{wordy: {{replies: [{{chunks: [{'x' * 50_000}], repeat: 1000}}]}}}}",
    )
    failed = await failure_of(services, definition)
    assert failed.error["code"] == "OUTPUT_TOO_LARGE"


TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
ASKING = """
scripts:
  asker:
    replies:
      - {match: sunny, text: "It is sunny in Oslo."}
      - {text: "Let me look.", tool_calls: [{name: weather, arguments: {city: Oslo}}]}
"""
STEP = (
    "- {id: a, kind: llm, model: scripted/asker, prompt: Weather?, "
    "processor_config: {tools_enabled: %s}}"
)


async def paused(services: Services) -> EntryPaused:
    last = (await events_of(services, flow(STEP % "true", ASKING), tools=TOOLS))[-1]
    assert isinstance(last, EntryPaused)
    return last


async def test_a_model_that_asks_for_tools_pauses_the_step(services: Services) -> None:
    pause = await paused(services)
    assert (pause.reason, pause.path, pause.iterations_used) == ("tool_calls", (), 1)
    assert pause.tool_calls == [
        {
            "id": "call_1",
            "type": "function",
            "function": {"name": "weather", "arguments": '{"city": "Oslo"}'},
        }
    ]
    assert [message["role"] for message in pause.messages] == ["user", "assistant"]
    assert pause.messages[1]["content"] == "Let me look."


@pytest.mark.parametrize("spelling", ["tool_call_id", "toolCallId"])
async def test_tool_results_let_the_step_go_on(services: Services, spelling: str) -> None:
    pause = await paused(services)
    messages = [*pause.messages, {"role": "tool", spelling: "call_1", "content": "sunny"}]
    events = await events_of(
        services,
        flow(STEP % "true", ASKING),
        tools=TOOLS,
        resume=tool_resume(messages, pause.iterations_used),
    )
    last = events[-1]
    assert isinstance(last, EntryCompleted)
    assert last.output == {"text": "It is sunny in Oslo."}
    assert OutputChunk((), "sunny ") in events


async def test_a_second_round_has_its_own_call_ids_and_counts_on(services: Services) -> None:
    pause = await paused(services)
    messages = [*pause.messages, {"role": "tool", "tool_call_id": "call_1", "content": "no idea"}]
    events = await events_of(
        services,
        flow(STEP % "true", ASKING),
        tools=TOOLS,
        resume=tool_resume(messages, pause.iterations_used, pause.state),
    )
    again = events[-1]
    assert isinstance(again, EntryPaused)
    assert again.iterations_used == 2
    assert [call["id"] for call in again.tool_calls] == ["call_2"]


async def test_both_spellings_of_a_whole_conversation_are_understood(services: Services) -> None:
    call = {"id": "c1", "function": {"name": "weather", "arguments": {"city": "Oslo"}}}
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "toolCalls": [call], "tool_calls": None},
        {"role": "tool", "toolCallId": "c1", "content": {"now": "sunny"}},
    ]
    events = await events_of(
        services, flow(STEP % "true", ASKING), tools=TOOLS, resume=tool_resume(messages, 1)
    )
    assert isinstance(events[-1], EntryCompleted)


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([], "has no tool calls"),
        ([{"role": "user", "content": "x"}], "has no tool calls"),
        ([{"role": "assistant", "tool_calls": [{"id": "c1", "function": {"name": "f"}}]}],
         "no tool result for the call 'c1'"),
        ([{"role": "assistant", "tool_calls": [{"id": "c1", "function": {"name": "f"}}]},
          {"role": "tool", "tool_call_id": "c2", "content": ""}], "'c2', which is not pending"),
        ([{"role": "assistant", "tool_calls": [{"id": "c1", "function": {"name": "f"}}]},
          {"role": "tool", "tool_call_id": "c1", "content": ""},
          {"role": "tool", "tool_call_id": "c1", "content": ""}], "which is not pending"),
        ([{"role": "wizard"}], "no valid role"),
        ([3], "no valid role"),
        ([{"role": "assistant", "toolCalls": 3}], "is damaged"),
        ([{"role": "assistant", "tool_calls": {"id": "c1"}}], "is damaged"),
        ([{"role": "assistant", "tool_calls": [{"id": 3}]}], "is damaged"),
    ],
)  # fmt: skip
def test_results_that_do_not_answer_the_calls_are_refused(messages: list[Any], said: str) -> None:
    with pytest.raises(ResumeInvalid, match=said) as caught:
        tool_resume(messages, 1)
    assert caught.value.code == "TOOL_RESULTS_MISMATCH"


@pytest.mark.parametrize(("enabled", "tools"), [("false", TOOLS), ("true", None)])
async def test_without_the_switch_or_without_tools_nothing_is_offered(
    services: Services, enabled: str, tools: Any
) -> None:
    last = (await events_of(services, flow(STEP % enabled, ASKING), tools=tools))[-1]
    assert isinstance(last, EntryCompleted)
    assert last.output == {"text": "Let me look."}


async def test_tools_are_not_offered_inside_containers(services: Services) -> None:
    inner = STEP.removeprefix("- ") % "true"
    definition = flow(f"- {{id: s, kind: sequence, steps: [{inner}]}}", ASKING)
    last = (await events_of(services, definition, tools=TOOLS))[-1]
    assert isinstance(last, EntryCompleted)


async def test_a_resumed_run_needs_an_index_of_the_plan_like_any_other(services: Services) -> None:
    pause = await paused(services)
    with pytest.raises(ResumeInvalid, match="changed since"):
        Runner(services).run_entry(
            flow(STEP % "false", ASKING), 0, outputs={}, initial={}, resume=pause.state
        )
