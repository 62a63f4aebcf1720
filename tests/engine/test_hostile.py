"""Flows written to do harm: each attack is refused or fails its step, and the engine lives on."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from flowdbg.engine.definition import parse_flow
from flowdbg.engine.events import EntryCompleted, EntryFailed
from flowdbg.engine.services import EngineSettings, Services
from flowdbg.errors import DefinitionError
from tests.engine.flows import events_of, flow, output_of, source

STEP = "- {id: a, kind: passthrough}"


def nested(levels: int) -> str:
    """A flow of containers inside containers."""
    text = "{id: leaf, kind: passthrough}"
    for level in range(levels):
        text = f"{{id: s{level}, kind: sequence, steps: [{text}]}}"
    return source(f"- {text}")


FILES = {
    "alias bomb": "\n".join(
        ["flow: a/b/c", "x0: &x0 [z, z, z, z, z, z, z, z, z]"]
        + [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]" for n in range(1, 10)]
    ),
    "merge key bomb": "flow: a/b/c\nx: &x {a: 1}\ny: {<<: *x, <<: *x}",
    "python object": "flow: a/b/c\nsteps: !!python/object/apply:os.system [id]",
    "deep nesting": nested(500),
    "deep lists": "flow: a/b/c\nsteps: " + "[" * 10_000,
    "many values": "flow: a/b/c\nsteps: [" + "1," * 60_000 + "]",
    "a huge file": "flow: a/b/c\ndescription: " + "x" * 2_000_000,
    "a huge prompt": source(f"- {{id: a, kind: llm, prompt: '{'x' * 200_000}'}}"),
    "too many steps": source("\n".join(f"- {{id: a{n}, kind: passthrough}}" for n in range(1001))),
    "a template of open tags": source(f"- {{id: a, kind: llm, prompt: '{'{{' * 40_000}'}}"),
    "a template of white space": source(f"- {{id: a, kind: llm, prompt: '{{{{{' ' * 90_000}'}}"),
    "python as deep as it goes": source(f"- {{id: a, kind: passthrough, when: '{'(' * 1900}'}}"),
    "code as deep as it goes": source(f"- {{id: a, kind: code, code: '{'[' * 50_000}'}}"),
    "a schema from elsewhere": source(
        "- {id: a, kind: code, code: x, output_schema: {$ref: 'http://127.0.0.1:1/s'}}"
    ),
    "a file for an address": source("- {id: a, kind: http, url: 'file:///etc/passwd'}"),
    "a model file of the system": source(
        "- {id: a, kind: llm, model: local//etc/passwd, prompt: x}"
    ),
    "an id that is a path": source("- {id: '../../etc', kind: passthrough}"),
    "an address that is a path": "flow: ../../etc/passwd\nsteps: [{id: a, kind: passthrough}]",
    "a control character": source(STEP) + "\nname: \x1b]0;owned\x07",
    "a null byte": source(STEP).replace("passthrough", "pass\0through"),
}


@pytest.mark.parametrize("attack", FILES)
def test_a_hostile_file_is_refused_with_a_reason(attack: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse_flow(FILES[attack], "hostile.flow.yaml")
    assert caught.value.problems
    assert all(problem.message for problem in caught.value.problems)


def test_containers_may_be_nested_as_deep_as_the_file_allows() -> None:
    definition = parse_flow(nested(25), "f")

    async def run() -> Any:
        async with Services.create() as services:
            return await output_of(services, definition, initial={"x": 1})

    assert asyncio.run(run()) == {"x": 1}


LOOP = "{id: l, kind: loop, array_field: initial.xs, steps: [%s]}"
RUNS: dict[str, tuple[str, dict[str, Any], str]] = {
    "endless code": ("{id: a, kind: code, code: 'while True: pass'}", {}, "CODE_FAILED"),
    "code that eats memory": ("{id: a, kind: code, code: \"return {'x': 'a' * 10**9}\"}", {},
                              "CODE_FAILED"),
    "code that prints": ("{id: a, kind: code, code: \"print('x' * 10**7)\"}", {}, "CODE_FAILED"),
    "code that imports": ("{id: a, kind: code, code: 'import subprocess'}", {}, "CODE_FAILED"),
    "code that opens": ("{id: a, kind: code, code: \"return {'x': open('/etc/passwd').read()}\"}",
                        {}, "CODE_FAILED"),
    "code that returns a giant": ("{id: a, kind: code, code: \"return {'x': 'a' * 5_000_000}\"}",
                                  {}, "CODE_FAILED"),
    "an endless guard": ("{id: a, kind: passthrough, when: '[x for x in range(10**9)]'}", {},
                         "GUARD_FAILED"),
    "a guard that looks around": ("{id: a, kind: passthrough, when: \"open('/etc/passwd')\"}", {},
                                  "GUARD_FAILED"),
    "a template that loops": ("{id: a, kind: llm, prompt: "
                              "'{% for i in (1..999999999) %}x{% endfor %}'}", {},
                              "TEMPLATE_FAILED"),
    "a template that grows": ("{id: a, kind: llm, prompt: '{% assign x = q %}{% for i in (1..90) %}"
                              "{% assign x = x | append: x %}{% endfor %}{{ x }}'}",
                              {"q": "x" * 1000}, "TEMPLATE_FAILED"),
    "a template that digs": ("{id: a, kind: llm, prompt: '{{ q.__class__.__mro__ }}'}", {"q": "x"},
                             "TEMPLATE_FAILED"),
    "the cloud's metadata": ("{id: a, kind: http, url: 'http://169.254.169.254/latest/'}", {},
                             "HTTP_REFUSED"),
    "a redirected scheme": ("{id: a, kind: http, url: '{u}'}", {"u": "file:///etc/passwd"},
                            "HTTP_REFUSED"),
    "loopback in disguise": ("{id: a, kind: http, url: '{u}'}", {"u": "http://[::ffff:7f00:1]/"},
                             "HTTP_REFUSED"),
    "a path of another kind": ("{id: a, kind: passthrough, "
                               "input: {x: pipeline_input.__class__.y}}", {}, "DATA_NOT_FOUND"),
    "a loop over a giant list": (LOOP % "{id: b, kind: passthrough}", {"xs": [0] * 5000},
                                 "LOOP_TOO_LONG"),
    "a loop that gathers": (LOOP % "{id: b, kind: code, code: \"return {'x': 'a' * 3_000_000}\"}",
                            {"xs": [0] * 50}, "OUTPUT_TOO_LARGE"),
    "a regular expression": ("{id: a, kind: passthrough, input_schema: {properties: "
                             "{x: {pattern: '^(a|a)*?\\1$'}}}}", {"x": "a" * 40 + "b"},
                             "INPUT_SCHEMA"),
    "a schema bomb": ("{id: a, kind: passthrough, input_schema: " + json.dumps(
        {"$defs": {**{f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(30)},
                   "a30": {"type": "integer"}}, "$ref": "#/$defs/a0"}) + "}", {}, "INPUT_SCHEMA"),
    "a pattern of names": ("{id: a, kind: passthrough, input_schema: {additionalProperties: false, "
                           "patternProperties: {'^(a+)+$': {}}}}", {"a" * 40 + "b": 1},
                           "INPUT_SCHEMA"),
    "a number beyond numbers": ("{id: a, kind: passthrough, input_schema: "
                                "{properties: {x: {multipleOf: 0.1}}}}", {"x": 10**400},
                                "INPUT_SCHEMA"),
    "a path of many digits": ("{id: a, kind: passthrough, input: {x: initial.xs." + "9" * 5000
                              + "}}", {"xs": [1]}, "DATA_NOT_FOUND"),
    "an input that multiplies": ("{id: a, kind: passthrough, input: {" + ", ".join(
        f"f{n}: initial.xs" for n in range(300)) + "}}", {"xs": "x" * 1_000_000},
        "OUTPUT_TOO_LARGE"),
    "branches that multiply": ("{id: p, kind: parallel, steps: [" + ", ".join(
        f"{{id: b{n}, kind: passthrough}}" for n in range(30)) + "]}", {"xs": "x" * 1_000_000},
        "OUTPUT_TOO_LARGE"),
    "skipped branches that multiply": ("{id: p, kind: parallel, steps: [" + ", ".join(
        f"{{id: b{n}, kind: passthrough, when: 'False'}}" for n in range(30)) + "]}",
        {"xs": "x" * 1_000_000}, "OUTPUT_TOO_LARGE"),
    "iterations that multiply": (
        LOOP % "{id: b, kind: passthrough, input: {x: initial.y}}",
        {"xs": [0] * 30, "y": "x" * 1_000_000}, "OUTPUT_TOO_LARGE"),
    "loops in loops": (LOOP % (
        "{id: m, kind: loop, array_field: initial.xs, steps: [{id: b, kind: passthrough}]}"
        ), {"xs": [0] * 1000}, "LOOP_TOO_LONG"),
    "a model that says no number": (
        "{id: a, kind: llm, model: scripted/nan, prompt: x, output_schema: {}}", {},
        "OUTPUT_NOT_JSON"),
    "a model that says a number too large": (
        "{id: a, kind: llm, model: scripted/inf, prompt: x, output_schema: {}}", {},
        "OUTPUT_NOT_JSON"),
    "a model that ends lines": (
        "{id: a, kind: llm, model: scripted/lines, prompt: x, output_schema: {}}", {},
        "OUTPUT_NOT_JSON"),
}  # fmt: skip
HEAD = """\
inputs: {xs: {type: array, required: false}, y: {required: false}}
scripts:
  nan: {replies: [{text: '{"x": NaN}'}]}
  inf: {replies: [{text: '{"x": 1e999}'}]}
  lines: {replies: [{chunks: ["```", "%s"]}]}
""" % ("\\n" * 90_000)


@pytest.mark.parametrize("attack", RUNS)
async def test_a_hostile_step_fails_and_the_engine_lives_on(attack: str, tmp_path: Any) -> None:
    step, initial, code = RUNS[attack]
    settings = EngineSettings(cache_dir=tmp_path, providers=(), max_entry_blocks=2000)
    async with Services.create(settings) as services:
        definition = flow(f"- {step}", HEAD)
        last = (await events_of(services, definition, initial=initial))[-1]
        assert isinstance(last, EntryFailed)
        assert last.error["code"] == code
        assert last.error["message"]
        assert "Traceback" not in str(last.error)
        works = flow("- {id: a, kind: code, when: 'True', code: \"return {'n': 1}\"}")
        assert await output_of(services, works) == {"n": 1}


async def test_other_runs_go_on_while_attacks_run(tmp_path: Any) -> None:
    """Runs of others finish although every attack is under way at the same time."""
    works = flow("- {id: a, kind: llm, model: scripted/x, prompt: hi}",
                 "scripts: {x: {replies: [{text: fine}]}}")  # fmt: skip
    settings = EngineSettings(cache_dir=tmp_path, providers=(), max_entry_blocks=2000)
    async with Services.create(settings) as services:
        attacks = [
            asyncio.create_task(
                events_of(services, flow(f"- {step}", HEAD),
                          initial=initial)
            )
            for step, initial, _ in RUNS.values()
        ]  # fmt: skip
        for _ in range(100):
            assert await output_of(services, works) == {"text": "fine"}
        assert not all(task.done() for task in attacks)
        for events in await asyncio.gather(*attacks):
            assert isinstance(events[-1], EntryFailed)


async def test_an_input_that_is_too_large_or_too_deep_does_not_become_an_output(
    services: Services,
) -> None:
    deep: Any = 1
    for _ in range(200_000):
        deep = [deep]
    for value in ("x" * 5_000_000, deep):
        last = (await events_of(services, flow(STEP), initial={"x": value}))[-1]
        assert isinstance(last, EntryFailed)
        assert last.error["code"] == "OUTPUT_TOO_LARGE"


async def test_deep_json_passes_through_or_fails_but_never_ends_the_engine(
    services: Services,
) -> None:
    deep: Any = 1
    for _ in range(900):
        deep = [deep]
    for step in ("{id: a, kind: passthrough}", "{id: a, kind: code, code: \"return {'x': x}\"}"):
        last = (await events_of(services, flow(f"- {step}"), initial={"x": deep}))[-1]
        assert isinstance(last, EntryCompleted | EntryFailed)
    assert await output_of(services, flow(STEP)) == {}
