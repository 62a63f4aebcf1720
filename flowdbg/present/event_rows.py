"""Everything that happened, as rows: the server's events and what the person did.

A run of streamed chunks of one step is one row that counts them and unfolds, so that a stream of a
thousand tokens does not push everything else out of sight. Adding costs what is added.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from flowdbg.present import formats
from flowdbg.present.looks import Tone
from flowdbg.present.safe_text import safe_line


@dataclass(frozen=True, slots=True)
class EventLine:
    """What is shown of one thing that happened."""

    name: str
    """The event's own name, or what a person did."""
    step: str = ""
    text: str = ""
    """What it says, on one line."""
    tone: Tone = "plain"
    raw: str = ""
    """The event's data as it came; empty for what did not come from a server."""


@dataclass(frozen=True, slots=True)
class EventItem:
    """One thing that happened; its line is made only when it is drawn."""

    at: float
    """Seconds since the epoch."""
    source: Any
    """What the line is made from."""
    step: str = ""
    chunk: int = 0
    """Characters of streamed text that it brought; 0 when it is not a chunk."""


Describe = Callable[[Any], EventLine]
"""Makes the line of an item from its source."""


class EventRow:
    """One visible row: an item, or a run of chunks of one step."""

    __slots__ = ("child", "first", "is_open", "last", "size")

    def __init__(self, first: int, *, child: bool = False, size: int = 0) -> None:
        self.first = first
        self.last = first
        self.size = size
        """Characters that a run of chunks brought."""
        self.is_open = False
        self.child = child
        """Whether it stands inside an unfolded run."""

    @property
    def count(self) -> int:
        """How many items the row stands for."""
        return self.last - self.first + 1


class EventRows:
    """The log of a session, growing at its end."""

    def __init__(self, describe: Describe) -> None:
        self._describe = describe
        self.items: list[EventItem] = []
        self.rows: list[EventRow] = []
        self._run: EventRow | None = None

    def __len__(self) -> int:
        """The number of visible rows."""
        return len(self.rows)

    def extend(self, items: Iterable[EventItem]) -> int:
        """Add what happened; returns the first row that changed."""
        changed = len(self.rows)
        for item in items:
            at = len(self.items)
            self.items.append(item)
            run = self._run
            if item.chunk and run is not None and self.items[run.first].step == item.step:
                run.last = at
                run.size += item.chunk
                changed = min(changed, len(self.rows) - 1)
                if run.is_open:
                    self.rows.append(EventRow(at, child=True))
                continue
            row = EventRow(at, size=item.chunk)
            self.rows.append(row)
            self._run = row if item.chunk else None
        return max(changed, 0)

    def toggle(self, index: int) -> None:
        """Show or hide the chunks of a run."""
        row = self.rows[index]
        if row.child or row.count == 1:
            return
        if row.is_open:
            del self.rows[index + 1 : index + 1 + row.count]
        else:
            inner = [EventRow(at, child=True) for at in range(row.first, row.last + 1)]
            self.rows[index + 1 : index + 1] = inner
        row.is_open = not row.is_open

    def at(self, index: int) -> float:
        """When a row happened; for a run of chunks, when it began."""
        return self.items[self.rows[index].first].at

    def line(self, index: int) -> EventLine:
        """Describe a row; a run of chunks by how many and how much."""
        row = self.rows[index]
        line = self._describe(self.items[row.last].source)
        if row.count == 1 or row.child:
            return line
        return replace(line, text=f"×{row.count:,}  {formats.size(row.size)}")

    def text(self, index: int) -> str:
        """A row as one line of text, as it is searched and copied."""
        line = self.line(index)
        parts = (clock_time(self.at(index)), line.name, line.step, line.text)
        return "  ".join(part for part in parts if part)


def clock_time(at: float) -> str:
    """Show a moment as local time with milliseconds: `12:04:31.220`."""
    return f"{time.strftime('%H:%M:%S', time.localtime(at))}.{int(at * 1000) % 1000:03d}"


def shown(text: str, limit: int = 200) -> str:
    """Fit foreign text into a row."""
    return safe_line(text, limit)
