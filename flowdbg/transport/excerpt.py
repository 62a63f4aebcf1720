"""Foreign text made fit for a message: one line, printable, short."""

from __future__ import annotations

LIMIT = 200
"""Characters of a foreign text that a message may show."""


def excerpt(text: str, limit: int = LIMIT) -> str:
    """The beginning of a text in one line, with what is not printable shown as an escape.

    Escape sequences, bidirectional controls, tag characters and lone surrogates are not
    printable, so none of them reaches a terminal from here.
    """
    words = " ".join(text[: limit * 8].split())
    shown = words[:limit]
    if not shown.isprintable():
        shown = "".join(
            char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
            for char in shown
        )
    return shown + "…" if len(words) > limit else shown
