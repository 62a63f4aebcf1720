"""The screen asks for a terminal before anything is opened, and finds one behind a pipe."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from flowdbg.config import paths
from flowdbg.store import list_sessions
from tests.cli.program import COMMAND, run
from tests.debugger.flows import write_flow
from tests.e2e.terminal import Terminal


@pytest.mark.parametrize("command", ["debug a/b/c -m x", "demo", "", "sessions open x"])
def test_without_a_terminal_the_screen_is_refused_before_anything_is_opened(command: str) -> None:
    ended = subprocess.run(
        [*COMMAND, *command.split()],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "no terminal" in ended.stderr or "no session 'x'" in ended.stderr
    assert list_sessions(paths.sessions_dir()) == []


@pytest.mark.parametrize("flags", ["-m hi", "--tools x.json", "--override-output a=1"])
def test_a_finished_run_is_opened_as_it_was(flags: str) -> None:
    ran = run("debug", "--run", "r1", *flags.split(), "--url", "http://127.0.0.1:9")
    assert (ran.code, ran.out) == (2, "")
    assert "--run opens a run as it was" in ran.err


@pytest.mark.parametrize(
    ("flags", "settings", "said"),
    [
        ("--theme nope", "", "There is no theme 'nope'"),
        ("", 'theme = "nope"', "There is no theme 'nope'"),
        ("", '[keys]\n"run.step" = "c"', "'run.continue'"),
        ("", '[keys]\n"run.stp" = "c"', "'run.stp'"),
    ],
)
def test_a_wrong_theme_or_key_is_refused_before_anything_is_made(
    tmp_path: Path, flags: str, settings: str, said: str
) -> None:
    paths.config_file().parent.mkdir(parents=True)
    paths.config_file().write_text(settings)
    flow = write_flow(tmp_path)
    for command in ("demo", f"debug {flow} -m x"):
        with Terminal(*command.split(), *flags.split(), columns=200) as terminal:
            assert terminal.leave("") == 2
            assert said in terminal.text
    assert not paths.data_dir().exists()
    assert not paths.cache_dir().exists()


def test_keys_come_from_the_terminal_when_inputs_were_piped_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = write_flow(tmp_path)
    piped = tmp_path / "piped"
    piped.write_text(f"""#!/bin/sh\necho '{{"message": "hi"}}' | {sys.executable} "$@"\n""")
    piped.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(piped))
    with Terminal("debug", str(flow), "--params", "-") as terminal:
        terminal.until("before 1/3")
        terminal.press("n")
        terminal.until("before 2/3")
        assert terminal.leave("q") == 0
