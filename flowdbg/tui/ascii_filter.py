"""Drawing with ASCII alone: every sign of the program has a twin.

Letters stay what they are, also those of a flow that are not ASCII.
"""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from flowdbg.present import looks

_GLYPHS = {
    look.glyph: look.ascii
    for look in (
        *looks.STEP_LOOKS.values(),
        *looks.RUN_LOOKS.values(),
        *(one for one in vars(looks).values() if isinstance(one, looks.Look)),
    )
}
_SIGNS = dict(zip("…·×—–−→➜▸›‹↑↓←↳±○∓", "~.x--->>>><^v<~~o&", strict=True))
_LINES = {
    **dict.fromkeys("─━═╌┄╸╺╴╶", "-"),
    **dict.fromkeys("│┃║╎┆▌▐▏▎▍▊▋▉", "|"),
    **dict.fromkeys("┌┐└┘╭╮╰╯┏┓┗┛╔╗╚╝├┤┬┴┼┣┫┳┻╋", "+"),
    **dict.fromkeys("▁▂▃▄▅▆▇█▔▀■", " "),
}
TABLE = str.maketrans({**_LINES, **_SIGNS, **_GLYPHS})
"""What each sign becomes."""


class AsciiFilter(LineFilter):
    """Replaces the program's signs by their ASCII twins."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return segments of the same width with ASCII signs."""
        del background
        return [
            Segment(text if text.isascii() else text.translate(TABLE), style, control)
            for text, style, control in segments
        ]
