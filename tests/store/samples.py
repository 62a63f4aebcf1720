"""Records to write, and the writing of whole sessions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flowdbg.core.json_text import JsonText, Segments
from flowdbg.core.records import Record
from flowdbg.store import SessionStore

LARGE = JsonText('{"text":"' + "grüße " * 1000 + '"}')
"""A piece that is stored once, by its hash."""


def event(number: int, branch: int = 0, body: Segments | None = None) -> Record:
    """An event as the debugger logs it."""
    text = f'{{"eventType":"step_output","n":{number}}}'
    meta = {"turn": number // 10, "name": "step_output"}
    return Record("event_received", branch, 1.5e9 + number, meta, body or (text,))


def request(number: int, *outputs: JsonText) -> Record:
    """A request whose body holds large outputs."""
    pieces: list[str | JsonText] = ['{"accumulatedOutputs":{']
    for at, output in enumerate(outputs):
        pieces += [f'{"," if at else ""}"s-{at}":', output]
    return Record("turn_started", 0, 1.5e9, {"turn": number}, (*pieces, "}}"))


def write_session(directory: Path, records: Sequence[Record], session_id: str = "s-1") -> Path:
    """A closed session with these records."""
    with SessionStore.create(directory, session_id=session_id, meta={"title": "t"}) as store:
        store.append(records)
        return store.path


def read_session(path: Path) -> list[Record]:
    """All records of a session."""
    with SessionStore.open(path, read_only=True) as store:
        return [stored.record for stored in store.read()]
