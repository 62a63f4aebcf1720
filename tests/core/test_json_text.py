"""JSON is kept as it came, and read only when asked."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdbg.core.json_text import JsonText, join, members

json_values: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), json_values, max_size=6), st.sampled_from([None, 0, 3]))
def test_members_gives_each_value_and_exactly_its_text(
    value: dict[str, object], indent: int | None
) -> None:
    text = json.dumps(value, indent=indent)
    found = members(text)
    assert {name: span.value for name, span in found.items()} == value
    for name, span in found.items():
        assert json.loads(text[span.start : span.end]) == value[name]


@given(st.text(max_size=40))
def test_members_raises_value_error_or_agrees_with_the_json_module(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        expected = None
    try:
        found = members(text)
    except ValueError:
        assert not isinstance(expected, dict)
    else:
        assert {name: span.value for name, span in found.items()} == expected


@pytest.mark.parametrize("text", ["", "{", "{}x", "[1]", '{"a":1,}', '{"a" 1}', '{"a":1', "null"])
def test_members_refuses_what_is_not_one_object(text: str) -> None:
    with pytest.raises(ValueError):
        members(text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("12345678901234567890123", "number"),
        ("NaN", "number"),
        ('"\\ud800"', "string"),
        ('{"a":1,"a":2}', "object"),
        ("[" * 100_000, "invalid"),
        ("1" * 5000, "invalid"),
        ("{oops}", "invalid"),
        ("true", "boolean"),
        ("null", "null"),
        ("[]", "array"),
    ],
)
def test_odd_texts_are_kept_and_named(text: str, kind: str) -> None:
    value = JsonText(text)
    assert (value.text, value.kind) == (text, kind)
    assert bool(value.problem) == (kind == "invalid")


def test_a_lone_surrogate_is_written_as_an_escape() -> None:
    assert JsonText.of("\ud800é").text == '"\\ud800\\u00e9"'
    assert JsonText.of("é").text == '"é"'


@pytest.mark.parametrize("value", [object(), {1, 2}])
def test_what_is_not_json_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="not a JSON value"):
        JsonText.of(value)


def test_segments_join_to_the_whole_text() -> None:
    assert join(('{"a":', JsonText("[1]"), "}")) == '{"a":[1]}'
