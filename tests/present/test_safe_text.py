"""Foreign text is shown, never obeyed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given

from flowdbg.present.safe_text import safe_line, safe_text
from tests.present.strategies import hostile


@given(hostile)
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    shown = safe_text(text)
    for character in shown:
        assert character in "\n\t" or unicodedata.category(character) not in (
            "Cc",
            "Cs",
            "Zl",
            "Zp",
        )
        assert not "\u202a" <= character <= "\u202e"
        assert not "\u2066" <= character <= "\u2069"
        assert not "\U000e0000" <= character <= "\U000e007f"
    shown.encode("utf-8")


@given(hostile)
def test_it_may_be_applied_twice(text: str) -> None:
    assert safe_text(safe_text(text)) == safe_text(text)


@given(hostile)
def test_nothing_is_dropped(text: str) -> None:
    assert len(safe_text(text)) >= len(text.replace("\r\n", "\n"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x1b]52;c;aGk=\x07", "\\x1b]52;c;aGk=\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u202eb", "a\\u202eb"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("\ud83d", "\\ud83d"),
        ("line\r\nnext\rover", "line\nnext\\x0dover"),
        ("\ttab\n", "\ttab\n"),
        ("naïve 日本 👩‍👩‍👧 ❤️", "naïve 日本 👩‍👩‍👧 ❤️"),
        ("[b]bold[/b]", "[b]bold[/b]"),
    ],
)
def test_an_attack_becomes_visible_and_text_stays_text(text: str, shown: str) -> None:
    assert safe_text(text) == shown


@given(hostile)
def test_a_line_stays_one_line(text: str) -> None:
    assert not set(safe_line(text)) & set("\n\t\r\v\f\x85\u2028")


def test_a_long_line_ends_in_an_ellipsis() -> None:
    assert safe_line("x" * 50, 10) == "x" * 9 + "…"
