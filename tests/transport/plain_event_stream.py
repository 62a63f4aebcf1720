"""The event-stream rules written down as the standard puts them, one line at a time.

Slow and unbounded on purpose: the reader is compared with it on streams nobody thought of.
"""

from __future__ import annotations

import re

from tests.transport.event_stream_cases import Event


def read_plainly(stream: bytes) -> tuple[list[Event], str, int | None]:
    """The events of a whole stream, and the id and reconnection time at its end."""
    text = stream.decode("utf-8", "replace").removeprefix("\ufeff")
    lines = re.split("\r\n|\n|\r", text)[:-1]
    events: list[Event] = []
    data, kind, last_id, id_buffer = "", "", "", ""
    retry: int | None = None
    retry_in_force: int | None = None
    for line in lines:
        if line == "":
            last_id = id_buffer
            if data:
                events.append((kind or "message", data.removesuffix("\n"), last_id, retry))
            data, kind, retry = "", "", None
            continue
        if line.startswith(":"):
            continue
        field, colon, value = line.partition(":")
        if colon and value.startswith(" "):
            value = value[1:]
        if field == "data":
            data += value + "\n"
        elif field == "event":
            kind = value
        elif field == "id" and "\0" not in value:
            id_buffer = value
        elif field == "retry" and re.fullmatch("[0-9]{1,4300}", value):
            retry = retry_in_force = int(value)
    return events, last_id, retry_in_force
