"""Texts cut to their cells, and styles laid over parts of a row."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style

from flowdbg.present.looks import ELLIPSIS
from flowdbg.present.search import Span


def fitted(text: str, cells: int) -> str:
    """Cut or pad a text to exactly so many cells; a cut one ends in an ellipsis."""
    if cell_len(text) > cells:
        text = f"{set_cell_size(text, cells - 1)}{ELLIPSIS.glyph}"
    return set_cell_size(text, cells)


def painted(pieces: Sequence[Segment], spans: Sequence[Span], style: Style) -> list[Segment]:
    """Lay a style over spans of characters of a row."""
    result: list[Segment] = []
    at = 0
    for text, before, _ in pieces:
        cuts = {0, len(text)}
        for start, end in spans:
            cuts |= {min(max(start - at, 0), len(text)), min(max(end - at, 0), len(text))}
        marks = sorted(cuts)
        for start, end in pairwise(marks):
            inside = any(a <= at + start and at + end <= b for a, b in spans)
            result.append(
                Segment(text[start:end], (before or Style()) + style if inside else before)
            )
        at += len(text)
    return result
