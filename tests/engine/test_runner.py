"""Running plan entries: data flow, events, overrides, and what is refused before anything runs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdbg.engine.errors import MissingOutput, OverrideInvalid, StepIndexInvalid
from flowdbg.engine.events import (
    EntryCompleted,
    NodeSkipped,
    OutputChunk,
    PromptRendered,
    StepInput,
    Usage,
)
from flowdbg.engine.runner import Runner
from flowdbg.engine.services import Services
from tests.engine.flows import events_of, failure_of, flow, output_of, run_all

SCRIPT = """
scripts:
  poet:
    replies:
      - {match: roses, chunks: ["Red ", "are ", "they."]}
      - {match: judge, value: {mood: good, score: 3}}
      - {match: bad json, text: "not json"}
      - {match: fenced, text: "```json\\n{\\"mood\\": \\"ok\\"}\\n```"}
      - {match: odd mood, value: {mood: 3}}
      - {match: costly, text: hi, usage: {prompt: 7, completion: 2, cost: "0.00015"}}
      - {text: "One more."}
"""
MOOD = "{type: object, properties: {mood: {type: string}}, required: [mood]}"


def test_usage_adds_up_and_an_unknown_cost_stays_unknown() -> None:
    total = Usage(1, 2, Decimal("0.1")) + Usage(3, 4, Decimal("0.25"))
    assert total == Usage(4, 6, Decimal("0.35"))
    assert (total.total, total.cost_text) == (10, "0.35")
    assert (total + Usage(cost=None)).cost_text is None
    assert Usage(cost=Decimal("1E-7")).cost_text == "0.0000001"


async def test_an_llm_block_streams_its_chunks_and_ends_with_its_text(services: Services) -> None:
    definition = flow("- {id: a, kind: llm, model: scripted/poet, prompt: 'of {thing}'}", SCRIPT)
    events = await events_of(services, definition, initial={"thing": "roses"})
    assert events[:-1] == [
        StepInput((), {"thing": "roses"}),
        PromptRendered((), "scripted/poet", [{"role": "user", "content": "of roses"}]),
        OutputChunk((), "Red "),
        OutputChunk((), "are "),
        OutputChunk((), "they."),
    ]
    last = events[-1]
    assert isinstance(last, EntryCompleted)
    assert (last.output, last.model) == ({"text": "Red are they."}, "scripted/poet")
    assert last.usage == Usage(2, 3, Decimal(0))


async def test_an_output_schema_makes_an_object_of_the_answer(services: Services) -> None:
    steps = f"- {{id: a, kind: llm, model: scripted/poet, prompt: '{{p}}', output_schema: {MOOD}}}"
    definition = flow(steps, SCRIPT)
    assert await output_of(services, definition, initial={"p": "judge"}) == {
        "mood": "good", "score": 3,
    }  # fmt: skip
    assert await output_of(services, definition, initial={"p": "fenced"}) == {"mood": "ok"}
    failed = await failure_of(services, definition, initial={"p": "bad json"})
    assert failed.error["code"] == "OUTPUT_NOT_JSON"
    assert failed.error["text"] == "not json"
    failed = await failure_of(services, definition, initial={"p": "odd mood"})
    assert failed.error["code"] == "OUTPUT_SCHEMA"
    assert failed.error["where"] == "mood"


async def test_usage_and_cost_come_from_the_model(services: Services) -> None:
    definition = flow("- {id: a, kind: llm, model: scripted/poet, prompt: costly}", SCRIPT)
    last = (await events_of(services, definition))[-1]
    assert isinstance(last, EntryCompleted)
    assert last.usage.cost_text == "0.00015"
    assert (last.usage.prompt, last.usage.completion) == (7, 2)


async def test_each_step_reads_what_the_one_before_it_wrote(services: Services) -> None:
    definition = flow(
        """
        - {id: a, kind: code, code: "return {'n': initial['start'] + 1}"}
        - {id: b, kind: code, code: "return {'n': n * 10}"}
        - {id: c, kind: passthrough, input: {all: outputs.a.n, here: n, first: initial.start}}
        - {id: d, kind: code, code: "return {'sum': all + here, 'b': outputs['b']['n']}"}
        """,
        "inputs: {start: {type: integer}}",
    )
    outputs = await run_all(services, definition, {"start": 4})
    assert outputs == {
        "a": {"n": 5},
        "b": {"n": 50},
        "c": {"all": 5, "here": 50, "first": 4},
        "d": {"sum": 55, "b": 50},
    }


async def test_code_gets_a_parameter_for_each_declared_input_field(services: Services) -> None:
    schema = "{type: object, properties: {a: {}, b: {default: 7}, c: {}}, required: [a]}"
    definition = flow(
        f"- {{id: x, kind: code, input_schema: {schema}, code: \"return {{'r': [a, b, c]}}\"}}"
    )
    assert await output_of(services, definition, initial={"a": 1}) == {"r": [1, 7, None]}
    failed = await failure_of(services, definition, initial={"b": 1})
    assert failed.error["code"] == "INPUT_SCHEMA"
    assert "'a' is a required property" in failed.error["message"]


@pytest.mark.parametrize("value", ["None", "'text'", "[1]", "3"])
async def test_code_that_returns_no_object_fails(services: Services, value: str) -> None:
    failed = await failure_of(services, flow(f'- {{id: x, kind: code, code: "return {value}"}}'))
    assert failed.error["code"] == "CODE_FAILED"
    assert "not an object" in failed.error["message"]


async def test_what_code_prints_is_a_chunk(services: Services) -> None:
    definition = flow("- {id: x, kind: code, code: \"print('hi'); return {}\"}")
    assert OutputChunk((), "hi\n") in await events_of(services, definition)


async def test_a_guard_that_is_false_skips_and_hands_the_input_on(services: Services) -> None:
    definition = flow("- {id: x, kind: code, code: 'return {}', when: 'n > 3'}")
    events = await events_of(services, definition, initial={"n": 1})
    assert NodeSkipped((), {"n": 1}) in events
    assert isinstance(events[-1], EntryCompleted)
    assert events[-1].output == {"n": 1}
    assert await output_of(services, definition, initial={"n": 4}) == {}
    failed = await failure_of(services, definition, initial={"m": 1})
    assert failed.error["code"] == "GUARD_FAILED"
    assert "name 'n' is not defined" in failed.error["message"]


async def test_an_input_override_stands_in_for_the_whole_earlier_output(services: Services) -> None:
    definition = flow(
        """
        - {id: a, kind: passthrough}
        - {id: b, kind: code, code: "return {'seen': pipeline_input, 'named': outputs['a']}"}
        """
    )
    seen = await output_of(
        services, definition, 1, outputs={"a": {"x": 1, "y": 2}}, input_overrides={"a": {"x": 9}}
    )
    assert seen == {"seen": {"x": 9}, "named": {"x": 9}}
    # It also stands in for an output that was never there, and may be any JSON value.
    seen = await output_of(services, definition, 1, input_overrides={"a": "text", "zzz": 1})
    assert seen == {"seen": "text", "named": "text"}


@given(st.dictionaries(st.sampled_from(["a", "b", "c", "zz"]), st.integers()),
       st.dictionaries(st.sampled_from(["a", "b", "c", "zz"]), st.integers()))  # fmt: skip
def test_an_entry_runs_exactly_when_the_outputs_it_needs_are_known(
    outputs: dict[str, Any], overrides: dict[str, Any]
) -> None:
    definition = flow(
        """
        - {id: a, kind: passthrough}
        - {id: b, kind: passthrough}
        - {id: c, kind: llm, prompt: "{{ outputs.a }}"}
        - {id: d, kind: passthrough}
        """
    )
    runner = Runner(Services.create())
    for index, needed in enumerate([set(), {"a"}, {"a", "b"}, {"c"}]):
        known = {**outputs, **overrides}.keys()
        missing = [step for step in ("a", "b", "c") if step in needed - known]
        found: tuple[str, ...] = ()
        try:
            runner.run_entry(
                definition, index, outputs=outputs, initial={}, input_overrides=overrides
            )
        except MissingOutput as error:
            found = error.step_ids
        assert list(found) == missing


async def test_a_block_override_lasts_for_one_call_and_reaches_into_containers(
    services: Services,
) -> None:
    definition = flow(
        """
        - id: s
          kind: sequence
          steps: [{id: a, kind: llm, model: scripted/poet, prompt: other}]
        """,
        SCRIPT,
    )
    overrides = {"a": {"prompt": "roses"}, "unknown": {"x": 1}}
    assert await output_of(services, definition, block_overrides=overrides) == {
        "text": "Red are they."
    }
    assert await output_of(services, definition) == {"text": "One more."}


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"a": {"promt": "x"}}, "there is no field `promt` here. Did you mean `prompt`?"),
        ({"a": {"kind": "code"}}, "there is no field `kind` here"),
        ({"a": {"id": "b"}}, "there is no field `id` here"),
        (
            {"a": {"temperature": "hot"}},
            "Block override a.temperature: is text; expected a number.",
        ),
        ({"a": {"temperature": 7}}, "less than or equal to 2"),
        ({"a": {"prompt": "{{ x"}}, "has no `}}` after it"),
        ({"a": {"output_schema": {"type": "objct"}}}, "a.output_schema.type: is not JSON Schema"),
        ({"a": {"when": "1 +"}}, "does not parse"),
        ({"l": {"array_field": "a b"}}, "is not a data path"),
        ({"l": {"steps": []}}, "there is no field `steps` here"),
        ({"a": {"prompt": None}}, "is null; expected text."),
        ({"a": {"prompt": "x" * 90_000}, "l": {"when": "x" * 90_000}}, "larger than 150,000 bytes"),
        ({"a": {"output_schema": {"allOf": [{}] * 600}}}, "more than 500 parts"),
        ({"a": {"prompt": {1}}}, "is not JSON"),
    ],
)
async def test_a_wrong_block_override_is_refused_before_anything_runs(
    services: Services, overrides: dict[str, Any], said: str
) -> None:
    definition = flow(
        "- {id: l, kind: loop, array_field: x, steps: [{id: a, kind: llm, prompt: y}]}"
    )
    with pytest.raises(OverrideInvalid) as caught:
        Runner(services).run_entry(definition, 0, outputs={}, initial={}, block_overrides=overrides)
    assert said in str(caught.value)
    assert caught.value.step_id in overrides


@pytest.mark.parametrize("index", [-1, 1, 99])
def test_an_index_outside_the_plan_is_refused(index: int) -> None:
    with pytest.raises(StepIndexInvalid, match="has 1 steps"):
        Runner(Services.create()).run_entry(
            flow("- {id: a, kind: passthrough}"), index, outputs={}, initial={}
        )


async def test_a_template_failure_names_field_line_and_column(services: Services) -> None:
    definition = flow(
        """
        - id: a
          kind: llm
          prompt: |
            first
            second {{ nope }}
        """
    )
    failed = await failure_of(services, definition, initial={"x": 1})
    assert failed.path == ()
    assert failed.error["code"] == "TEMPLATE_FAILED"
    assert (failed.error["field"], failed.error["line"], failed.error["column"]) == (
        "prompt",
        2,
        11,
    )
    assert "Fields there are: initial, outputs, pipeline_input, x." in failed.error["message"]


async def test_data_that_is_not_there_is_named_with_what_is(services: Services) -> None:
    definition = flow("- {id: a, kind: passthrough, input: {x: order.lines.3}}")
    initial: dict[str, Any] = {"order": {"lines": [1, 2]}}
    failed = await failure_of(services, definition, initial=initial)
    assert failed.error["code"] == "DATA_NOT_FOUND"
    assert "a list of 2 items" in failed.error["message"]
    failed = await failure_of(services, definition, initial={"order": {"id": 1}})
    assert "There is: id." in failed.error["message"]


async def test_a_model_that_does_not_exist_says_which_do(services: Services) -> None:
    definition = flow("- {id: a, kind: llm, model: scripted/poet, prompt: x}", SCRIPT)
    overrides = {"a": {"model": "scripted/nope"}}
    failed = await failure_of(services, definition, block_overrides=overrides)
    assert failed.error["code"] == "MODEL_UNKNOWN"
    assert "Scripts there are: poet." in failed.error["message"]


async def test_a_generator_that_nobody_reads_has_run_nothing(services: Services) -> None:
    definition = flow("- {id: a, kind: llm, model: scripted/poet, prompt: x}", SCRIPT)
    unread = Runner(services).run_entry(definition, 0, outputs={}, initial={})
    await unread.aclose()
    # The next call gets the first reply in turn.
    assert await output_of(services, definition) == {"text": "One more."}
