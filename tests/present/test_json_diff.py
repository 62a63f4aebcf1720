"""From a difference both values can be rebuilt."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdbg.present.diff_rows import DiffRows
from flowdbg.present.json_diff import DiffNode, Kind, changes, compare, fingerprint, summary
from flowdbg.present.json_paths import get, show
from flowdbg.present.text_diff import text_diff
from tests.present.strategies import values


def side(node: DiffNode, is_old: bool) -> Any:
    """Rebuild one side of a difference from its tree."""
    if not node.children:
        return node.old if is_old else node.new
    gone = Kind.ADDED if is_old else Kind.REMOVED
    kept = [child for child in node.children if child.kind is not gone]
    pairs = [(child.old_key if is_old else child.new_key, side(child, is_old)) for child in kept]
    if isinstance(node.old if is_old else node.new, dict):
        return dict(pairs)
    return [value for _, value in sorted(pairs, key=lambda pair: int(pair[0] or 0))]


@given(values, values)
def test_both_sides_can_be_rebuilt(old: Any, new: Any) -> None:
    root = compare(old, new)
    assert fingerprint(side(root, True)) == fingerprint(old)
    assert fingerprint(side(root, False)) == fingerprint(new)


@given(values)
def test_a_value_does_not_differ_from_itself(value: Any) -> None:
    assert changes(compare(value, value)) == []
    assert summary(compare(value, value)) == "no difference"


@given(values, values)
def test_a_change_is_where_it_says(old: Any, new: Any) -> None:
    for change in changes(compare(old, new)):
        if change.kind is not Kind.REMOVED:
            assert get(new, change.path) == change.new


@given(values, values)
def test_a_difference_can_be_shown_and_unfolded(old: Any, new: Any) -> None:
    rows = DiffRows(compare(old, new))
    before = len(rows)
    for index in reversed(range(len(rows))):
        rows.toggle(index)
    assert len(rows) >= before


@pytest.mark.parametrize(("old", "new"), [(1, True), (1, 1.0), (1, "1"), (0, None), (0, False)])
def test_types_count(old: Any, new: Any) -> None:
    assert [change.kind for change in changes(compare({"a": old}, {"a": new}))] == [Kind.CHANGED]


def test_an_insertion_at_the_front_is_one_addition() -> None:
    found = changes(compare({"docs": [1, 2, 3]}, {"docs": [0, 1, 2, 3]}))
    assert [(change.kind, show(change.path)) for change in found] == [(Kind.ADDED, "docs[0]")]


def test_an_item_that_changed_its_place_moved() -> None:
    found = changes(compare(["a", "b", "c", "d"], ["d", "a", "b", "c"]))
    assert [(change.kind, change.new) for change in found] == [(Kind.MOVED, "d")]


def test_a_change_deep_down_is_one_leaf() -> None:
    old = {"customer": {"tier": "silver", "id": 1}, "n": 1}
    new = {"customer": {"tier": "gold", "id": 1}, "n": 1}
    root = compare(old, new)
    assert summary(root) == "1 changed"
    assert [show(change.path) for change in changes(root)] == ["customer.tier"]


@given(
    st.lists(st.text("ab ", max_size=6), max_size=8),
    st.lists(st.text("ab ", max_size=6), max_size=8),
)
def test_the_lines_of_a_text_difference_are_both_texts(old: list[str], new: list[str]) -> None:
    before, after = "\n".join(old), "\n".join(new)
    lines = text_diff(before, after)
    assert "\n".join(line.text for line in lines if line.mark != "+") == before
    assert "\n".join(line.text for line in lines if line.mark != "-") == after


def test_a_changed_line_marks_its_changed_words() -> None:
    lines = text_diff("Answer in one short sentence.", "Answer in two short sentences.")
    removed, added = lines
    assert [removed.text[a:b] for a, b in removed.spans] == ["one", "sentence"]
    assert [added.text[a:b] for a, b in added.spans] == ["two", "sentences"]
