"""Killed at any moment, or with any one call of the kernel failing: nothing saved is lost.

Slow: hundreds of processes. Rows 31 to 33 of docs/fault-matrix.md, and the crash half of 35.
"""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from tests.store.crash_checks import acknowledged, assert_nothing_is_lost, command
from tests.store.writer_process import BATCH

pytestmark = pytest.mark.slow

APPENDS = 6
CALLS = ["pwrite64", "fdatasync", "fsync", "ftruncate", "unlink", "link", "linkat"]
FAULTS = ["signal=KILL", "error=EIO", "error=ENOSPC"]


@pytest.mark.parametrize("seed", range(10))
def test_thirty_random_kills_lose_nothing(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    for round_number in range(30):
        directory = tmp_path / str(round_number)
        with subprocess.Popen(
            command(directory, 10_000), stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            first = process.stdout.readline()
            timer = threading.Timer(chance.uniform(0, 0.05), process.kill)
            timer.start()
            output = first + process.stdout.read()
            timer.join()
        assert process.returncode == -signal.SIGKILL
        stored = assert_nothing_is_lost(directory, acknowledged(output))
        assert stored <= acknowledged(output) + BATCH


def count_of_calls(tmp_path: Path, call: str) -> int:
    log = tmp_path / "calls.txt"
    strace = ["strace", "-qq", "-o", str(log), "-e", f"trace={call}"]
    subprocess.run(
        [*strace, *command(tmp_path / "counted", APPENDS)], check=True, stdout=subprocess.PIPE
    )
    return len(log.read_text().splitlines())


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", CALLS)
def test_any_single_failing_call_loses_nothing(tmp_path: Path, call: str, fault: str) -> None:
    calls = count_of_calls(tmp_path, call)
    refused = 0
    for when in range(1, calls + 1):
        directory = tmp_path / str(when)
        # a call that is not traced is not injected either, so it is traced to nowhere
        inject = ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}"]
        process = subprocess.run(
            [*inject, "-e", f"inject={call}:{fault}:when={when}", *command(directory, APPENDS)],
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        saved = acknowledged(process.stdout)
        stored = assert_nothing_is_lost(directory, saved)
        if fault == "signal=KILL":
            assert process.returncode == -signal.SIGKILL, f"call {when} was not reached"
            assert stored <= max(saved, 0) + BATCH
        else:
            assert process.returncode == 0, f"call {when}: {process.stderr}"
            assert stored == APPENDS * BATCH, f"call {when}: {process.stdout}"
            refused += "not saved" in process.stdout
    if call in {"pwrite64", "fdatasync"} and fault != "signal=KILL":
        assert refused > calls // 4, "the faults were felt"


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_the_sweep_reaches_the_calls_that_matter(tmp_path: Path) -> None:
    for call, least in (("pwrite64", 30), ("fdatasync", 10), ("unlink", 2)):
        directory = tmp_path / call
        directory.mkdir()
        assert count_of_calls(directory, call) >= least
