"""What a message shows of foreign text is short, one line, and printable."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flowdbg.transport.excerpt import LIMIT, excerpt


@given(st.text(st.characters(exclude_categories=()), max_size=3000))
def test_any_text_becomes_short_and_printable(text: str) -> None:
    shown = excerpt(text)
    assert shown.isprintable()
    assert "\n" not in shown
    assert len(shown) <= LIMIT * 10 + 1


def test_escape_sequences_and_direction_marks_are_shown_as_such() -> None:
    assert excerpt("a\x1b[31mb\u202ec\x9b\x07") == "a\\x1b[31mb\\u202ec\\x9b\\x07"
    assert excerpt("\ud800 \U000e0041") == "\\ud800 \\U000e0041"


def test_white_space_is_folded_and_long_text_cut() -> None:
    assert excerpt("  a\n\t b  ") == "a b"
    assert excerpt("x" * 500) == "x" * 200 + "…"
    assert excerpt("x" * 200) == "x" * 200
    assert excerpt("") == ""
