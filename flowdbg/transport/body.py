"""The bytes of request bodies, of which most go out again and again.

Every call carries all outputs collected so far, so all but one of a body's large pieces were in
the body before it. Their bytes are kept from one body to the next, and assembling a body is
copying them once.
"""

from __future__ import annotations

from flowdbg.core.json_text import JsonText, Segments

_LARGE = 512
"""Characters from which on bytes are kept: many encoded anew make the heap grow and shrink."""


class BodyEncoder:
    """Encodes the bodies of one target, one after the other.

    It holds the bytes of the last body's large pieces and nothing of earlier ones.
    """

    def __init__(self) -> None:
        # by identity: comparing large texts costs more than encoding them
        self._known: dict[int, tuple[JsonText, bytes]] = {}

    def encode(self, segments: Segments) -> bytes:
        """The UTF-8 bytes of a segmented text; a lone surrogate becomes its JSON escape."""
        known, kept = self._known, dict[int, tuple[JsonText, bytes]]()
        parts: list[bytes] = []
        for piece in segments:
            text = piece if isinstance(piece, str) else piece.text
            if isinstance(piece, str) or len(text) < _LARGE:
                parts.append(text.encode("utf-8", "backslashreplace"))
                continue
            entry = known.get(id(piece))
            if entry is None:
                entry = piece, text.encode("utf-8", "backslashreplace")
            kept[id(piece)] = entry
            parts.append(entry[1])
        self._known = kept
        return b"".join(parts)
