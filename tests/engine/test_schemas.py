"""JSON Schemas of strangers: what they check, and that no schema is a bomb."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from flowdbg.engine.effort import Effort
from flowdbg.engine.schema_format import schema_problems
from flowdbg.engine.schemas import SchemaMismatch, check_now, check_value
from flowdbg.expressions import Sandbox

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "pattern": "^[A-Z]"},
        "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
    },
    "required": ["name"],
    "additionalProperties": False,
}


COMPUTE = Effort().of_a_run()


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    made = Sandbox()
    yield made
    await made.aclose()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"name": "Ada"}, None),
        ({"name": "ada"}, "`name`: 'ada' does not match"),
        ({}, "'name' is a required property"),
        ({"name": "Ada", "age": 3}, "Additional properties are not allowed"),
        ({"name": "Ada", "tags": ["a", 3]}, "`tags.1`: 3 is not of type 'string'"),
        ({"name": "Ada", "tags": ["a", "a"]}, "`tags`: the items are not all different"),
        ([], "is not of type 'object'"),
    ],
)
async def test_the_first_thing_that_does_not_fit_is_named(
    sandbox: Sandbox, value: Any, said: str | None
) -> None:
    assert list(schema_problems(PERSON)) == []
    if said is None:
        await check_value(value, PERSON, sandbox, COMPUTE)
        return
    with pytest.raises(SchemaMismatch, match=said.replace("[", r"\[")):
        await check_value(value, PERSON, sandbox, COMPUTE)


@pytest.mark.parametrize(
    ("value", "schema", "fits"),
    [
        ("ab", {"anyOf": [{"pattern": "^x"}, {"pattern": "^a"}]}, True),
        ("zz", {"anyOf": [{"pattern": "^x"}, {"pattern": "^a"}]}, False),
        ("zz", {"not": {"pattern": "^x"}}, True),
        ("xz", {"not": {"pattern": "^x"}}, False),
        ("xz", {"if": {"pattern": "^x"}, "then": {"maxLength": 1}}, False),
        ({"x1": 1}, {"patternProperties": {"^x": {"type": "string"}}}, False),
        ({"y1": 1}, {"patternProperties": {"^x": {"type": "string"}}}, True),
        (
            {"x1": 1, "y": 2},
            {"patternProperties": {"^x": {}}, "additionalProperties": False},
            False,
        ),
        (
            {"x1": 1, "x2": 2},
            {"patternProperties": {"^x": {}}, "additionalProperties": False},
            True,
        ),
        ({"x": 1, "y": 2}, {"properties": {"x": {}}, "additionalProperties": False}, False),
        (
            {"x": 1, "y": "a"},
            {"properties": {"x": {}}, "additionalProperties": {"type": "string"}},
            True,
        ),
        (
            {"x": 1, "y": 2},
            {"properties": {"x": {}}, "additionalProperties": {"type": "string"}},
            False,
        ),
        ({"x": 1}, {"additionalProperties": True}, True),
        (3, {"pattern": "^x"}, True),
        ({"a": {"a": 1}}, {"properties": {"a": {"$ref": "#"}}, "type": "object"}, False),
        ([[[]]], {"type": "array", "items": {"$ref": "#"}}, True),
    ],
)
async def test_patterns_decide_alternatives_as_they_should(
    sandbox: Sandbox, value: Any, schema: dict[str, Any], fits: bool
) -> None:
    try:
        await check_value(value, schema, sandbox, COMPUTE)
    except SchemaMismatch:
        assert not fits
    else:
        assert fits


def _bomb() -> dict[str, Any]:
    definitions: dict[str, Any] = {
        f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(30)
    }
    definitions["a30"] = {"type": "integer"}
    return {"$defs": definitions, "$ref": "#/$defs/a0"}


def _deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "schema", "said"),
    [
        (1, _bomb(), "needs more than 100,000 checks"),
        (1, {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}, "nested too deep"),
        (_deep(900), {"items": {"$ref": "#"}}, "nested too deep"),
        (_deep(40), {"anyOf": [{"items": {"$ref": "#"}, "minItems": 2}] * 3},
         "needs more than|not valid under any"),
        ("a" * 40 + "b", {"pattern": r"^(a|a)*?\1$"}, "cannot be used: .*backtracking"),
        (1, {"$ref": "#/nope"}, "refers to something it lacks"),
        (1, {"$ref": "http://127.0.0.1:1/schema"}, "refers to something it lacks"),
        (1, {"type": "strin"}, "not a correct JSON Schema"),
    ],
)  # fmt: skip
async def test_a_schema_bomb_is_a_mismatch_not_a_hang(
    sandbox: Sandbox, value: Any, schema: dict[str, Any], said: str
) -> None:
    with pytest.raises(SchemaMismatch, match=said):
        await check_value(value, schema, sandbox, COMPUTE)


async def test_a_regular_expression_that_never_ends_elsewhere_ends_here(sandbox: Sandbox) -> None:
    endless = "^(a+)+$"
    with pytest.raises(SchemaMismatch, match="does not match"):
        await check_value("a" * 40 + "b", {"pattern": endless}, sandbox, COMPUTE)
    names = {"patternProperties": {endless: {}}, "additionalProperties": False}
    with pytest.raises(SchemaMismatch, match="Additional properties are not allowed"):
        await check_value({"a" * 40 + "b": 1}, names, sandbox, COMPUTE)
    check_now({"a" * 40 + "b": 1}, names)


async def test_checks_that_take_long_each_come_to_an_end(sandbox: Sandbox) -> None:
    """Fewer checks than are allowed, each of which compares with all values of an `enum`."""
    schema = {"items": {"not": {"enum": ["x"] * 40_000}}}
    with pytest.raises(SchemaMismatch, match="longer than 2 seconds"):
        await check_value([{}] * 60_000, schema, sandbox, COMPUTE)


async def test_a_number_that_cannot_be_divided_is_a_mismatch(sandbox: Sandbox) -> None:
    with pytest.raises(SchemaMismatch, match="cannot be checked"):
        await check_value(10**400, {"multipleOf": 0.7}, sandbox, COMPUTE)


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ([1], "is not a JSON Schema object"),
        ({"type": "strin"}, "type: is not JSON Schema: 'strin' is no type. Did you mean `string`"),
        (
            {"properties": {"a": {"minimum": "x"}}},
            "properties.a.minimum: is not JSON Schema: 'x' is not of",
        ),
        ({"pattern": "("}, "is not a 'regex'"),
        ({"$ref": "https://example.com/s"}, "only references inside the schema"),
        ({"items": [{"$ref": "file:///etc/passwd"}]}, "not JSON Schema|only references"),
        ({"unevaluatedProperties": False}, "`unevaluatedProperties`, which is not supported"),
        ({"a": {"$dynamicRef": "#x"}}, "`$dynamicRef`, which is not supported"),
        ({"enum": ["x" * 300_000]}, "larger than 200,000 bytes"),
        ({"allOf": [{}] * 2000}, "more than 2,000 parts"),
        ({"type": [name for n in range(1000) for name in (n, str(n))]}, "more than 2,000 parts"),
        ({"properties": {"enum": {"allOf": [{}] * 2000}}}, "more than 2,000 parts"),
        (_deep(3), "is not a JSON Schema object"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else None,
)
def test_a_schema_that_cannot_be_used_is_explained(schema: Any, said: str) -> None:
    found = [
        f"{'.'.join(map(str, place))}: {message}" for place, message in schema_problems(schema)
    ]
    assert re.search(said.replace("$", r"\$"), "\n".join(found))


def test_a_list_of_many_names_is_no_large_schema() -> None:
    names = [f"name {number}" for number in range(10_000)]
    assert list(schema_problems({"properties": {"name": {"enum": names}}})) == []


def test_every_problem_of_a_schema_is_told_with_its_place() -> None:
    schema = {
        "type": "objct",
        "properties": {"kind": {"type": "int"}, "enum": {"type": "string", "maxlength": 3}},
        "propertys": {},
        "additionalProperties": {"urgent": "boolean"},
        "anyOf": [{"requird": ["kind"]}],
        "default": {"requird": 1},
        "x-note": 1,
        "audience": "people",
    }
    assert [place for place, _ in schema_problems(schema)] == [
        ("properties", "kind", "type"),
        ("type",),
        ("propertys",),
        ("properties", "enum", "maxlength"),
        ("additionalProperties",),
        ("anyOf", 0, "requird"),
    ]
    many = {"properties": {f"p{number}": {"type": "text"} for number in range(50)}}
    assert len(list(schema_problems(many))) == 10


def test_a_check_without_waiting_does_not_look_at_patterns() -> None:
    check_now({"name": "ada"}, PERSON)
    with pytest.raises(SchemaMismatch, match="required"):
        check_now({}, PERSON)
