"""Schema problems have a path and a sentence, and nothing makes the check raise."""

from __future__ import annotations

import pytest

from flowdbg.core.schemas import schema_problems

SCHEMA = {
    "type": "object",
    "properties": {"items": {"type": "array", "items": {"enum": ["a", "b"]}}},
    "required": ["items", "title"],
}


def test_every_problem_is_told_with_its_path() -> None:
    problems = schema_problems({"items": ["a", "x", 5]}, SCHEMA)
    assert sorted(path for path, _ in problems) == [(), ("items", 1), ("items", 2)]
    assert any("'title' is a required property" in text for _, text in problems)


def test_a_value_that_fits_has_no_problems() -> None:
    assert schema_problems({"items": ["b"], "title": 1}, SCHEMA) == []


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"$ref": "#/nowhere"},
        {"$ref": "#"},
        {"$ref": "http://127.0.0.1:9/schema.json"},
    ],
)
def test_a_schema_that_cannot_be_used_is_itself_the_problem(schema: dict[str, object]) -> None:
    [(path, text)] = schema_problems("x", schema)
    assert path == ()
    assert "schema" in text


def test_there_is_an_end_to_the_problems() -> None:
    assert len(schema_problems(["x"] * 500, {"items": {"type": "number"}})) == 50


def test_a_pattern_that_would_take_for_ever_is_left_out() -> None:
    assert schema_problems("a" * 60 + "!", {"pattern": "^(a+)+$"}) == []


def test_a_bomb_of_references_is_given_up() -> None:
    bomb: dict[str, object] = {"$defs": {"d0": {"type": "string"}}, "$ref": "#/$defs/d20"}
    defs = bomb["$defs"]
    assert isinstance(defs, dict)
    for depth in range(1, 21):
        defs[f"d{depth}"] = {"allOf": [{"$ref": f"#/$defs/d{depth - 1}"}] * 2}
    [(_, text)] = schema_problems("x", bomb)
    assert "too large" in text
