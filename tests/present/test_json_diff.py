"""From a difference both values can be rebuilt."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdbg.present.diff_rows import DiffRows
from flowdbg.present.json_diff import DiffNode, Kind, changes, compare, fingerprint, same
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


@given(values, values)
def test_a_change_is_where_it_says(old: Any, new: Any) -> None:
    for change in changes(compare(old, new)):
        if change.kind is not Kind.REMOVED:
            assert get(new, change.path) == change.new


@given(values, values, st.sampled_from([24, 60, 10**6]))
def test_every_row_of_a_difference_unfolds_and_folds_again(old: Any, new: Any, width: int) -> None:
    rows = DiffRows(compare(old, new), width)
    for index in reversed(range(len(rows))):
        before = list(rows.rows)
        rows.toggle(index)
        rows.toggle(index)
        assert rows.rows == before


@given(values)
def test_what_did_not_change_can_be_read_to_its_leaves(value: Any) -> None:
    rows = DiffRows(compare(value, value))
    at = 0
    while at < len(rows):
        if not rows.rows[at].is_open:
            rows.toggle(at)
        at += 1
    shown = [row for row in rows.rows if not row.is_line]
    assert len(shown) == max(nodes_in(value), 1)


def nodes_in(value: Any) -> int:
    """How many nodes a value has, itself included."""
    members = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        return 1 + sum(map(nodes_in, members))
    return 1


@pytest.mark.parametrize(("old", "new"), [(1, True), (1, 1.0), (1, "1"), (0, None), (0, False)])
def test_values_of_other_types_differ(old: Any, new: Any) -> None:
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
    assert [change.kind for change in changes(root)] == [Kind.CHANGED]
    assert [show(change.path) for change in changes(root)] == ["customer.tier"]


def sides_of(old: str, new: str) -> tuple[str, str]:
    """Both texts, put together again from their difference."""
    lines = text_diff(old, new)
    sides = []
    for other in "+-":
        text = "".join(
            line.text + ("\n" if line.ends_line else "") for line in lines if line.mark != other
        )
        sides.append(text.removesuffix("\n"))
    return sides[0], sides[1]


@given(
    st.lists(st.text("ab ", max_size=6), max_size=8),
    st.lists(st.text("ab ", max_size=6), max_size=8),
)
def test_the_lines_of_a_text_difference_are_both_texts(old: list[str], new: list[str]) -> None:
    before, after = "\n".join(old), "\n".join(new)
    assert sides_of(before, after) == (before, after)


SENTENCES = st.lists(
    st.sampled_from(
        ["The customer was charged twice. ", "She asks for the money! ", "Send it. \n",
         "谢谢您。", "no end", "\n", "Why? "]
    ),
    max_size=30,
)  # fmt: skip


@given(SENTENCES, SENTENCES)
def test_the_sentences_of_a_text_difference_are_both_texts(old: list[str], new: list[str]) -> None:
    before, after = "".join(old), "".join(new)
    assert sides_of(before, after) == (before, after)


PARAGRAPH = " ".join(
    f"Sentence number {number} says something about order {number * 37} and its delivery."
    for number in range(1, 31)
)


def test_a_word_changed_in_a_long_paragraph_is_one_sentence_with_one_word_marked() -> None:
    changed = PARAGRAPH.replace("about order 555", "about parcel 555")
    rows = DiffRows(compare({"text": PARAGRAPH}, {"text": changed}), 76).rows
    assert [row.old or row.new for row in rows if row.kind is not Kind.CHANGED] == [
        "",
        "13 unchanged sentences",
        "Sentence number 14 says something about order 518 and its delivery. ",
        "Sentence number 15 says something about order 555 and its delivery. ",
        "Sentence number 15 says something about parcel 555 and its delivery. ",
        "Sentence number 16 says something about order 592 and its delivery. ",
        "14 unchanged sentences",
    ][1:]
    removed, added = (row for row in rows if row.kind in (Kind.REMOVED, Kind.ADDED))
    assert [removed.old[a:b] for a, b in removed.spans] == ["order"]
    assert [added.new[a:b] for a, b in added.spans] == ["parcel"]


def test_a_long_text_without_sentences_shows_only_what_is_near_a_change() -> None:
    words = [f"word{number}" for number in range(600)]
    old = " ".join(words)
    new = " ".join([*words[:300], "inserted", *words[300:]])
    rows = DiffRows(compare(old, new), 60).rows
    assert len(rows) <= 12
    assert sum("characters the same" in row.text for row in rows) == 4
    added = [row for row in rows if row.kind is Kind.ADDED and row.spans]
    assert [row.new[a:b] for row in added for a, b in row.spans] == ["inserted"]


def test_a_paragraph_that_was_parted_differs_where_its_line_ends() -> None:
    old = PARAGRAPH
    new = PARAGRAPH.replace("number 3 says", "number 3 says").replace(
        "delivery. Sentence number 9", "delivery. \nSentence number 9"
    )
    rows = DiffRows(compare(old, new), 100).rows
    assert [row.new for row in rows if row.kind is Kind.ADDED] == [
        "Sentence number 8 says something about order 296 and its delivery. ¶"
    ]


def test_changed_lines_stand_beside_what_they_became() -> None:
    old = "alpha one two three\nbeta four five six\ngamma"
    new = "new first line\nalpha one two THREE\nbeta four five SIX\ngamma"
    assert [(line.mark, line.text) for line in text_diff(old, new)] == [
        ("+", "new first line"),
        ("-", "alpha one two three"),
        ("+", "alpha one two THREE"),
        ("-", "beta four five six"),
        ("+", "beta four five SIX"),
        (" ", "gamma"),
    ]


def test_a_changed_word_without_spaces_around_it_is_marked_between_its_equal_ends() -> None:
    removed, added = text_diff("x" * 300 + "ab" + "y" * 300, "x" * 300 + "cde" + "y" * 300)
    assert (removed.spans, added.spans) == (((300, 302),), ((300, 303),))


def test_what_does_not_fit_on_one_row_has_rows_of_its_own() -> None:
    old, new = {"city": "a street in Bremen"}, {"city": "a street in Bremerhaven"}
    assert len(DiffRows(compare(old, new), 80)) == 1
    assert [(row.kind, row.text) for row in DiffRows(compare(old, new), 40).rows] == [
        (Kind.CHANGED, "city"),
        (Kind.REMOVED, "a street in Bremen"),
        (Kind.ADDED, "a street in Bremerhaven"),
    ]


def test_an_added_container_shows_what_is_in_it() -> None:
    rows = DiffRows(compare({}, {"who": {"name": "Ann", "tags": ["a", "b"]}})).rows
    assert [(row.depth, row.kind, row.text) for row in rows] == [
        (0, Kind.ADDED, "who: {2}"),
        (1, Kind.ADDED, 'name: "Ann"'),
        (1, Kind.ADDED, "tags: [2]"),
        (2, Kind.ADDED, '[0]: "a"'),
        (2, Kind.ADDED, '[1]: "b"'),
    ]


def test_a_value_that_became_one_of_another_kind_shows_both() -> None:
    rows = DiffRows(compare({"a": [1]}, {"a": "one"})).rows
    assert [(row.kind, row.text) for row in rows] == [
        (Kind.CHANGED, "a"),
        (Kind.REMOVED, "[1]"),
        (Kind.REMOVED, "[0]: 1"),
        (Kind.ADDED, '"one"'),
    ]


def test_a_changed_line_marks_its_changed_words() -> None:
    lines = text_diff("Answer in one short sentence.", "Answer in two short sentences.")
    removed, added = lines
    assert [removed.text[a:b] for a, b in removed.spans] == ["one", "sentence"]
    assert [added.text[a:b] for a, b in added.spans] == ["two", "sentences"]


@given(values, values, st.sampled_from([24, 60, 10**6]), st.data())
def test_any_row_of_a_difference_can_be_shown(
    old: Any, new: Any, width: int, data: st.DataObject
) -> None:
    rows = DiffRows(compare(old, new), width)
    row = data.draw(st.sampled_from(list(rows.all_rows())))
    assert rows.rows[rows.reveal(row)] is row


@given(values, values, st.lists(st.integers(0, 40), max_size=10))
def test_another_width_keeps_what_is_unfolded(old: Any, new: Any, steps: list[int]) -> None:
    rows = DiffRows(compare(old, new), 60)
    for step in steps:
        rows.toggle(step % len(rows))
    assert [row.text for row in rows.rewrapped(60).rows] == [row.text for row in rows.rows]


@pytest.mark.parametrize("depth", [300, 500, 900])
def test_values_nested_deep_are_compared_or_are_one_change(depth: int) -> None:
    old: Any = 1
    new: Any = 2
    for _ in range(depth):
        old, new = {"a": old}, {"a": new}
    assert not same(old, new)
    assert len(changes(compare(old, new))) == 1
    assert list(DiffRows(compare(old, new), 60).all_rows())
