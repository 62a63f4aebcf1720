"""The embedded server as a child process: whatever it says, its parent says what became of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from flowdbg.cli.embedded import published_flow
from flowdbg.errors import ConnectionFailed
from tests.debugger.flows import write_flow


def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Let the child be a shell script."""
    program = tmp_path / "child"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("head -c 300000 /dev/zero | tr '\\0' x >&2; echo ' the end' >&2; exit 3", "x the end"),
        ("echo hello", "It said: hello"),
        ("echo 5", "It said: 5"),
        ("exit 3", "did not start"),
    ],
)
async def test_a_child_that_does_not_come_up_is_said_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    flow = write_flow(tmp_path)
    child(tmp_path, monkeypatch, script)
    with pytest.raises(ConnectionFailed, match="did not start") as failed:
        async with published_flow(flow):
            pass
    assert said in failed.value.what
    assert len(failed.value.what) < 1000
