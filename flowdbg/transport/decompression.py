"""Decompression in pieces of bounded size, so that a small bomb stays small.

The reader counts an event's bytes after decompression; for that to bound memory, no piece
handed to it may be large.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

from flowdbg.errors import ProtocolViolation

PIECE = 64 * 1024
"""The largest piece in bytes that decompression hands out at once."""

ACCEPTED = "gzip, deflate"
"""The content codings that a request offers."""

Decode = Callable[[bytes], Iterator[bytes]]


def decoder(content_encoding: str) -> Decode | None:
    """A function from raw to decoded pieces for one answer; None when nothing is encoded.

    Raises:
        ProtocolViolation: The answer uses a coding that was not offered.
    """
    codings = [part.strip().lower() for part in content_encoding.split(",")]
    decode: Decode | None = None
    for coding in reversed([part for part in codings if part not in {"", "identity"}]):
        if coding not in {"gzip", "x-gzip", "deflate"}:
            raise ProtocolViolation(
                f"The server compressed its answer as {coding[:20]!r}, which was not offered.",
                "Turn that compression off on the server or on a proxy in between.",
            )
        stage = _Stage(gzip=coding != "deflate")
        decode = stage.decode if decode is None else _after(decode, stage.decode)
    return decode


def _after(first: Decode, second: Decode) -> Decode:
    return lambda data: (piece for outer in first(data) for piece in second(outer))


class _Stage:
    """One content coding of one answer."""

    def __init__(self, *, gzip: bool) -> None:
        self._gzip = gzip
        self._inflater: zlib._Decompress | None = None
        self._ended = False

    def decode(self, data: bytes) -> Iterator[bytes]:
        full = False  # zlib may hold back output that did not fit, with no input left
        while data or full:
            if self._inflater is None:
                if self._ended and not (self._gzip and data.startswith(b"\x1f")):
                    return  # padding behind the end, which clients ignore
                self._inflater = self._start(data)
            inflater = self._inflater
            try:
                piece = inflater.decompress(data, PIECE)
            except zlib.error as error:
                raise ProtocolViolation(
                    f"The compressed answer is damaged ({error}).",
                    "Look for a proxy that changes answers, and try again.",
                ) from error
            if piece:
                yield piece
            full = len(piece) == PIECE
            data = inflater.unconsumed_tail
            if inflater.eof:  # gzip allows several members, one behind the other
                data, full = inflater.unused_data, False
                self._inflater, self._ended = None, True

    def _start(self, data: bytes) -> zlib._Decompress:
        if self._gzip:
            return zlib.decompressobj(zlib.MAX_WBITS | 16)
        # RFC 9110 means the zlib format by `deflate`; some servers send the bare one
        is_zlib = data[0] & 0x0F == 8 and (len(data) < 2 or int.from_bytes(data[:2]) % 31 == 0)
        return zlib.decompressobj(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)
