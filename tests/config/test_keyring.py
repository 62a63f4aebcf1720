"""The system's keyring by way of real backends, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flowdbg.config import paths

KEY = "nk_test_RECOGNIS_0123456789abcdef0123456789abcdef"
RING = "tests.config.ring.FileRing"
FAILS = "keyring.backends.fail.Keyring"
FORGETS = "keyring.backends.null.Keyring"
PROFILES = """\
[profiles.staging]
url = "http://127.0.0.1:9"
key = "keyring"
[profiles.other]
url = "http://127.0.0.1:9"
key = "env:OTHER_KEY"
"""

Ran = subprocess.CompletedProcess[str]


@pytest.fixture
def ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty ring, and profiles whose key is in it and in a variable."""
    path = tmp_path / "ring.json"
    path.write_text("{}", encoding="utf-8")
    monkeypatch.setenv("TEST_RING", str(path))
    config = paths.config_file()
    config.parent.mkdir(parents=True)
    config.write_text(PROFILES, encoding="utf-8")
    return path


def flowdbg(*arguments: str, backend: str = RING, said: str = "") -> Ran:
    """Run the program with one keyring backend."""
    return subprocess.run(
        [sys.executable, "-m", "flowdbg", *arguments],
        input=said,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHON_KEYRING_BACKEND": backend},
        check=False,
    )


def runs(backend: str = RING) -> Ran:
    """Ask the server of the profile, which is not there, for runs."""
    return flowdbg("runs", "acme/demo/flow", "-P", "staging", backend=backend)


def refused(ran: Ran) -> str:
    """What a command says that did not do it; no traceback, no key."""
    assert ran.returncode == 2, ran
    assert ran.stderr.startswith("flowdbg: ")
    assert KEY not in ran.stdout + ran.stderr
    return ran.stderr


def test_a_key_is_stored_in_the_ring_and_used_from_there(ring: Path) -> None:
    assert "holds no key for profile 'staging'" in refused(runs())
    stored = flowdbg("config", "key", "staging", said=f"{KEY}\n")
    assert (stored.returncode, stored.stderr) == (0, "")
    assert KEY in ring.read_text(encoding="utf-8")
    ran = runs()
    assert ran.returncode == 4  # the server is not there, so the key was found
    for told in (stored, ran, flowdbg("config", "show")):
        assert KEY not in told.stdout + told.stderr
    kept = [path for path in Path.home().rglob("*") if path.is_file() and path != ring]
    assert kept
    assert not any(KEY.encode() in path.read_bytes() for path in kept)


@pytest.mark.parametrize("backend", [FAILS, "no.such.Backend"])
def test_a_ring_that_does_not_work_is_told_without_a_traceback(ring: Path, backend: str) -> None:
    for ran in (runs(backend), flowdbg("config", "key", "staging", backend=backend, said=KEY)):
        told = refused(ran)
        assert "keyring cannot be used" in told
        assert "env:NAME" in told


def test_a_locked_ring_is_told_as_such(ring: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_RING", "locked")
    assert "the ring is locked" in refused(runs())


def test_a_ring_that_keeps_nothing_is_noticed(ring: Path) -> None:
    told = refused(flowdbg("config", "key", "staging", backend=FORGETS, said=KEY))
    assert "did not keep" in told


def test_a_key_is_stored_only_where_it_will_be_looked_for(ring: Path) -> None:
    assert "no profile 'nosuch'" in refused(flowdbg("config", "key", "nosuch", said=KEY))
    assert "OTHER_KEY" in refused(flowdbg("config", "key", "other", said=KEY))
    assert "No key was given" in refused(flowdbg("config", "key", "staging", said="\n"))
    assert ring.read_text(encoding="utf-8") == "{}"
