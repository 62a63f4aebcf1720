"""Power lost at any moment: what was acknowledged is there (row 35)."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.store.crash_checks import acknowledged, assert_nothing_is_lost, command
from tests.store.power_loss import STRACE, Disk
from tests.store.writer_process import BATCH

APPENDS = 6


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_power_lost_after_any_call_loses_nothing_that_was_saved(tmp_path: Path) -> None:
    directory, trace = tmp_path / "written", tmp_path / "trace.txt"
    subprocess.run(
        [*STRACE, "-o", str(trace), *command(directory, APPENDS)],
        check=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    chance = random.Random(1)
    disk = Disk(directory)
    images = lost_unsaved = 0
    for line in trace.read_text().splitlines():
        if not disk.play(line):
            continue
        image = tmp_path / "image"
        shutil.rmtree(image, ignore_errors=True)
        image.mkdir()
        for name, content in disk.after_crash(chance).items():
            (image / name).write_bytes(content)
        saved = acknowledged(disk.said)
        stored = assert_nothing_is_lost(image, saved)
        assert stored <= max(saved, 0) + BATCH
        images += 1
        lost_unsaved += stored == saved
    assert acknowledged(disk.said) == APPENDS * BATCH
    assert images > 150
    assert lost_unsaved > 50, "the disk really forgets what was not synced"
