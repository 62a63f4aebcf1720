"""A process that writes a session and says after each append what is durable.

    python -m tests.store.writer_process DIRECTORY APPENDS

It prints `ack N` when N records are saved. What is not saved is tried again a few times, as a
person would; what failed is printed too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from flowdbg.core.json_text import JsonText
from flowdbg.core.records import Record
from flowdbg.errors import NotSaved
from flowdbg.store import SessionStore
from tests.store.samples import event, request

BATCH = 3
"""Records of one append."""


def batch(number: int) -> list[Record]:
    """The records of the append of this number; the last of them holds a large piece."""
    piece = JsonText(f'"{number}{"x" * 5000}"')
    return [event(number), event(number, 1), request(number, piece)]


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


def insist(what: Callable[[], object]) -> object:
    """Try until it is saved, at most five times."""
    for _ in range(4):
        try:
            return what()
        except NotSaved as error:
            say(f"not saved: {error.what}")
    return what()


def main(directory: Path, appends: int) -> None:
    store = insist(lambda: SessionStore.create(directory, session_id="s", meta={"title": "t"}))
    assert isinstance(store, SessionStore)
    say("ack 0")
    for number in range(1, appends + 1):
        insist(lambda number=number: store.append(batch(number)))  # type: ignore[misc] # a default argument
        say(f"ack {number * BATCH}")
        if number == appends // 2:
            store.checkpoint()
    store.close()
    say("closed")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
