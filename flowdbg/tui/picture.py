"""What the terminal shows, cell by cell, so that only the cells that change are sent.

Textual sends whole rows of every widget that asks to be drawn: 40 KB for giving another pane the
keys, 200 KB for a step that streams. Over a slow line that is what a person waits for. This keeps
the picture that the terminal has and turns what is drawn into the runs of cells that differ.

A row that holds a character whose width terminals do not agree on is sent whole, as Textual does:
sending a part of it would put that part where this program believes it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import get_character_cell_size
from rich.color import ColorSystem
from textual.strip import Strip

Piece = tuple[int, int, Strip]
"""A row, a column, and what stands there from that column on."""

_UNKNOWN = "\0"
"""What stands in a cell of which nobody knows what it shows."""

_REST = ""
"""What stands in the further cells of something that is wider than one cell."""

_WHOLE = -1
"""The style of a piece that is only ever sent whole, with its escape sequences inside."""

_GAP = 4
"""Unchanged cells between two changed ones that are cheaper to send again than to jump over."""

_MANY = 10_000
"""Characters known to be narrow before they are forgotten."""

_STYLED = re.compile(r"\x1b\[([0-9;]*)m\0\x1b\[0m")


_HARMLESS = {"1", "2", "3"}
"""Attributes that nobody sees on a blank: bold, dim, italic."""


@dataclass(frozen=True, slots=True)
class _Look:
    """A style as the terminal is told it: attributes, colour, colour behind."""

    attributes: tuple[str, ...] = ()
    colour: str = ""
    behind: str = ""

    @property
    def of_blank(self) -> _Look:
        """The same style for blanks, whose colour nobody sees."""
        return _Look(behind=self.behind) if _HARMLESS.issuperset(self.attributes) else self

    def after(self, before: _Look) -> str:
        """Return the escape sequence that leads from one style to this one."""
        if self == before:
            return ""
        codes: list[str] = []
        if not set(before.attributes) <= set(self.attributes):
            codes.append("0")
            before = _PLAIN
        codes += [code for code in self.attributes if code not in before.attributes]
        if self.colour != before.colour:
            codes.append(self.colour or "39")
        if self.behind != before.behind:
            codes.append(self.behind or "49")
        return f"\x1b[{';'.join(codes)}m"


_PLAIN = _Look()


class Picture:
    """The cells of one terminal."""

    def __init__(self) -> None:
        self._texts: list[list[str]] = []
        self._styles: list[list[int]] = []
        self._width = 0
        self._looks: list[_Look] = [_PLAIN]
        self._numbers: dict[str, int] = {}
        self._blanks: dict[int, int] = {_WHOLE: _WHOLE, 0: 0}
        self._narrow: set[str] = set()

    def draw(self, pieces: Iterable[Piece], size: tuple[int, int], colours: ColorSystem) -> str:
        """Take pieces over and return what the terminal has to be sent for them.

        Args:
            pieces: What is to be seen; pieces outside of the terminal are left out.
            size: Columns and rows of the terminal; other ones than before are another picture.
            colours: What the terminal can show.
        """
        width, height = size
        if (width, height) != (self._width, len(self._texts)):
            self._width = width
            self._texts = [[_UNKNOWN] * width for _ in range(height)]
            self._styles = [[0] * width for _ in range(height)]
        pen = _Pen()
        for y, x, strip in pieces:
            if 0 <= y < height and 0 <= x < width and strip.cell_length:
                self._put(pen, y, x, strip, colours)
        return pen.written

    def _put(self, pen: _Pen, y: int, x: int, strip: Strip, colours: ColorSystem) -> None:
        """Write what a strip changes from a cell on."""
        texts, styles = self._cells(strip, colours)
        end = min(x + len(texts), self._width)
        if end < x + len(texts):
            texts, styles = self._cells(strip.crop(0, end - x), colours)
        row, looks = self._texts[y], self._styles[y]
        if row[x:end] == texts and looks[x:end] == styles:
            return
        self._break(row, x)
        self._break(row, end)
        if styles[0] == _WHOLE:
            pen.go(y, x)
            pen.write_whole(texts[0])
            row[end:] = [_UNKNOWN] * (self._width - end)  # it may have been wider than believed
        else:
            for first, last in _runs(row[x:end], looks[x:end], texts, styles):
                pen.go(y, x + first)
                self._write(pen, texts[first:last], styles[first:last])
        row[x:end] = texts
        looks[x:end] = styles

    def _write(self, pen: _Pen, texts: list[str], styles: list[int]) -> None:
        start = 0
        for at in range(1, len(texts) + 1):
            if at == len(texts) or styles[at] != styles[start]:
                pen.write("".join(texts[start:at]), self._looks[styles[start]])
                start = at

    def _cells(self, strip: Strip, colours: ColorSystem) -> tuple[list[str], list[int]]:
        """Return the texts and styles of a strip's cells."""
        texts: list[str] = []
        styles: list[int] = []
        for text, style, control in strip:
            number = self._number(Strip.render_style(style, "\0", colours)) if style else 0
            if control or number == _WHOLE or not self._is_narrow(text):
                whole = "".join(
                    text if style is None else Strip.render_style(style, text, colours)
                    for text, style, _ in strip
                )
                width = strip.cell_length
                return [whole, *[_REST] * (width - 1)], [_WHOLE] * width
            texts += text
            styles += [self._blanks[number] if text.isspace() else number] * len(text)
        return texts, styles

    def _number(self, rendered: str) -> int:
        """Return the number of a style, told by how a character looks in it."""
        number = self._numbers.get(rendered)
        if number is None:
            styled = _STYLED.fullmatch(rendered)
            if rendered == "\0":
                number = 0
            elif styled is None:  # a link
                return _WHOLE
            else:
                look = _look(styled[1])
                number = self._place_of(look)
                self._blanks[number] = self._place_of(look.of_blank)
            self._numbers[rendered] = number
        return number

    def _place_of(self, look: _Look) -> int:
        if look not in self._looks:
            self._looks.append(look)
        return self._looks.index(look)

    def _is_narrow(self, text: str) -> bool:
        """Whether each character takes one cell in every terminal."""
        if text.isascii():
            return text.isprintable()
        if self._narrow.issuperset(text):
            return True
        if any(get_character_cell_size(character) != 1 for character in text):
            return False
        if len(self._narrow) > _MANY:
            self._narrow.clear()
        self._narrow.update(text)
        return True

    @staticmethod
    def _break(row: list[str], at: int) -> None:
        """Forget what is wider than a cell and reaches over a cut: it is not whole any more."""
        if at >= len(row) or row[at] != _REST:
            return
        first = last = at
        while row[first] == _REST:
            first -= 1
        while last < len(row) and row[last] == _REST:
            last += 1
        row[first:last] = [_UNKNOWN] * (last - first)


class _Pen:
    """Collects what is sent, and knows where the terminal writes next and how."""

    def __init__(self) -> None:
        self._sent: list[str] = []
        self._look = _PLAIN
        self._place = (-1, -1)

    @property
    def written(self) -> str:
        """All that is to be sent; it leaves the terminal without a style."""
        return "".join([*self._sent, "" if self._look == _PLAIN else "\x1b[0m"])

    def go(self, y: int, x: int) -> None:
        """Write from a cell on."""
        if (y, x) == self._place:
            return
        self._sent.append(f"\x1b[{y + 1};{x + 1}H")
        self._place = (y, x)

    def write(self, text: str, look: _Look) -> None:
        """Write characters of one cell each in one style."""
        if text.isspace() and look == look.of_blank and look == self._look.of_blank:
            look = self._look  # whatever colour is set
        self._sent += (look.after(self._look), text)
        self._look = look
        self._place = (self._place[0], self._place[1] + len(text))

    def write_whole(self, text: str) -> None:
        """Write a text with its styles inside; where the terminal stands after it is not known."""
        self._sent += (_PLAIN.after(self._look), text)
        self._look, self._place = _PLAIN, (-1, -1)


def _runs(
    texts: Sequence[str], styles: Sequence[int], new_texts: Sequence[str], new_styles: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """Yield where cells differ, from the first to behind the last; runs close by are one."""
    first = last = -1
    for at, (text, style, new_text, new_style) in enumerate(
        zip(texts, styles, new_texts, new_styles, strict=True)
    ):
        if text == new_text and style == new_style:
            continue
        if first >= 0 and at - last > _GAP:
            yield first, last
            first = -1
        if first < 0:
            first = at
        last = at + 1
    if first >= 0:
        yield first, last


def _look(codes: str) -> _Look:
    """Read the numbers of an escape sequence for a style."""
    attributes: list[str] = []
    colour = behind = ""
    numbers = iter(codes.split(";"))
    for number in numbers:
        if number in ("38", "48"):
            kind = next(numbers)
            rest = [next(numbers) for _ in range(3 if kind == "2" else 1)]
            whole = ";".join([number, kind, *rest])
            colour, behind = (whole, behind) if number == "38" else (colour, whole)
        elif len(number) > 1 and number[:-1] in ("3", "9"):
            colour = number
        elif len(number) > 1 and number[:-1] in ("4", "10"):
            behind = number
        elif number:
            attributes.append(number)
    return _Look(tuple(attributes), colour, behind)
