"""JSON rows fold, unfold, find and keep their paths."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from flowdbg.present.json_paths import get, replaced, show
from flowdbg.present.json_rows import JsonRows, Row, preview, shown_text
from flowdbg.present.json_search import Found, finding
from flowdbg.present.search import Query
from tests.present.strategies import values

STEP = re.compile(
    r'\.?(?P<name>[A-Za-z_$][\w$-]*)|\[(?P<index>\d+)\]|\[(?P<key>"(?:[^"\\]|\\.)*")\]'
)


def read(text: str) -> tuple[str | int, ...]:
    """Read a path as a person would."""
    steps: list[str | int] = []
    at = 0
    while at < len(text) and text != "$":
        match = STEP.match(text, at)
        assert match is not None, text
        if match["index"] is not None:
            steps.append(int(match["index"]))
        else:
            steps.append(match["name"] or json.loads(match["key"]))
        at = match.end()
    return tuple(steps)


def find(value: Any, query: Query) -> list[Found]:
    """All that a search finds in the end."""
    return [*finding(value, query)][-1] or []


paths = st.lists(st.text(max_size=4) | st.integers(0, 9)).map(tuple)


def fold_keys(rows: JsonRows) -> list[tuple[object, str]]:
    return [(row.path, row.text) for row in rows.rows]


@given(values)
def test_every_row_stands_for_the_value_at_its_path(value: Any) -> None:
    rows = JsonRows(value)
    rows.unfold_all()
    for row in rows.rows:
        if not row.is_text:
            assert get(value, row.path) is row.value


@given(values, st.integers(0, 30))
def test_as_many_levels_are_unfolded_at_first_as_fit(value: Any, fill: int) -> None:
    least = len(JsonRows(value))
    assert least <= len(JsonRows(value, fill=fill)) <= max(least, fill)


@given(values)
def test_unfolded_rows_are_the_whole_value(value: Any) -> None:
    rows = JsonRows(value)
    rows.unfold_all()
    assert sum(not row.is_text for row in rows.rows) == count(value)


def count(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(count, value.values()))
    return 1 + sum(map(count, value)) if isinstance(value, list) else 1


@given(values, st.lists(st.integers(0, 40), max_size=20))
def test_any_folding_keeps_the_rows_in_order(value: Any, steps: list[int]) -> None:
    rows = JsonRows(value)
    for step in steps:
        rows.toggle(step % len(rows))
        assert_whole(rows)


def assert_whole(rows: JsonRows) -> None:
    """Each open row is followed by exactly its children, in order, one level deeper."""
    expected: list[Row] = []

    def walk(row: Row) -> None:
        expected.append(row)
        if row.is_open:
            direct = [child for child in rows.rows if child.parent is row]
            assert len(direct) == row.children
            for child in direct:
                assert child.depth == row.depth + 1
                walk(child)

    walk(rows.rows[0])
    assert expected == rows.rows


@given(values, st.lists(st.integers(0, 40), max_size=20))
def test_unfolding_what_was_folded_gives_the_same_rows(value: Any, steps: list[int]) -> None:
    rows = JsonRows(value)
    for step in steps:
        rows.toggle(step % len(rows))
    index = steps[0] % len(rows) if steps else 0
    before = len(rows)
    gone = rows.fold(index)
    assert len(rows) == before - gone


@given(values, st.lists(st.integers(0, 40), max_size=10))
def test_the_same_value_again_keeps_what_is_unfolded(value: Any, steps: list[int]) -> None:
    rows = JsonRows(value)
    for step in steps:
        rows.toggle(step % len(rows))
    assert fold_keys(rows.renewed(value)) == fold_keys(rows)


@given(values)
def test_any_path_can_be_revealed(value: Any) -> None:
    everything = JsonRows(value)
    everything.unfold_all()
    for row in everything.rows:
        rows = JsonRows(value)
        rows.fold(0)
        assert rows.rows[rows.reveal(row.path)].path == row.path


def test_a_new_value_loses_only_what_it_no_longer_has() -> None:
    rows = JsonRows({"a": {"b": [1]}, "c": {"d": 1}})
    rows.unfold_all()
    fresh = rows.renewed({"a": {"b": [1, 2]}, "c": 5})
    assert [show(row.path) for row in fresh.rows] == ["$", "a", "a.b", "a.b[0]", "a.b[1]", "c"]


def test_a_long_text_unfolds_into_wrapped_lines() -> None:
    text = "one two three four five six seven eight nine ten eleven twelve\nthirteen"
    rows = JsonRows({"said": text}, width=36)
    rows.unfold(1)
    lines = [row.text for row in rows.rows if row.is_text]
    assert lines[-1] == "thirteen"
    assert "".join(lines) == text.replace("\n", "")
    rows.rewrap(80)
    assert [row.text for row in rows.rows if row.is_text] == text.split("\n")


@given(paths)
def test_paths_read_back_as_they_were_written(path: tuple[str | int, ...]) -> None:
    assert read(show(path)) == path


def test_a_leaf_is_replaced_in_a_copy() -> None:
    value = {"a": [{"b": 1}, 2], "c": {}}
    assert replaced(value, ("a", 0, "b"), "x") == {"a": [{"b": "x"}, 2], "c": {}}
    assert value == {"a": [{"b": 1}, 2], "c": {}}


@given(values, st.text("ab1tn", min_size=1, max_size=2))
def test_every_place_found_holds_the_query(value: Any, typed: str) -> None:
    query = Query(typed)
    for found in find(value, query):
        here = get(value, found.path)
        key = found.path[-1] if found.path else ""
        shown = here if isinstance(here, str) else preview(here).lower()
        assert query.spans(shown) or (isinstance(key, str) and query.spans(key))


def test_places_are_found_in_folded_rows_in_their_order() -> None:
    value = {"fox": {"name": "fox"}, "list": [1, {"deep": "a fox"}], "text": "fox\n" * 3}
    found = find(value, Query("fox"))
    assert [show(place.path) for place in found] == [
        "fox", "fox.name", "list[1].deep", "text", "text", "text",
    ]  # fmt: skip
    assert [place.offset for place in found[3:]] == [0, 4, 8]


def test_a_preview_is_one_safe_line() -> None:
    assert preview("a\x1b[31m\nb") == '"a\\u001b[31m\\nb"'
    assert preview("x" * 300, 10) == '"' + "x" * 10 + '…"'
    assert preview({"a": 1}) == "{1}"
    assert preview([1, 2]) == "[2]"


@given(st.text("ab \n\t\x1b日", min_size=1, max_size=150), st.data())
def test_the_line_of_an_offset_shows_its_character(text: str, data: st.DataObject) -> None:
    rows = JsonRows({"said": text + "x" * 61}, width=26)
    shown = shown_text(text + "x" * 61)
    offset = data.draw(st.sampled_from([at for at, char in enumerate(shown) if char != "\n"]))
    line = rows.rows[rows.line_at(1, offset)]
    assert line.text[offset - line.value] == shown[offset]
