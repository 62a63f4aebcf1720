"""What must hold of a session after its writer was stopped at any moment."""

from __future__ import annotations

import sys
from pathlib import Path

from flowdbg.store import SessionStore
from tests.store.writer_process import BATCH, batch


def command(directory: Path, appends: int) -> list[str]:
    """The command line of a process that writes a session."""
    return [sys.executable, "-m", "tests.store.writer_process", str(directory), str(appends)]


def acknowledged(output: str) -> int:
    """How many records the process said were saved; -1 when not even the session was."""
    numbers = [int(line[4:]) for line in output.splitlines() if line.startswith("ack ")]
    return max(numbers, default=-1)


def assert_nothing_is_lost(directory: Path, saved: int) -> int:
    """The session opens, has all that was acknowledged, whole appends only, and can go on.

    Returns how many records it has.
    """
    path = directory / "s.flowdbg"
    if saved < 0 and not path.exists():
        return 0
    with SessionStore.open(path) as store:
        stored = list(store.read())
        assert store.meta == {"title": "t"}
        assert len(stored) >= saved
        assert len(stored) % BATCH == 0
        assert store.append(batch(99)) == range(len(stored) + 1, len(stored) + 1 + BATCH)
    assert [one.sequence for one in stored] == list(range(1, len(stored) + 1))
    expected = [record for number in range(1, len(stored) // BATCH + 1) for record in batch(number)]
    assert [one.record for one in stored] == expected
    return len(stored)
