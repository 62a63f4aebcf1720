"""Searches find what was typed, count it, and end in time."""

from __future__ import annotations

import re
from weakref import WeakKeyDictionary

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdbg.present import search
from flowdbg.present.search import MATCH_LIMIT, Hits, Query


@given(st.text("aAbBİß ", max_size=40), st.text("aAbB", min_size=1, max_size=3))
def test_plain_text_is_found_where_it_stands(text: str, typed: str) -> None:
    for start, end in Query(typed).spans(text):
        assert text[start:end].lower() == typed.lower()


@given(st.text("abc", max_size=60), st.text("abc", min_size=1, max_size=3))
def test_as_many_as_python_counts(text: str, typed: str) -> None:
    assert len(Query(typed).spans(text)) == text.count(typed)


def test_a_capital_letter_makes_case_count() -> None:
    assert Query("fox").spans("Fox fox") == [(0, 3), (4, 7)]
    assert Query("Fox").spans("Fox fox") == [(0, 3)]


def test_slashes_make_a_regular_expression() -> None:
    assert Query("/f.x$/").spans("fox\nfix") == [(0, 3), (4, 7)]
    assert Query("/F.X/i").spans("fox") == [(0, 3)]
    assert Query("a/b").spans("a/b") == [(0, 3)]


def test_a_wrong_expression_says_so_and_finds_nothing() -> None:
    query = Query("/(/")
    assert not query
    assert query.problem.startswith("not a regular expression")
    assert query.spans("((((") == []


@pytest.mark.parametrize(
    ("typed", "text"), [("/(a+)+$/", "a" * 60 + "!"), ("/a*a*a*a*a*b/", "a" * 6000)]
)
def test_an_expression_that_would_take_for_ever_is_stopped(typed: str, text: str) -> None:
    query = Query(typed)
    assert query.spans(text) == []
    assert "too slow" in query.problem
    assert query.spans("aab") == []


def test_the_bound_holds_for_many_short_texts_as_a_whole() -> None:
    query = Query("/(a+)+$/")
    occurs = query.test()
    with query.bounded():
        assert not any(occurs("a" * 40 + "!") for _ in range(100))
    assert "too slow" in query.problem


def test_the_bound_is_not_swallowed_by_the_end_of_a_weak_reference() -> None:
    class Thing:
        """Something that nothing keeps."""

    kept: WeakKeyDictionary[Thing, int] = WeakKeyDictionary()
    for _ in range(20):
        query = Query("/a/")
        with query.bounded():
            for _ in range(2_000_000):
                kept[Thing()] = 1  # goes at once, and tells the dictionary
        assert "too slow" in query.problem


@given(
    st.text("ab\n ", max_size=300).map(lambda text: text * 40),
    st.sampled_from(
        ["a", "ab", "b a", "/a+b/", "/^a.*$/", "/b\\b/", "/a$/", "/\\n\\n+/", "/(?<=b)a/"]
    ),
    st.sampled_from([600, 1000, 4096]),
)
def test_a_text_searched_in_parts_has_the_places_that_it_has_as_a_whole(
    text: str, typed: str, window: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "WINDOW", window)
        parts = [span for part in Query(typed).scanning(text) for span in part]
    assert parts == Query(typed).spans(text)


@pytest.mark.parametrize(("letters", "lines"), [(5_000_000, 1), (60, 10_000)])
def test_a_search_that_would_take_for_ever_ends_between_two_parts(letters: int, lines: int) -> None:
    text = ("a" * letters + "!\n") * lines
    query = Query("/(a+)+$/")
    assert sum(1 for _ in query.scanning(text)) < 10
    assert "too slow" in query.problem


def test_empty_matches_are_not_places() -> None:
    assert Query("/x*/").spans("axxb") == [(1, 3)]


def test_counting_stops_at_its_limit() -> None:
    assert len(Query("a").spans("a" * (MATCH_LIMIT + 5))) == MATCH_LIMIT


@given(st.lists(st.integers(0, 100), min_size=1, unique=True).map(sorted), st.integers(0, 100))
def test_going_once_round_the_places_ends_where_it_began(places: list[int], position: int) -> None:
    hits = Hits(Query("x"), tuple(places)).nearest(position)
    after = hits
    for _ in places:
        after = after.moved(1)
    assert after == hits
    assert after.moved(1).moved(-1) == hits


def test_the_nearest_place_is_the_next_one_below() -> None:
    hits = Hits(Query("x"), (3, 9, 20))
    assert hits.nearest(4).place == 9
    assert hits.nearest(21).place == 3
    assert hits.nearest(0).label == "1/3"
    assert Hits(Query("x"), ()).label == "no match"


@given(st.text(max_size=20))
def test_no_text_that_a_person_types_is_an_error(typed: str) -> None:
    Query(typed).spans("some text")


def test_searching_the_folded_text_agrees_with_the_engine() -> None:
    text = "Straße STRASSE straße İstanbul"
    found = [text[start:end] for start, end in Query("straße").spans(text)]
    assert found == re.findall("straße", text, re.IGNORECASE)
