"""The flows that ship: the demo goes wrong by itself and comes right with one override."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flowdbg.engine.definition import FlowDefinition, load_flow
from flowdbg.engine.inputs import flow_input
from flowdbg.engine.nodes import LlmBlock, LoopNode
from flowdbg.engine.plan import plan_of
from flowdbg.engine.services import EngineSettings, Services
from flowdbg.examples import demo_inputs_path, demo_path, demo_tips, hello_path
from flowdbg.present.tips import Tip
from tests.engine.flows import output_of, run_all

offline = [
    pytest.mark.xdist_group("offline-model"),
    pytest.mark.asyncio(loop_scope="module"),
]
RIGHT = {
    "sort": {
        "items": [
            {"from": "Ines Okafor", "kind": "broken"},
            {"from": "Tom Lindqvist", "kind": "question"},
            {"from": "Mara Vidal", "kind": "thanks"},
        ]
    }
}


def demo() -> tuple[FlowDefinition, dict[str, Any]]:
    definition = load_flow(demo_path())
    parameters = json.loads(demo_inputs_path().read_text(encoding="utf-8"))
    return definition, flow_input(definition, None, parameters)


def test_the_demo_has_every_kind_of_step_a_newcomer_should_see() -> None:
    definition, _ = demo()
    kinds = [entry.kind for entry in plan_of(definition)]
    assert kinds == ["loop", "code", "llm", "code"]
    loop = definition.steps[0]
    assert isinstance(loop, LoopNode)
    sorter = loop.steps[0]
    assert isinstance(sorter, LlmBlock)
    assert sorter.output_schema
    assert {sorter.model, sorter.temperature} == {"local/smollm2-135m", 0}


def test_the_fault_does_not_depend_on_the_model() -> None:
    """Every letter has the same subject and the prompt shows nothing else of it."""
    definition, initial = demo()
    loop = definition.steps[0]
    assert isinstance(loop, LoopNode)
    sorter = loop.steps[0]
    assert isinstance(sorter, LlmBlock)
    assert "{{ subject }}" in sorter.prompt
    assert "body" not in sorter.prompt
    assert len({letter["subject"] for letter in initial["letters"]}) == 1
    assert len({letter["body"] for letter in initial["letters"]}) == 3


class TestOnTheOfflineModel:
    """Real runs; about five seconds together."""

    pytestmark = offline

    async def test_the_first_run_gives_every_letter_the_same_kind(
        self, local_services: Services
    ) -> None:
        definition, initial = demo()
        outputs = await run_all(local_services, definition, initial)
        kinds = {labelled["kind"] for labelled in outputs["sort"]["items"]}
        assert len(kinds) == 1
        note = outputs["note"]["text"]
        assert "Send again (24.90 EUR): blue vase to Ines Okafor" not in note
        assert outputs["reply"]["text"].strip() in note

    async def test_one_override_makes_the_note_right(self, local_services: Services) -> None:
        definition, initial = demo()
        outputs = await run_all(local_services, definition, initial, input_overrides=RIGHT)
        note = outputs["note"]["text"]
        assert "Send again (24.90 EUR): blue vase to Ines Okafor" in note
        assert "Call back: Tom Lindqvist" in note
        assert "Pin to the wall: Mara Vidal" in note
        assert outputs["reply"]["text"].strip() in note
        assert note.endswith("Hanna Berg, the pottery")

    async def test_another_prompt_writes_another_reply(self, local_services: Services) -> None:
        definition, initial = demo()
        before = {**RIGHT}
        before["decide"] = await output_of(
            local_services, definition, 1, outputs=before, initial=initial
        )
        plain, changed = [
            await output_of(
                local_services,
                definition,
                2,
                outputs=before,
                initial=initial,
                block_overrides=overrides,
            )
            for overrides in ({}, {"reply": {"prompt": "Write one line to {{ reply_to }}."}})
        ]
        assert plain != changed


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("broken", "Send again (50.40 EUR): blue vase to Ines Okafor, soup bowl to Tom"),
        ("question", "Call back: Ines Okafor, Tom Lindqvist, Mara Vidal"),
        ("thanks", "Pin to the wall: Ines Okafor, Tom Lindqvist, Mara Vidal"),
    ],
)
async def test_whatever_the_model_says_the_note_shows_that_it_is_wrong(
    services: Services, kind: str, line: str
) -> None:
    definition, initial = demo()
    items = [{"from": letter["from"], "kind": kind} for letter in initial["letters"]]
    outputs: dict[str, Any] = {"sort": {"items": items}, "reply": {"text": "A letter."}}
    outputs["decide"] = await output_of(services, definition, 1, outputs=outputs, initial=initial)
    note = await output_of(services, definition, 3, outputs=outputs, initial=initial)
    assert line in note["text"]


def test_the_tips_name_steps_that_there_are_and_end_with_one_for_always() -> None:
    definition, _ = demo()
    steps = {node.id for node in definition.steps}
    tips = demo_tips()
    assert len(tips) >= 8
    for tip in tips:
        assert steps.issuperset({*tip.done, *tip.missing, *tip.selected})
        assert len(tip.text) < 220
    assert tips[-1] == Tip(tips[-1].text)


async def test_hello_runs_without_model_key_or_network(tmp_path: Any) -> None:
    definition = load_flow(hello_path())
    settings = EngineSettings(cache_dir=tmp_path, providers=())
    async with Services.create(settings) as services:
        outputs = await run_all(services, definition, flow_input(definition, "Ada", {}))
        assert outputs["greet"]["text"].startswith("Hello Ada")
        assert outputs["report"]["text"].endswith("(14 words)")
        assert (await run_all(services, definition, flow_input(definition, "Bob", {})))["count"][
            "text"
        ].startswith("Hello and welcome")
