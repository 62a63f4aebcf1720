"""The bytes of request bodies, of which most go out again and again.

Every call carries all outputs collected so far, so all but the last of a body's pieces were in
the body before it, in the same order. Their bytes are kept from one body to the next, and
assembling a body is little more than copying them once.
"""

from __future__ import annotations

from flowdbg.core.json_text import JsonText, Segments

_LARGE = 512
"""Characters from which on a piece is looked for wherever it stood in the body before."""
_EDGE = 16
"""Pieces at either end that are encoded anew: they hold what changes from call to call."""


class BodyEncoder:
    """Encodes the bodies of one target, one after the other.

    It holds the bytes of the last body's pieces and nothing of earlier ones.
    """

    def __init__(self) -> None:
        self._segments: Segments = ()
        self._parts: list[bytes] = []
        # by identity: comparing large texts costs more than encoding them
        self._known: dict[int, tuple[JsonText, bytes]] = {}

    def encode(self, segments: Segments) -> bytes:
        """The UTF-8 bytes of a segmented text; a lone surrogate becomes its JSON escape."""
        same = self._same_until(segments)
        kept: dict[int, tuple[JsonText, bytes]] = {}
        if same > _EDGE and len(self._known) < len(segments):
            kept = self._known
        parts = self._encoded(segments[:_EDGE], kept)
        parts += self._parts[_EDGE:same]
        parts += self._encoded(segments[same:], kept)
        self._segments, self._parts, self._known = segments, parts, kept
        return b"".join(parts)

    def _same_until(self, segments: Segments) -> int:
        """Up to which piece the middle of the last body stands in this one, too."""
        end = min(len(segments), len(self._segments)) - _EDGE
        if end > _EDGE and segments[_EDGE:end] == self._segments[_EDGE:end]:
            return end
        return _EDGE

    def _encoded(self, segments: Segments, kept: dict[int, tuple[JsonText, bytes]]) -> list[bytes]:
        parts: list[bytes] = []
        for piece in segments:
            text = piece if isinstance(piece, str) else piece.text
            if isinstance(piece, str) or len(text) < _LARGE:
                parts.append(text.encode("utf-8", "backslashreplace"))
                continue
            entry = self._known.get(id(piece))
            if entry is None:
                entry = piece, text.encode("utf-8", "backslashreplace")
            kept[id(piece)] = entry
            parts.append(entry[1])
        return parts
