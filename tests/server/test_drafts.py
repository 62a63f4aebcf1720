"""The flow files on disk: what is told of them when they change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flowdbg.server.drafts import Drafts
from tests.flows import LOOP, TWO_STEP
from tests.serving import write_flows


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """What was logged since it was asked last: the events, and the names of their files."""
    found = [(entry.getMessage(), Path(vars(entry)["file"]).name) for entry in caplog.records]
    caplog.clear()
    return found


def test_what_changes_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "flowdbg.server")
    write_flows(tmp_path, TWO_STEP)
    path, other = tmp_path / "two-step.flow.yaml", tmp_path / "loop.flow.yaml"
    drafts = Drafts([tmp_path])
    drafts.scan()
    assert told(caplog) == []
    write_flows(tmp_path, LOOP)
    path.write_text(TWO_STEP.replace("kind: llm", "kind: lmm"))
    for expected in (
        [("flow file added", other.name), ("flow file is broken", path.name)],
        [],
    ):
        drafts.scan()
        assert told(caplog) == expected
    path.write_text(TWO_STEP)
    os.utime(path, ns=(1, 1))
    other.unlink()
    drafts.scan()
    assert told(caplog) == [("flow file changed", path.name), ("flow file removed", other.name)]


def test_two_files_of_one_address_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = tmp_path / "a.flow.yaml", tmp_path / "b.flow.yaml"
    first.write_text(LOOP)
    second.write_text(LOOP)
    drafts = Drafts([tmp_path])
    for _ in range(2):
        drafts.scan()
    (warning,) = caplog.records
    assert f"the address is taken by {first}" in vars(warning)["problem"]
    assert told(caplog) == [("flow file is broken", second.name)]
    first.unlink()
    (draft,) = drafts.scan()
    assert (draft.path, draft.problems) == (second, ())
