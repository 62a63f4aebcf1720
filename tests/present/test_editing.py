"""What is typed is checked with its place, and goes out as it was typed."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import given

from flowdbg.core.json_text import JsonText
from flowdbg.present.edit_document import (
    EditDocument,
    block_documents,
    unknown_field,
    whole_block,
)
from flowdbg.present.editor_state import WHOLE, EditorState, Refusal
from flowdbg.present.json_check import check, locate
from flowdbg.present.json_paths import get
from flowdbg.present.json_pretty import compact, pretty
from flowdbg.present.json_rows import JsonRows
from flowdbg.present.safe_text import UNSAFE
from tests.present.strategies import hostile, values


@given(values)
def test_laying_out_changes_no_value(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False)
    assert json.loads(pretty(text)) == value
    assert json.loads(compact(pretty(text))) == value


@given(hostile)
def test_what_is_laid_out_is_safe_and_means_the_same(text: str) -> None:
    written = pretty(json.dumps(text, ensure_ascii=False))
    assert UNSAFE.search(written) is None
    assert json.loads(written).encode("utf-16", "surrogatepass") == text.encode(
        "utf-16", "surrogatepass"
    )


def test_numbers_and_duplicate_keys_keep_their_writing() -> None:
    text = '{"a":1.50e3,"a":123456789012345678901234567890,"b":[],"c":{}}'
    assert compact(pretty(text)) == text
    assert pretty(text).splitlines() == [
        "{",
        '  "a": 1.50e3,',
        '  "a": 123456789012345678901234567890,',
        '  "b": [],',
        '  "c": {}',
        "}",
    ]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("", 1, 1),
        ("{", 1, 2),
        ('{"a": 1,}', 1, 8 if sys.version_info >= (3, 13) else 9),  # the comma, or behind it
        ('{\n  "a": 1\n  "b": 2\n}', 3, 3),
        ("[1, 2", 1, 6),
        ('"open', 1, 1),
        ("1 2", 1, 3),
    ],
)
def test_a_wrong_text_is_told_with_line_and_column(text: str, line: int, column: int) -> None:
    found = check(text)
    assert found is not None
    assert (found.line, found.column) == (line, column)
    assert found.message


@pytest.mark.parametrize("text", ["NaN", "Infinity", "[" * 100_000])
def test_what_python_takes_but_json_does_not_is_refused(text: str) -> None:
    assert check(text) is not None


@given(values)
def test_every_value_is_located_where_it_stands(value: Any) -> None:
    text = pretty(json.dumps(value))
    rows = JsonRows(value)
    rows.unfold_all()
    for row in rows.rows:
        line, column = locate(text, row.path)
        rest = "\n".join([text.splitlines()[line - 1][column - 1 :], *text.splitlines()[line:]])
        assert json.JSONDecoder().raw_decode(rest)[0] == get(value, row.path)


def test_a_schema_problem_is_told_with_path_and_place() -> None:
    text = '{\n  "tier": 1\n}'
    found = check(text, lambda value: [(("tier",), "1 is not a string")])
    assert str(found) == "line 2, column 11: tier: 1 is not a string"


def test_a_string_is_edited_as_text_and_anything_else_as_json() -> None:
    said = EditDocument("output", JsonText('"one\\ntwo"'), JsonText('"one\\ntwo"'))
    assert said.start == "one\ntwo"
    assert said.result("three\n").text == '"three\\n"'
    assert said.is_original("one\ntwo")
    data = EditDocument("output", JsonText('{"a":1}'), JsonText('{"a":2}'))
    assert data.start == '{\n  "a": 2\n}'
    assert data.is_original('{"a": 1}')
    assert not data.is_original(data.start)


@given(values)
def test_opening_and_applying_without_a_change_is_the_original(value: Any) -> None:
    given_text = JsonText.of(value)
    document = EditDocument("output", given_text, given_text)
    assert document.problem(document.start) is None
    assert document.is_original(document.start)


def test_a_block_opens_on_its_prompt_and_can_be_written_as_a_whole() -> None:
    original = {"model": JsonText('"m"'), "prompt": JsonText('"Say hi"'), "n": JsonText("1")}
    documents = block_documents(original, {"n": JsonText("2")})
    assert [document.title for document in documents] == ["prompt", "model", "n"]
    texts = {document.title: document.start for document in documents}
    assert json.loads(whole_block(documents, texts)) == {"prompt": "Say hi", "model": "m", "n": 2}


def test_a_misspelt_field_meets_the_nearest_known_one() -> None:
    said = unknown_field("temprature", ["prompt", "temperature"])
    assert said.endswith("did you mean `temperature`?")
    assert "did you mean" not in unknown_field("zzz", ["prompt"])


def block_state(**edits: str) -> EditorState:
    original = {"prompt": JsonText('"Say hi to everyone in this long room"'), "n": JsonText("1")}
    given_edits = {name: JsonText(text) for name, text in edits.items()}
    return EditorState(
        block_documents(original, given_edits), known_fields=("temperature",), has_whole=True
    )


def test_only_what_differs_is_taken() -> None:
    state = block_state()
    assert state.results() == {}
    state.type("Say bye")
    assert state.is_changed
    assert state.is_edited("prompt")
    assert state.results() == {"prompt": JsonText('"Say bye"')}


def test_putting_the_original_back_is_a_result_when_an_edit_counted() -> None:
    state = block_state(n="2")
    assert state.open("n") is None
    assert state.text == "2"
    state.reset()
    assert state.results() == {"n": JsonText("1")}
    assert not state.is_edited("n")


def test_a_wrong_field_keeps_the_edit_from_being_taken_and_is_named() -> None:
    state = block_state()
    state.open("n")
    state.type("1,")
    state.open("prompt")
    refused = state.results()
    assert isinstance(refused, Refusal)
    assert refused.title == "n"
    assert state.drafts() == {"n": "1,"}


def test_the_whole_block_is_written_read_back_and_checked() -> None:
    state = block_state()
    state.type("Say bye")
    assert state.open(WHOLE) is None
    assert json.loads(state.text) == {"prompt": "Say bye", "n": 1}
    state.type('{"prompt": "Say no", "n": 1.50, "temprature": 0}')
    problem = state.problem()
    assert problem is not None
    assert "did you mean `temperature`?" in problem.message
    assert state.open("prompt") == problem
    state.type('{"prompt": "Say no", "n": 1.50, "temperature": 0}')
    assert state.open("prompt") is None
    assert state.text == "Say no"
    assert state.results() == {
        "prompt": JsonText('"Say no"'),
        "n": JsonText("1.50"),
        "temperature": JsonText("0"),
    }


def test_a_draft_opens_where_it_was_left() -> None:
    output = EditDocument("output", JsonText('{"a":1}'), JsonText('{"a":1}'))
    state = EditorState([output], drafts={"output": '{"a":', "gone": "x"})
    assert state.text == '{"a":'
    assert state.problem() is not None
    assert state.is_changed


def test_an_object_around_one_string_is_edited_as_that_string() -> None:
    said = JsonText('{"text":"one two"}')
    state = EditorState([EditDocument("output", said, said)])
    assert state.is_text
    state.type("three")
    assert state.results() == {"output": JsonText('{"text":"three"}')}
    assert state.turn()
    assert (state.is_text, state.text) == (False, '{\n  "text": "three"\n}')
    state.type('{"text": "four", "more": 1}')
    assert not state.turn()
    state.type('{"text": "four"}')
    assert state.turn()
    assert state.text == "four"


def test_a_number_has_no_text_side() -> None:
    state = EditorState([EditDocument("output", JsonText("1"), JsonText("1"))])
    assert not state.turn()
