"""Flow files: what is read, what is refused, and that every problem is said at once."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest
from jsonschema import Draft202012Validator

from flowdbg.engine.definition import (
    MAX_PROBLEMS,
    FlowDefinition,
    definition_json,
    load_flow,
    parse_flow,
)
from flowdbg.engine.format_schema import flow_schema
from flowdbg.engine.nodes import HttpBlock, LlmBlock, LoopNode, effect_of
from flowdbg.errors import DefinitionError
from tests.engine.flows import flow, problems, source

EVERYTHING = """\
flow: acme/support/triage
name: Triage
description: Sorts letters.
inputs:
  letters: {type: array, items: {type: object}, description: The letters.}
  limit: {type: integer, default: 3}
scripts:
  helper:
    replies: [{match: hello, text: Hello!}, {value: {kind: bill}}]
steps:
  - id: each
    kind: loop
    array_field: letters
    max_items: 10
    steps:
      - id: sort
        name: Sort it
        kind: llm
        model: scripted/helper
        prompt: "{{ body }}"
        system_prompt: You sort.
        temperature: 0.5
        top_p: 0.9
        max_tokens: 10
        seed: 1
        stop: [END]
        processor_config: {tools_enabled: true}
        output_schema: {type: object, properties: {kind: {enum: [bill, other]}}}
        when: "len(body) > 3"
        retries: 2
        timeout: 5
  - id: both
    kind: parallel
    steps:
      - {id: keep, kind: passthrough, input: {all: each.items}}
      - id: ask
        kind: sequence
        steps:
          - id: send
            kind: http
            method: POST
            url: "https://example.com/{{ initial.limit }}"
            headers: {X-Count: "{{ initial.limit }}"}
            body: {items: "{{ outputs.each.items | json }}"}
            effect: read
  - id: last
    kind: code
    input_schema: {type: object, properties: {keep: {}}}
    code: "return {'n': initial['limit']}"
"""


def test_everything_a_flow_can_say_is_read() -> None:
    definition = parse_flow(EVERYTHING, "f")
    loop = definition.steps[0]
    assert isinstance(loop, LoopNode)
    block = loop.steps[0]
    assert isinstance(block, LlmBlock)
    assert (block.name, block.temperature, block.stop) == ("Sort it", 0.5, ("END",))
    assert block.processor_config.tools_enabled
    assert (definition.org, definition.project, definition.slug) == ("acme", "support", "triage")
    assert [node.id for node in definition.steps] == ["each", "both", "last"]


def test_a_name_is_the_id_when_none_is_given() -> None:
    assert flow("- {id: a, kind: passthrough}").steps[0].name == "a"


def test_the_canonical_json_comes_back_as_the_same_definition() -> None:
    definition = parse_flow(EVERYTHING, "f")
    stored = json.dumps(definition_json(definition))
    assert FlowDefinition.model_validate(json.loads(stored)) == definition
    assert definition_json(FlowDefinition.model_validate(json.loads(stored))) == json.loads(stored)


def test_the_inputs_become_a_json_schema_in_their_order() -> None:
    schema = parse_flow(EVERYTHING, "f").input_schema
    assert list(schema["properties"]) == ["letters", "limit"]
    assert schema["required"] == ["letters"]
    assert schema["properties"]["limit"]["default"] == 3
    Draft202012Validator.check_schema(schema)


def test_the_schema_of_the_format_accepts_a_right_file_and_refuses_a_wrong_one() -> None:
    schema = flow_schema()
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    right = definition_json(parse_flow(EVERYTHING, "f"))
    assert not list(validator.iter_errors(right))
    assert list(validator.iter_errors({**right, "stepps": []}))
    assert list(validator.iter_errors({**right, "steps": [{"id": "a", "kind": "lmm"}]}))


def test_the_schema_of_the_format_explains_every_field() -> None:
    schema = flow_schema()
    parts = {"the file": schema, **schema["$defs"]}
    silent = [
        f"{part}.{name}"
        for part, definition in parts.items()
        for name, field in definition["properties"].items()
        if "description" not in field and name != "kind" and part != "ScriptedUsage"
    ]
    assert silent == []


def test_effects_have_defaults_that_fit_the_kind() -> None:
    definition = flow(
        """
        - {id: a, kind: http, url: "https://x/"}
        - {id: b, kind: http, url: "https://x/", method: POST}
        - {id: c, kind: llm, prompt: x}
        - id: d
          kind: sequence
          steps: [{id: e, kind: passthrough}, {id: f, kind: http, url: "https://x/", method: PUT}]
        - {id: g, kind: http, url: "https://x/", method: DELETE, effect: none}
        """
    )
    assert [effect_of(node) for node in definition.steps] == [
        "read", "write", "none", "write", "none",
    ]  # fmt: skip
    assert isinstance(definition.steps[0], HttpBlock)


def test_all_problems_are_said_at_once_with_line_and_field() -> None:
    text = dedent(
        """\
        flow: Acme/demo
        inputs:
          message: {type: strin}
        steps:
          - id: a
            kind: llm
            promt: x
            temperature: hot
          - id: a
            kind: code
            code: "return {"
          - kind: lop
            id: c
        """
    )
    said = problems(text)
    assert len(said) == 8
    assert said[0] == "1: flow: is not an address `org/project/flow`, in lower case."
    assert said[1].startswith("3: inputs.message.type: is `strin`; expected 'string'")
    assert "5: steps[0].prompt: is missing. Add it." in said
    assert "7: steps[0].promt: there is no field `promt` here. Did you mean `prompt`?" in said
    assert "8: steps[0].temperature: is text; expected a number." in said
    assert any(line.startswith("9: steps[1].id: `a` is already the id") for line in said)
    assert any(line.startswith("11: steps[1].code: does not parse") for line in said)
    assert any("unknown kind `lop`. Did you mean `loop`?" in line for line in said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1: is null; expected an object"),
        ("[]", "1: is a list; expected an object"),
        ("flow: a/b/c", "steps: is missing"),
        ("flow: a/b/c\nsteps: []", "steps: has 0 items; expected at least 1."),
        ("flow: a/b/c\nsteps: [3]", "steps[0]: is a number; expected an object"),
        ("flow: a/b/c\nsteps: [{id: a}]", "has no `kind`"),
        ("flow: a/b/c\nsteps: [{id: a, kind: passthrough, steps: []}]", "no field `steps`"),
        ("flow: a/b/c\nsteps: [{id: 'a b', kind: passthrough}]", "is not an id: a letter"),
        ("flow: a/b/c\nsteps: [{id: a, kind: passthrough, retries: '3'}]",
         "is text; expected a whole number. Take the quotes away."),
        ("flow: a/b/c\nsteps: [{id: a, kind: passthrough, retries: true}]",
         "is a boolean; expected a whole number."),
        ("flow: a/b/c\nsteps: [{id: a, kind: passthrough, timeout: 0}]", "greater than 0"),
        ("flow: a/b/c\nscripts: {x: {replies: [{}]}}\nsteps: [{id: a, kind: passthrough}]",
         "give text, chunks, value"),
        ("flow: a/b/c\nscripts: {x: {replies: [{txt: a}]}}\nsteps: [{id: a, kind: passthrough}]",
         "no field `txt` here. Did you mean `text`?"),
        ("flow: a/b/c\ninputs: {'a b': {}}\nsteps: [{id: a, kind: passthrough}]",
         "is not a field name"),
        ("flow: a/b/c\ninputs: {n: {type: integer, default: x}}\n"
         "steps: [{id: a, kind: passthrough}]", "does not fit the input"),
        ("flow: a/b/c\ninputs: {n: {type: array, items: {type: strng}}}\n"
         "steps: [{id: a, kind: passthrough}]", "inputs.n.items.type: is not JSON Schema"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_what_was_expected(text: str, said: str) -> None:
    assert any(said in line for line in problems(text)), problems(text)


def test_a_list_whose_items_are_wrong_is_not_called_short_as_well() -> None:
    assert problems("flow: a/b/c\nsteps: [{id: a, kind: llm}]") == [
        "2: steps[0].prompt: is missing. Add it."
    ]


def test_a_file_full_of_mistakes_is_answered_with_the_first_hundred() -> None:
    steps = "\n".join(f"- {{id: a{n}, kind: llm, promt: x}}" for n in range(300))
    said = problems(source(steps))
    assert len(said) == MAX_PROBLEMS + 1
    assert said[-1] == " may have more problems than these 100. Correct them first."


def test_a_file_that_takes_long_to_check_is_refused_with_what_was_found_until_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = source("- {id: a, kind: passthrough, names: x}\n- {id: b, kind: llm, prompt: hi}")
    monkeypatch.setattr("flowdbg.engine.definition.MAX_SECONDS", 0)
    assert problems(text) == [
        "4: steps[0].names: there is no field `names` here. Did you mean `name`?",
        " takes longer than 0 seconds to check. Make the flow smaller.",
    ]


SIZED = {
    "outputs that are not there": source(
        "\n".join(f"- {{id: {'a' * 50}{n}, kind: passthrough}}" for n in range(500))
        + "\n- {id: z, kind: passthrough, input: {"
        + ", ".join(f"x{n}: outputs.{'a' * 49}b{n}.y" for n in range(9000))
        + "}}"
    ),
    "templates full of tags": source(
        "\n".join(f"- {{id: a{n}, kind: llm, prompt: '{'{{ a }}' * 13_000}'}}" for n in range(10))
    ),
    "schemas of many steps": source("\n".join(
        f"- {{id: a{n}, kind: passthrough, input_schema: {{properties: {{a: {{type: string}}}}}}}}"
        for n in range(2800)
    )),
    "a key as long as the file": "flow: a/b/c\n? " + "stepsx" * 160_000 + "\n: 1",
}  # fmt: skip


@pytest.mark.parametrize("attack", SIZED)
def test_a_file_of_any_content_is_answered_shortly_and_in_few_words(attack: str) -> None:
    said = problems(SIZED[attack])
    assert said
    assert len(said) <= MAX_PROBLEMS + 1
    assert max(map(len, said)) < 1000


def test_a_problem_in_a_literal_block_has_its_own_line() -> None:
    text = source(
        """
        - id: a
          kind: llm
          prompt: |
            One line.
            Another {{ name.
        """
    )
    assert problems(text) == [
        "9: steps[0].prompt: The template is wrong: `{{` has no `}}` after it (line 2, column 9)."
    ]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("- {id: a, kind: llm, prompt: '{{ outputs.b.x }}'}\n- {id: b, kind: passthrough}",
         "`outputs.b` is not there yet: step `b` does not run before this one."),
        ("- {id: draft, kind: passthrough}\n- {id: b, kind: llm, prompt: '{outputs.draf.x}'}",
         "the flow has no step `draf`. Did you mean `draft`?"),
        ("- {id: a, kind: code, code: \"return outputs['a']\"}", "it is this step's own output"),
        ("- {id: a, kind: llm, prompt: '{{ initial.mesage }}'}",
         "the flow has no input `mesage`. Did you mean `message`?"),
        ("- {id: a, kind: passthrough, when: \"initial['nope'] > 1\"}",
         "the flow has no input `nope`. Add it to `inputs`."),
        ("- {id: a, kind: passthrough, input: {x: outputs.zap.y}}", "has no step `zap`"),
        ("- {id: l, kind: loop, array_field: x, steps: ["
         "{id: b, kind: llm, prompt: '{{ outputs.l.x }}'}]}", "this step is inside `l`"),
        ("- {id: s, kind: sequence, steps: [{id: a, kind: passthrough}]}\n"
         "- {id: b, kind: llm, prompt: '{{ outputs.a.x }}'}", "is inside a container"),
        ("- id: p\n  kind: parallel\n  steps: [{id: a, kind: passthrough}, "
         "{id: b, kind: llm, prompt: '{{ outputs.a.x }}'}]", "does not run before this one"),
        ("- id: p\n  kind: parallel\n  steps: [{id: a, kind: passthrough, name: X}, "
         "{id: b, kind: passthrough, name: X}]", "two branches are called `X`"),
        ("- {id: a, kind: http, url: 'file:///etc/passwd'}", "the scheme `file` is not http"),
        ("- {id: a, kind: http, url: 'https://x', headers: {A: '{{ x'}}", "has no `}}` after it"),
        ("- {id: a, kind: http, url: 'https://x', body: [{b: '{% nope %}'}]}", "unexpected tag"),
        ("- {id: a, kind: llm, prompt: x, output_schema: {type: objct}}", "Did you mean `object`?"),
        ("- {id: a, kind: llm, prompt: x, output_schema: {$ref: 'http://x/y'}}",
         "only references inside the schema"),
        ("- {id: a, kind: llm, prompt: x, output_schema: {pattern: '('}}", "is not a 'regex'"),
        ("- {id: a, kind: passthrough, when: 'x ='}", "does not parse"),
    ],
)  # fmt: skip
def test_what_a_step_reads_and_runs_is_checked_before_it_runs(steps: str, said: str) -> None:
    assert any(said in line for line in problems(source(steps))), problems(source(steps))


def test_a_step_may_read_everything_that_ran_before_it() -> None:
    text = source(
        """
        - {id: a, kind: passthrough}
        - id: l
          kind: loop
          array_field: outputs.a.list
          steps:
            - {id: b, kind: llm, prompt: "{{ outputs.a.x }} {{ item }} {{ initial.message }}"}
            - {id: c, kind: code, code: "return {'x': outputs['b'], 'y': outputs['a']}"}
        - {id: d, kind: passthrough, when: "outputs['l']['items']", input: {x: outputs.l.items}}
        """
    )
    assert problems(text) == []


def test_a_file_that_cannot_be_read_is_a_problem_not_a_traceback(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="cannot be read: No such file"):
        load_flow(tmp_path / "none.flow.yaml")
    with pytest.raises(DefinitionError, match="cannot be read: Is a directory"):
        load_flow(tmp_path)
    latin = tmp_path / "latin.flow.yaml"
    latin.write_bytes(b"flow: a/b/c\nname: caf\xe9\n")
    with pytest.raises(DefinitionError, match=r"latin.flow.yaml:2: is not UTF-8 text"):
        load_flow(latin)


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    file = tmp_path / "bom.flow.yaml"
    file.write_text("\ufeff" + source("- {id: a, kind: passthrough}"), encoding="utf-8")
    assert load_flow(file).slug == "test"
