"""Streamed text wraps the same however it arrives."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from flowdbg.present.safe_text import safe_text
from flowdbg.present.text_lines import TAB, TextLines, character_cells
from tests.present.strategies import hostile

texts = hostile | st.text("ab \n日é\u0301\t", max_size=200)


def cells(text: str) -> int:
    return sum(map(character_cells, text))


@given(texts, st.integers(2, 30), st.lists(st.integers(0, 200), max_size=6))
def test_any_split_gives_the_same_rows(text: str, width: int, cuts: list[int]) -> None:
    whole, pieces = TextLines(width), TextLines(width)
    whole.append(text)
    marks = sorted({0, *(cut for cut in cuts if cut < len(text)), len(text)})
    for start, end in itertools.pairwise(marks):
        pieces.append(text[start:end])
    assert pieces.rows == whole.rows
    assert pieces.text == whole.text


@given(texts, st.integers(2, 30))
def test_no_row_is_wider_than_its_width_but_for_a_space(text: str, width: int) -> None:
    lines = TextLines(width)
    lines.append(text)
    for row in lines.rows:
        assert cells(row) <= width or (cells(row) == width + 1 and row.endswith(" "))


@given(texts, st.integers(2, 30))
def test_rows_put_together_are_the_text(text: str, width: int) -> None:
    lines = TextLines(width)
    lines.append(text)
    shown = safe_text(text.removesuffix("\r")).replace("\t", TAB)
    assert lines.text == shown
    assert "".join(lines.rows) == shown.replace("\n", "")


@given(texts, st.integers(2, 30), st.integers(2, 30))
def test_another_width_gives_what_it_would_have_given_at_once(
    text: str, width: int, other: int
) -> None:
    lines, fresh = TextLines(width), TextLines(other)
    lines.append(text)
    lines.rewrap(other)
    fresh.append(text)
    assert lines.rows == fresh.rows


@given(texts, st.integers(2, 30), st.data())
def test_the_row_of_an_offset_holds_its_character(
    text: str, width: int, data: st.DataObject
) -> None:
    lines = TextLines(width)
    lines.append(text)
    offsets = [at for at, character in enumerate(lines.text) if character != "\n"]
    if offsets:
        offset = data.draw(st.sampled_from(offsets))
        row = lines.row_of(offset)
        assert lines.rows[row][offset - lines.start_of(row)] == lines.text[offset]


def test_words_stay_whole_where_they_fit() -> None:
    lines = TextLines(11)
    lines.append("the quick brown fox")
    assert lines.rows == ["the quick ", "brown fox"]


def test_only_the_last_row_changes_when_text_is_added() -> None:
    lines = TextLines(10)
    lines.append("one\ntwo\nthr")
    assert lines.append("ee\n") == 2
    assert lines.append("four") == 3


def test_a_long_line_without_spaces_is_cut_at_the_width() -> None:
    lines = TextLines(80)
    for _ in range(200):
        lines.append("x" * 1000)
    assert len(lines) == 200_000 // 80
