"""The event-stream reader: bytes in, events out, by the rules of the WHATWG.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

The reader keeps the raw bytes of the unfinished block and nothing else. Line ends are turned
into LF as the bytes arrive, so that a block ends exactly at LF LF; whole blocks are decoded
together (UTF-8 never lets a broken sequence swallow a line end) and the usual shape of a block
is taken apart by one regular expression.

    reader = EventStreamReader()
    for chunk in chunks:  # bytes of any size, as they come
        for event in reader.feed(chunk):
            event.event, event.data, event.id, event.retry
    reader.close()
    reader.last_event_id, reader.retry  # what a reconnection would use; flowdbg makes none
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple, NoReturn

from flowdbg.errors import EventTooLarge

MAX_EVENT_BYTES = 64 * 1024 * 1024
"""The default limit of one event's size, in bytes after decompression."""

_BOM = b"\xef\xbb\xbf"
_LF = 10

_LONG_LINE = 1024
"""Characters of a line from which on looking for its end is faster than matching it."""

_USUAL_BLOCK = re.compile(r"^(?:event: ?(.*)\n)?data: ?(.*)\n\n", re.MULTILINE)
"""A block of at most a type and one line of data. Anchored to the start of a line: without
that, a hostile line full of `data:` would be scanned once for each of them."""

_RETRY_LINE = re.compile(rb"^retry: ?([0-9]+)\n", re.MULTILINE)


class ServerSentEvent(NamedTuple):
    """One dispatched event."""

    event: str
    """The type; `message` when the stream named none."""
    data: str
    """The data lines, joined with LF."""
    id: str
    """The last event id the stream named so far; empty when none."""
    retry: int | None
    """Milliseconds, when this event's block carried a valid `retry`."""


class EventStreamReader:
    """Turns the bytes of one stream into events, in chunks of any size.

    The time taken is linear in the bytes, whatever the chunks. The memory held between two
    chunks is that of one unfinished event and at most `max_event_bytes`. Bytes after the last
    blank line are never dispatched; they can be looked at as `tail`. The size of an event is
    that of its lines, without comments.
    """

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self.max_event_bytes = max_event_bytes
        self.last_event_id = ""
        """The id that the last finished block to name one named; empty when none did."""
        self._retry: int | None = None  # of finished blocks
        self._pending = bytearray()
        self._kept = 0  # bytes of `_pending` known to hold whole lines and no comment
        self._opening: bytes | None = b""  # too few bytes to tell whether they are a mark
        self._after_cr = False
        self._failure: EventTooLarge | None = None
        self._closed = False

    @property
    def retry(self) -> int | None:
        """The last valid `retry`, in milliseconds.

        It counts from the end of its line, in a block that never ends, too; an id does not.
        """
        retry = self._retry
        for digits in _RETRY_LINE.findall(self._pending):
            wait = _milliseconds(digits.decode("ascii"))
            retry = retry if wait is None else wait
        return retry

    @property
    def tail(self) -> bytes:
        """What came after the last finished block, with LF as line end."""
        return (self._opening or b"") + bytes(self._pending)

    def close(self) -> None:
        """End the stream; an unfinished block stays undelivered in `tail`.

        Raises:
            EventTooLarge: The limit was passed right after the last events were delivered.
        """
        self._closed = True
        if self._failure is not None:
            raise self._failure

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Take the next bytes of the stream and return the events that they finish.

        An empty chunk is allowed and only reports a limit that was passed behind events which
        an earlier chunk delivered.

        Raises:
            EventTooLarge: An event passed the limit; the reader takes nothing more.
            ValueError: The reader was closed.
        """
        if self._closed or self._failure is not None:
            self._refuse()
        if self._opening is not None or self._after_cr or b"\r" in chunk:
            chunk = self._as_lines(chunk)
        end = self._end_of_blocks(chunk) if b"\n" in chunk else 0
        if not end:
            self._hold(chunk)
            return []
        self._pending += memoryview(chunk)[:end]
        whole, self._pending, self._kept = self._pending, bytearray(), 0
        if len(whole) > self.max_event_bytes:
            events = self._bounded_blocks(whole)
        else:
            events = self._blocks(whole)
        self._hold(chunk[end:], events)
        return events

    def _refuse(self) -> NoReturn:
        if self._failure is not None:
            raise self._failure
        raise ValueError("the event stream is closed")

    def _as_lines(self, chunk: bytes) -> bytes:
        """The chunk with LF as its only line end, without a byte order mark."""
        if self._opening is not None:
            chunk = self._opening + chunk
            if len(chunk) < len(_BOM):
                self._opening = chunk
                return b""
            self._opening = None
            chunk = chunk.removeprefix(_BOM)
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return chunk

    def _end_of_blocks(self, chunk: bytes) -> int:
        """How much of the chunk belongs to blocks that end in it; 0 when none does."""
        last = chunk.rfind(b"\n") + 1  # the search for one byte is much the faster one
        end = chunk.rfind(b"\n\n", 0, last) + 2
        if end > 1:
            return end
        return int(chunk[0] == _LF and self._pending.endswith(b"\n"))

    def _hold(self, rest: bytes, delivered: list[ServerSentEvent] | None = None) -> None:
        """Keep the start of an unfinished block, unless that passes the limit.

        The error waits for the next call when there are events to deliver first.
        """
        if self._failure is None:
            self._pending += rest if self._pending else rest.lstrip(b"\n")
            if len(self._pending) <= self.max_event_bytes:
                return
            self._failure = self._drop_comments()
            if self._failure is None:
                return
        if not delivered:
            raise self._failure

    def _drop_comments(self) -> EventTooLarge | None:
        """Make room in the unfinished block: comments are not part of an event's size.

        Each byte is looked at once, however often this is called.
        """
        limit = self.max_event_bytes
        lines = self._pending.rfind(b"\n", self._kept) + 1
        if lines:
            fresh = bytes(memoryview(self._pending)[self._kept : lines])
            try:
                kept = _without_comments(fresh, self._kept, limit)
            except EventTooLarge as failure:
                return failure
            self._pending[self._kept : lines] = kept
            self._kept += len(kept)
        return None if len(self._pending) <= limit else _too_large(limit)

    def _bounded_blocks(self, whole: bytearray) -> list[ServerSentEvent]:
        """As `_blocks`, for more bytes than one event may have."""
        events: list[ServerSentEvent] = []
        try:
            for block in bytes(whole).split(b"\n\n"):
                lines = block.strip(b"\n") + b"\n"
                if len(lines) > self.max_event_bytes:
                    lines = _without_comments(lines, 0, self.max_event_bytes)
                events += self._blocks(lines + b"\n")
        except EventTooLarge as failure:
            self._failure = failure
        return events

    def _blocks(self, raw: bytes | bytearray) -> list[ServerSentEvent]:
        """The events of whole blocks."""
        if len(raw) - raw.rfind(b"\n", 0, -2) > _LONG_LINE:
            return self._any_blocks(_long_lines(raw))
        text = raw.decode("utf-8", "replace")
        parts = _USUAL_BLOCK.split(text)
        if any(parts[::3]):  # text between the usual blocks: something else is in there
            return self._any_blocks(text.split("\n"))
        last_id = self.last_event_id
        make = tuple.__new__
        return [
            make(ServerSentEvent, (name or "message", data, last_id, None))
            for name, data in zip(parts[1::3], parts[2::3], strict=False)
        ]

    def _any_blocks(self, lines: Iterable[str]) -> list[ServerSentEvent]:
        """The events of whole blocks of any fields."""
        events: list[ServerSentEvent] = []
        name = ""
        data: list[str] = []
        retry: int | None = None
        for line in lines:
            if line.startswith("data: "):
                data.append(line[6:])
            elif not line:
                if data:
                    event = (name or "message", "\n".join(data), self.last_event_id, retry)
                    events.append(tuple.__new__(ServerSentEvent, event))
                    data = []
                name = ""
                retry = None
            else:
                field, _, value = line.partition(":")
                if value[:1] == " ":
                    value = value[1:]
                if field == "event":
                    name = value
                elif field == "data":
                    data.append(value)
                elif field == "id" and "\0" not in value:
                    self.last_event_id = value
                elif field == "retry" and (wait := _milliseconds(value)) is not None:
                    self._retry = retry = wait
        return events


def _long_lines(raw: bytes | bytearray) -> Iterator[str]:
    """The lines of bytes: `split` looks at each of them, `find` uses `memchr`."""
    view = memoryview(raw)
    at = 0
    while (end := raw.find(b"\n", at)) >= 0:
        yield str(view[at:end], "utf-8", "replace")
        at = end + 1


def _milliseconds(value: str) -> int | None:
    """A `retry` value; None unless it is ASCII digits, and not more than Python converts."""
    if not (value.isascii() and value.isdigit()):
        return None
    try:
        return int(value)
    except ValueError:
        return None


def _without_comments(lines: bytes, before: int, limit: int) -> bytes:
    """Whole lines of a block without its comments.

    `before` is the size of the block's lines in front of these. The outcome does not depend
    on how the block was cut: every line, comments too, must fit behind what is kept.
    """
    kept = []
    size = before
    for line in lines.split(b"\n")[:-1]:
        if size + len(line) + 1 > limit:
            raise _too_large(limit)
        if not line.startswith(b":"):
            kept.append(line + b"\n")
            size += len(line) + 1
    return b"".join(kept)


def _too_large(limit: int) -> EventTooLarge:
    return EventTooLarge(
        f"One event of the stream is larger than {limit} bytes.",
        "Raise limits.event_mib in the settings if the flow really produces outputs of this size.",
    )
