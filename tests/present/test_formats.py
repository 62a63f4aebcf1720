"""Numbers as people read them, and looks that need no colour."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from flowdbg.present import formats, looks
from flowdbg.present.suggest import did_you_mean, nearest
from flowdbg.present.text_lines import character_cells

ALL_LOOKS = [
    *looks.STEP_LOOKS.values(),
    *looks.RUN_LOOKS.values(),
    *(look for look in vars(looks).values() if isinstance(look, looks.Look)),
]


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [(None, "—"), (0, "0ms"), (340, "340ms"), (999.6, "1.0s"), (1234, "1.2s"), (59_940, "59.9s"),
     (59_960, "1m00s"), (125_000, "2m05s"), (3_720_000, "1h02m")],
)  # fmt: skip
def test_a_duration_is_told_in_the_units_that_suit_it(
    milliseconds: float | None, shown: str
) -> None:
    assert formats.duration(milliseconds) == shown


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(None, ""), ("", ""), ("odd", ""), ("NaN", ""), ("0", ""), ("0.000150", "$0.00015"),
     (Decimal("0.014"), "$0.014"), ("0.1", "$0.10"), ("1234.5", "$1,234.50"),
     ("1e-9", "<$0.000001")],
)  # fmt: skip
def test_a_cost_has_as_many_digits_as_matter(amount: str | Decimal | None, shown: str) -> None:
    assert formats.cost(amount) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00.0"), (12.44, "0:12.4"), (59.99, "0:59.9"), (725, "12:05"), (3725, "1:02:05")],
)  # fmt: skip
def test_a_running_time_has_tenths_only_under_a_minute(seconds: float, shown: str) -> None:
    assert formats.clock(seconds) == shown


def test_ages_sizes_and_counts_are_told_in_words() -> None:
    assert formats.age(5) == "just now"
    assert formats.age(300) == "5 min ago"
    assert formats.age(7200) == "2 h ago"
    assert formats.age(90_000) == "yesterday"
    assert formats.size(812) == "812 B"
    assert formats.size(5_452_595) == "5.2 MB"
    assert formats.plural(1, "match", "matches") == "1 match"
    assert formats.plural(3, "match", "matches") == "3 matches"
    assert formats.rate(84, 2.0) == "42 tok/s"
    assert formats.rate(1, 0.1) == ""


@given(st.floats(0, 1e12))
def test_every_duration_has_a_short_text(milliseconds: float) -> None:
    assert 0 < len(formats.duration(milliseconds)) <= 12


@pytest.mark.parametrize("look", ALL_LOOKS, ids=lambda look: look.word)
def test_each_state_has_a_one_cell_glyph_an_ascii_twin_and_a_word(look: looks.Look) -> None:
    assert cell_len(look.glyph) == 1
    assert character_cells(look.glyph) == 1
    assert look.ascii.isascii()
    assert len(look.ascii) == 1
    assert look.word


@pytest.mark.parametrize("group", [looks.STEP_LOOKS, looks.RUN_LOOKS], ids=["steps", "runs"])
def test_states_of_one_group_differ_without_colour(group: dict[str, looks.Look]) -> None:
    words = [look.word for look in group.values()]
    assert len(set(words)) == len(words)
    if group is looks.STEP_LOOKS:
        assert len({look.glyph for look in group.values()}) == len(group)
        assert len({look.ascii for look in group.values()}) == len(group)


def test_the_nearest_name() -> None:
    assert nearest("temprature", ["prompt", "temperature"]) == "temperature"
    assert nearest("Prompt", ["prompt"]) == "prompt"
    assert nearest("zzz", ["prompt"]) is None
    assert did_you_mean("prompt", ["prompt"]) == ""
