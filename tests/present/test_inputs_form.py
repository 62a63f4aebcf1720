"""A flow's inputs become a form, and a form becomes a message and parameters."""

from __future__ import annotations

from flowdbg.present.inputs_form import collect, fields_of, problems

SCHEMA = {
    "type": "object",
    "properties": {
        "tier": {"type": "string", "enum": ["gold", "silver"], "default": "gold"},
        "limit": {"type": "integer", "description": "How many."},
        "strict": {"type": "boolean", "default": False},
        "score": {"type": "number"},
        "tags": {"type": "array"},
        "message": {"type": "string"},
        "name": {"type": "string", "title": "Your name"},
    },
    "required": ["limit"],
}


def test_each_property_has_a_field_and_the_message_comes_first() -> None:
    fields = fields_of(SCHEMA)
    assert [(field.name, field.kind) for field in fields] == [
        ("message", "long text"),
        ("tier", "choice"),
        ("limit", "integer"),
        ("strict", "boolean"),
        ("score", "number"),
        ("tags", "json"),
        ("name", "text"),
    ]
    assert [field.name for field in fields if field.required] == ["message", "limit"]
    assert {field.name: field.default for field in fields if field.default} == {
        "tier": "gold",
        "strict": "false",
    }


def test_without_a_schema_the_form_asks_for_a_message() -> None:
    assert [field.name for field in fields_of({})] == ["message"]
    assert fields_of({"properties": "odd", "required": 3})[0].required


def test_a_flow_without_a_message_is_not_asked_for_one() -> None:
    fields = fields_of({"properties": {"topic": {"type": "string"}}, "required": ["topic"]})
    assert [(field.name, field.required) for field in fields] == [("topic", True)]


def test_what_is_filled_in_becomes_message_and_parameters() -> None:
    texts = {
        "message": "hi",
        "tier": "silver",
        "limit": "3",
        "strict": "true",
        "score": "",
        "tags": "[1]",
    }
    fields = fields_of(SCHEMA)
    assert problems(fields, texts) == {}
    assert collect(fields, texts) == (
        "hi",
        {"tier": "silver", "limit": 3, "strict": True, "tags": [1]},
    )


def test_what_is_wrong_is_told_field_by_field() -> None:
    texts = {"message": " ", "limit": "3.5", "score": "much", "tags": "[1", "strict": "maybe"}
    found = problems(fields_of(SCHEMA), texts)
    assert found["message"] == "this input is required"
    assert found["limit"] == "a whole number is expected"
    assert found["score"] == "a number is expected"
    assert found["tags"].startswith("line 1")
    assert found["strict"] == "true or false is expected"
