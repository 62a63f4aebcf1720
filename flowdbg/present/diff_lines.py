"""Rows of a difference, and of texts in it: changed words marked, far lines as a count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from flowdbg.present.formats import plural
from flowdbg.present.json_diff import DiffNode, Kind
from flowdbg.present.json_rows import shown_text
from flowdbg.present.looks import LINE_END
from flowdbg.present.safe_text import safe_line
from flowdbg.present.search import Span
from flowdbg.present.text_diff import DiffLine, text_diff
from flowdbg.present.text_lines import wrapped

CONTEXT = 1
"""Unchanged lines shown around a changed one."""

NEAR = 1
"""Rows of a long line shown around one with a changed word."""

LEAST = 20
"""Cells that a line of a text has at least, however deep it stands."""

_KINDS = {" ": Kind.SAME, "-": Kind.REMOVED, "+": Kind.ADDED}


@dataclass(slots=True, eq=False)
class DiffRow:
    """One row of a difference; what it unfolds to is laid out when somebody looks."""

    depth: int
    kind: Kind
    key: str | int | None = None
    """Key or index; None for the root, for lines of a text, and for what stands for several."""
    old: str = ""
    """The former value on one line; empty where there was none or it is shown below."""
    new: str = ""
    spans: tuple[Span, ...] = ()
    """For a line of a text: the part of `old` or `new` that differs."""
    is_line: bool = False
    continued: bool = False
    """For a line of a text: whether it goes on from the row above."""
    below: tuple[DiffNode | DiffLine | DiffRow, ...] = ()
    """What the row unfolds to, not laid out yet."""
    is_open: bool = False
    parent: DiffRow | None = None
    """The row that unfolded to this one."""
    inner: Sequence[DiffRow] = ()
    """The rows of `below`; empty before they were asked for."""

    @property
    def label(self) -> str:
        """The key as it is shown."""
        if self.key is None:
            return ""
        return f"[{self.key}]" if isinstance(self.key, int) else safe_line(self.key, 80)

    @property
    def text(self) -> str:
        """The row as it is drawn, searched and copied, without its mark."""
        values = " → ".join(value for value in (self.old, self.new) if value)
        return ": ".join(part for part in (self.label, values) if part)

    @property
    def content(self) -> str:
        """What is searched: of a row that unfolds its label alone, for the rest stands below it."""
        return self.label if self.below else self.text


def text_rows(old: str, new: str, depth: int, width: int) -> Iterator[DiffRow]:
    """Lay out two versions of a text: what changed, a little around it, the rest as counts."""
    lines = text_diff(shown_text(old), shown_text(new))
    near = [False] * len(lines)
    for at, line in enumerate(lines):
        if line.mark != " ":
            low, high = max(0, at - CONTEXT), min(len(lines), at + CONTEXT + 1)
            near[low:high] = [True] * (high - low)
    kept: list[DiffLine] = []
    for at, (line, is_near) in enumerate(zip(lines, near, strict=True)):
        if not is_near:
            kept.append(line)
            continue
        yield from _folded(kept, depth, width)
        kept = []
        yield from _line(line, _ends_otherwise(lines, at), depth, width)
    yield from _folded(kept, depth, width)


def line_rows(text: str, kind: Kind, depth: int, width: int) -> Iterator[DiffRow]:
    """Lay out a text that stands on one side, or is the same on both."""
    for line in shown_text(text).split("\n"):
        yield from _wrapped(_row(depth, kind, line, ()), width)


def _folded(lines: Sequence[DiffLine], depth: int, width: int) -> Iterator[DiffRow]:
    """Unchanged lines as their number, when that is shorter."""
    if len(lines) == 1 and len(lines[0].text) <= width // 2:
        yield from unchanged_rows(lines[0], depth, width)
    elif lines:
        whole = all(line.ends_line for line in lines)
        said = plural(len(lines), "unchanged line" if whole else "unchanged sentence")
        yield DiffRow(depth, Kind.SAME, new=said, below=tuple(lines))


def unchanged_rows(line: DiffLine, depth: int, width: int) -> Iterator[DiffRow]:
    """Lay out a line that is the same on both sides."""
    return _wrapped(_row(depth, Kind.SAME, line.text, ()), width)


def _line(line: DiffLine, shows_end: bool, depth: int, width: int) -> Iterator[DiffRow]:
    """One line, cut to the width; of a long one with few changes, the rows about them."""
    text = line.text + (LINE_END.glyph if shows_end and line.ends_line else "")
    rows = list(_wrapped(_row(depth, _KINDS[line.mark], text, line.spans), width))
    if not line.spans or len(rows) <= 2 * NEAR + 3:
        yield from rows
        return
    marked = [at for at, row in enumerate(rows) if row.spans]
    far: list[DiffRow] = []
    for at, row in enumerate(rows):
        if not any(abs(at - one) <= NEAR for one in marked):
            far.append(replace(row, depth=depth + 1))
            continue
        yield from _far(far, depth)
        far = []
        yield row
    yield from _far(far, depth)


def _far(rows: Sequence[DiffRow], depth: int) -> Iterator[DiffRow]:
    """Rows of a long line in which nothing changed."""
    if len(rows) == 1:
        yield replace(rows[0], depth=depth)
    elif rows:
        size = sum(len(row.old or row.new) for row in rows)
        said = f"… {plural(size, 'character')} the same …"
        yield DiffRow(depth, Kind.SAME, new=said, below=tuple(rows))


def _ends_otherwise(lines: Sequence[DiffLine], at: int) -> bool:
    """Whether a line differs from the one beside it in nothing but where the line ends."""
    line = lines[at]
    if line.mark == " ":
        return False
    beside = lines[at + 1 : at + 2] if line.mark == "-" else lines[at - 1 : at]
    return any(
        one.mark not in (" ", line.mark) and one.ends_line != line.ends_line for one in beside
    )


def _row(depth: int, kind: Kind, text: str, spans: tuple[Span, ...]) -> DiffRow:
    if kind is Kind.REMOVED:
        return DiffRow(depth, kind, old=text, spans=spans, is_line=True)
    return DiffRow(depth, kind, new=text, spans=spans, is_line=True)


def _wrapped(row: DiffRow, width: int) -> Iterator[DiffRow]:
    """Cut a line of a text into rows that fit, each with its part of the changed words."""
    start = 0
    for piece in wrapped(row.old or row.new, max(width - 2 * row.depth, LEAST)):
        spans = tuple(
            (max(first - start, 0), min(last - start, len(piece)))
            for first, last in row.spans
            if (first < start + len(piece) and last > start)
            or start <= first == last < start + len(piece)
        )
        fitted = replace(row, spans=spans, continued=start > 0)
        yield replace(fitted, old=piece) if row.old else replace(fitted, new=piece)
        start += len(piece)
