"""What the terminal is sent: only what changes, and the picture is that of a full repaint."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pyte
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from flowdbg.tui.lean import pieces_of
from flowdbg.tui.picture import Picture

WIDTH, HEIGHT = 16, 3
CONSOLE = Console(file=StringIO(), color_system="truecolor", force_terminal=True)

WORDS = st.one_of(
    st.text("ab ", min_size=1, max_size=9),
    st.sampled_from(["  ", "héllo", "│ ✓", "漢字", "e\u0301a", "🚀", "…", "שלום"]),
)
COLOURS = st.sampled_from([None, "red", "bright_blue", "#102030", "#f0e0d0", "color(200)"])
STYLES = st.one_of(
    st.none(),
    st.builds(
        Style,
        color=COLOURS,
        bgcolor=COLOURS,
        bold=st.booleans(),
        dim=st.booleans(),
        underline=st.booleans(),
        reverse=st.booleans(),
        meta=st.sampled_from([None, {"offset": (1, 2)}]),
    ),
    st.just(Style(link="https://example.org")),
)
PARTS = st.lists(st.tuples(WORDS, STYLES), max_size=3)


def strip_of(parts: list[tuple[str, Style | None]], width: int) -> Strip:
    """A strip of exactly `width` cells."""
    return Strip([Segment(text, style) for text, style in parts]).adjust_cell_length(width)


@st.composite
def updates(draw: st.DrawFn) -> tuple[LayoutUpdate | ChopsUpdate, int]:
    """A drawing of the whole terminal, or of parts of rows, and how far apart the cuts are."""
    cut = draw(st.sampled_from([4, 8, 16]))
    starts = range(0, WIDTH, cut)
    if draw(st.booleans()):
        rows = [[strip_of(draw(PARTS), cut) for _ in starts] for _ in range(HEIGHT)]
        return LayoutUpdate(list(rows), Region(0, 0, WIDTH, HEIGHT)), cut
    spans: list[tuple[int, int, int]] = []
    chops: list[dict[int, Strip | None]] = [dict.fromkeys(starts) for _ in range(HEIGHT)]
    for y in draw(st.sets(st.integers(0, HEIGHT - 1), min_size=1)):
        spans.append((y, 0, WIDTH))
        for x in draw(st.sets(st.sampled_from(starts), min_size=1)):
            chops[y][x] = strip_of(draw(PARTS), cut)
    ends = [[*starts[1:], WIDTH] for _ in range(HEIGHT)]
    return ChopsUpdate(chops, sorted(spans), ends), cut


class Terminal:
    """A terminal that reads what it is sent."""

    def __init__(self, width: int = WIDTH, height: int = HEIGHT) -> None:
        self._screen = pyte.Screen(width, height)
        self._stream = pyte.Stream(self._screen)
        self.feed("\x1b[?7l")  # as Textual asks for: no wrapping at the right edge

    def feed(self, text: str) -> None:
        self._stream.feed(text)

    @property
    def cells(self) -> list[list[Any]]:
        """What is seen in each cell; a blank has no colour unless something shows it."""
        return [
            [_seen(self._screen.buffer[y][x]) for x in range(self._screen.columns)]
            for y in range(self._screen.lines)
        ]


def _seen(cell: Any) -> Any:
    if cell.data == " " and not (cell.reverse or cell.underscore or cell.strikethrough):
        return " ", cell.bg
    return cell


def lean(picture: Picture, update: object, colours: ColorSystem = ColorSystem.TRUECOLOR) -> str:
    pieces = pieces_of(update)
    assert pieces is not None
    return picture.draw(pieces, (WIDTH, HEIGHT), colours)


@settings(max_examples=60)
@given(st.lists(updates(), min_size=1, max_size=5))
def test_the_terminal_shows_what_a_full_repaint_shows(
    drawn: list[tuple[LayoutUpdate | ChopsUpdate, int]],
) -> None:
    picture, short, whole = Picture(), Terminal(), Terminal()
    cuts = set()
    for update, cut in drawn:
        cuts.add(cut)
        if len(cuts) > 1 and isinstance(update, ChopsUpdate):
            continue  # cuts only move with a drawing of everything
        short.feed(lean(picture, update))
        whole.feed(update.render_segments(CONSOLE))
        if isinstance(update, LayoutUpdate):
            cuts = {cut}
        assert short.cells == whole.cells


@settings(max_examples=60)
@given(updates())
def test_what_is_there_already_is_not_sent_again(
    drawn: tuple[LayoutUpdate | ChopsUpdate, int],
) -> None:
    picture = Picture()
    lean(picture, drawn[0])
    assert lean(picture, drawn[0]) == ""


def test_what_stands_beside_a_sign_of_doubtful_width_is_sent_with_it() -> None:
    """A terminal may draw it over its neighbour."""
    picture = Picture()

    def drawn(sign: str) -> str:
        row = [strip_of([(sign, None)], 4), strip_of([("next", None)], 4)]
        return lean(picture, LayoutUpdate([row], Region(0, 0, WIDTH, 1)))

    drawn("👩\u200d🚀")
    assert drawn("👩\u200d🚀") == ""
    assert "next" in drawn("👩\u200d🎨")
    assert "next" not in drawn("ab")


def test_a_new_character_costs_a_few_bytes() -> None:
    picture = Picture()
    style = Style.parse("#102030 on #f0e0d0")

    def drawn(text: str) -> str:
        return lean(
            picture, LayoutUpdate([[strip_of([(text, style)], WIDTH)]], Region(0, 0, WIDTH, 1))
        )

    drawn("the quick brow")
    assert drawn("the quick brown") == "\x1b[1;15H\x1b[38;2;16;32;48;48;2;240;224;208mn\x1b[0m"
