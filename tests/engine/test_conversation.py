"""What an `llm` block says to its model: system prompt, earlier turns, images, prompt."""

from __future__ import annotations

from typing import Any

import pytest

from flowdbg.engine.events import PromptRendered
from flowdbg.engine.services import Services
from tests.engine.flows import events_of, failure_of, flow, output_of

SCRIPTS = """
scripts:
  plain: {replies: [{match: "https://img/1.png", text: I see it}, {text: I see nothing}]}
  seeing: {sees_images: true, replies: [{match: "https://img/1.png", text: I see it}, {text: no}]}
"""
IMAGES = [{"kind": "url", "url": "https://img/1.png", "mime_type": "image/png"}]


def step(model: str, switches: str = "{}") -> str:
    return (
        f"- {{id: a, kind: llm, model: scripted/{model}, prompt: 'Say {{{{ message }}}}', "
        f"system_prompt: Be kind., processor_config: {switches}}}"
    )


async def asked(services: Services, steps: str, initial: dict[str, Any]) -> list[Any]:
    events = await events_of(services, flow(steps, SCRIPTS), initial=initial)
    [prompt] = [event for event in events if isinstance(event, PromptRendered)]
    return list(prompt.messages)


async def test_the_prompt_is_told_before_the_model_answers(services: Services) -> None:
    assert await asked(services, step("plain"), {"message": "hi"}) == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Say hi"},
    ]


async def test_a_chat_block_gets_the_earlier_turns_and_its_prompt_for_the_last(
    services: Services,
) -> None:
    turns = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "two"},
        {"role": "user", "content": "three"},
    ]
    initial = {"message": "three", "messages": turns}
    said = await asked(services, step("plain", "{chat: true}"), initial)
    assert [message["content"] for message in said] == ["Be kind.", "one", "two", "Say three"]
    said = await asked(services, step("plain"), initial)
    assert [message["content"] for message in said] == ["Be kind.", "Say three"]
    assert len(await asked(services, step("plain", "{chat: true}"), {"message": "x"})) == 2


@pytest.mark.parametrize(
    "turn",
    [
        "text",
        {"role": "wizard"},
        {"role": "assistant", "toolCalls": 3},
        {"role": "user", "content": [1, 2]},
        {"role": "user", "content": {"text": "hi"}},
    ],
)
async def test_a_turn_that_is_none_fails_the_step(services: Services, turn: Any) -> None:
    definition = flow(step("plain", "{chat: true}"), SCRIPTS)
    initial = {"message": "x", "messages": [turn, {"role": "user", "content": "x"}]}
    assert (await failure_of(services, definition, initial=initial)).error["code"] == (
        "MESSAGES_INVALID"
    )


async def test_images_go_to_models_that_see_them_and_to_no_others(services: Services) -> None:
    initial = {"message": "what is it", "attachments": IMAGES}
    assert await output_of(services, flow(step("seeing"), SCRIPTS), initial=initial) == {
        "text": "I see it"
    }
    assert await output_of(services, flow(step("plain"), SCRIPTS), initial=initial) == {
        "text": "I see nothing"
    }
    said = await asked(services, step("seeing"), initial)
    assert said[-1]["content"] == [
        {"type": "text", "text": "Say what is it"},
        {"type": "image_url", "image_url": {"url": "https://img/1.png"}},
    ]


async def test_which_models_see_images_is_known_before_anything_runs(services: Services) -> None:
    definition = flow(step("seeing"), SCRIPTS)
    models = services.models
    assert models.sees_images("scripted/seeing", definition.scripts)
    assert not models.sees_images("scripted/plain", definition.scripts)
    assert not models.sees_images("local/smollm2-135m", definition.scripts)
    assert models.sees_images("anthropic/claude", definition.scripts)


async def test_parts_of_a_message_are_read_whatever_is_in_them(services: Services) -> None:
    parts = [{"text": 3}, {"image_url": "https://img/1.png"}, {"image_url": {"url": 4}}, {}]
    initial = {"message": "x", "messages": [{"role": "user", "content": parts}, {}]}
    definition = flow(step("plain", "{chat: true}"), SCRIPTS)
    assert await output_of(services, definition, initial=initial) == {"text": "I see nothing"}
