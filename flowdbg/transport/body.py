"""The bytes of request bodies, of which most go out again and again.

Every call carries all outputs collected so far, so the middle of a body is the middle of the one
before it, and perhaps something behind that. Its bytes are kept in one piece from body to body,
and assembling one is little more than copying it once.
"""

from __future__ import annotations

from flowdbg.core.json_text import JsonText, Segments

_LARGE = 512
"""Characters from which on a piece at the edges is looked for in the body before."""
_EDGE = 16
"""Pieces at either end that are looked at anew: they hold what changes from call to call."""


class BodyEncoder:
    """Encodes the bodies of one target, one after the other.

    It holds the bytes of the last body's middle and large pieces, and nothing of earlier ones.
    """

    def __init__(self) -> None:
        self._segments: Segments = ()
        self._middle = bytearray()  # the bytes of the pieces from _EDGE up to _until
        self._until = _EDGE
        # by identity: comparing large texts costs more than encoding them
        self._known: dict[int, tuple[JsonText, bytes]] = {}

    def encode(self, segments: Segments) -> bytes:
        """The UTF-8 bytes of a segmented text; a lone surrogate becomes its JSON escape."""
        same = self._same_until(segments)
        if same < self._until:
            self._middle, self._until = bytearray(), _EDGE
        known: dict[int, tuple[JsonText, bytes]] = {}
        for part in self._encoded(segments[self._until : same], {}):
            self._middle += part
        parts = self._encoded(segments[:_EDGE], known)
        parts.append(self._middle)
        parts += self._encoded(segments[same:], known)
        self._segments, self._until, self._known = segments, same, known
        return b"".join(parts)

    def _same_until(self, segments: Segments) -> int:
        """Up to which piece the middle of the last body stands in this one, too."""
        end = min(len(segments), len(self._segments)) - _EDGE
        if end > _EDGE and segments[_EDGE:end] == self._segments[_EDGE:end]:
            return end
        return _EDGE

    def _encoded(
        self, segments: Segments, known: dict[int, tuple[JsonText, bytes]]
    ) -> list[bytes | bytearray]:
        """The bytes of each piece; those of large ones are noted in `known`."""
        parts: list[bytes | bytearray] = []
        for piece in segments:
            text = piece if isinstance(piece, str) else piece.text
            if isinstance(piece, str) or len(text) < _LARGE:
                parts.append(text.encode("utf-8", "backslashreplace"))
                continue
            entry = self._known.get(id(piece))
            if entry is None:
                entry = piece, text.encode("utf-8", "backslashreplace")
            known[id(piece)] = entry
            parts.append(entry[1])
        return parts
