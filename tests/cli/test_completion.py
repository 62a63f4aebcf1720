"""What a shell is offered at TAB, asked as shells ask: with the program's own protocol."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flowdbg.cli.completing import THEMES
from flowdbg.config import paths
from flowdbg.store import SessionStore
from flowdbg.tui.themes import SHORT

PROGRAM = "import sys; sys.argv[0] = 'flowdbg'; from flowdbg.cli.main import main; main()"
HEAVY = ("asyncio", "httpx", "rich", "sqlalchemy", "starlette", "textual", "flowdbg.engine")
DAYS = (5, 4, 3, 2, 1)


def asked(line: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Ask for what may stand at the end of a line, as bash does."""
    environment = {
        **os.environ,
        "_FLOWDBG_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(line.count(" ")),
    }
    command = [sys.executable, *options, "-c", PROGRAM]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=folder, env=environment
    )


def offered(line: str, folder: Path) -> list[str]:
    """What is offered, with nothing said on stderr."""
    answer = asked(line, folder)
    assert answer.stderr == ""
    return answer.stdout.split()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A machine on which some sessions were run, in a folder with some flow files."""
    for day, (address, version, file) in enumerate(
        [
            ("acme/demo/letters", 3, ""),
            ("acme/demo/letters", 4, ""),
            ("acme/demo/other", None, ""),
            ("here/in/file", 1, "/some/where.flow.yaml"),
            ("acme/demo/$(touch x)", 1, ""),
        ],
        start=1,
    ):
        meta = {"address": address, "version": version, "flow_file": file}
        name = f"2026010{day}-000000-abcdef"
        SessionStore.create(paths.sessions_dir(), session_id=name, meta=meta).close()
        os.utime(paths.sessions_dir() / f"{name}.flowdbg", (day, day))
    (paths.sessions_dir() / "broken.flowdbg").write_bytes(b"none")
    settings = paths.config_file()
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text('[profiles.prod]\nurl = "https://a.example"\n[profiles.play]\n')
    (paths.data_dir() / "waiting").mkdir()
    (paths.data_dir() / "waiting" / "run-1.json").write_text("{}")
    work = tmp_path / "work"
    (work / "flows").mkdir(parents=True)
    (work / "empty").mkdir()
    for file_name in ("a.flow.yaml", "notes.txt", "flows/b.flow.yaml", "flows/c.yaml"):
        (work / file_name).write_text("flow: x/y/z")
    return work


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("flowdbg debug ", ["acme/demo/other", "acme/demo/letters", "a.flow.yaml", "flows/"]),
        ("flowdbg run acme/demo/l", [f"acme/demo/letters{at}" for at in ("", "@3", "@4")]),
        ("flowdbg execute flows/", ["flows/b.flow.yaml"]),
        ("flowdbg versions acme/demo/o", ["acme/demo/other"]),
        ("flowdbg debug -P pr", ["prod"]),
        ("flowdbg run x --profile ", ["prod", "play"]),
        ("flowdbg config key p", ["prod", "play"]),
        ("flowdbg sessions open 2026010", [f"2026010{day}-000000-abcdef" for day in DAYS]),
        ("flowdbg sessions rm 20260103", ["20260103-000000-abcdef"]),
        ("flowdbg execute --resume ", ["run-1"]),
        ("flowdbg demo --theme ", list(THEMES)),
        ("flowdbg run x --on-stale ", ["stop", "restart", "pin"]),
        ("flowdbg ser", ["serve"]),
        ("flowdbg run --unt", ["--until"]),
        ("flowdbg debug none/such", []),
    ],
)
def test_names_that_this_machine_knows_are_offered(
    folder: Path, line: str, wanted: list[str]
) -> None:
    assert offered(line, folder) == wanted


def test_a_machine_that_knows_nothing_offers_nothing(tmp_path: Path) -> None:
    for line in ("flowdbg debug ", "flowdbg debug -P ", "flowdbg sessions rm ", "flowdbg run no/"):
        assert offered(line, tmp_path) == []


def test_nothing_heavy_is_loaded_for_it(folder: Path) -> None:
    answer = asked("flowdbg debug ", folder, "-X", "importtime")
    assert "acme/demo/letters" in answer.stdout
    loaded = {line.rpartition("|")[2].strip() for line in answer.stderr.splitlines()}
    assert "flowdbg.cli.completing" in loaded
    assert loaded & set(HEAVY) == set()


BASH = """
    source <(_FLOWDBG_COMPLETE=source_bash flowdbg)
    COMP_WORDS=(flowdbg debug acme/demo/o) COMP_CWORD=2
    _flowdbg_completion flowdbg
    echo "${COMPREPLY[@]}"
"""
ZSH = """
    compdef() { }
    _arguments() { print -r -- "$@" }
    source <(_FLOWDBG_COMPLETE=source_zsh flowdbg)
    words=(flowdbg debug acme/demo/o) CURRENT=3
    _flowdbg_completion
"""
"""Zsh calls the function that is installed with the words typed, and it calls `_arguments`."""
FISH = """
    _FLOWDBG_COMPLETE=source_fish flowdbg | source
    complete --do-complete "flowdbg debug acme/demo/o"
"""


@pytest.mark.parametrize(
    ("shell", "script", "wanted"),
    [
        (("bash", "--norc"), BASH, "acme/demo/other"),
        (("zsh", "-f"), ZSH, '*: :(("acme/demo/other"))'),
        (("fish", "--no-config"), FISH, "acme/demo/other"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_shell_completes_with_the_script_that_is_installed(
    folder: Path, tmp_path: Path, shell: tuple[str, ...], script: str, wanted: str
) -> None:
    if shutil.which(shell[0]) is None:
        pytest.skip(f"{shell[0]} is not installed")
    program = tmp_path / "flowdbg"
    program.write_text(f"#!{sys.executable}\n{PROGRAM}\n")
    program.chmod(0o700)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        [*shell, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env={**os.environ, "PATH": path},
    )
    assert (ended.stdout, ended.stderr) == (f"{wanted}\n", "")


def test_help_has_nothing_that_a_shell_would_leave_out_or_run(folder: Path) -> None:
    """In zsh what stands in square brackets is left out of a description."""
    for command in ("run", "execute", "jobs submit", "trace"):
        line = f"flowdbg {command} --"
        environment = {"_FLOWDBG_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": line}
        told = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            capture_output=True,
            text=True,
            check=True,
            cwd=folder,
            env={**os.environ, **environment},
        ).stdout
        assert """"--url":"The server''s address.\"""" in told
        assert not set("$`") & set(told)


def test_the_themes_that_are_offered_exist() -> None:
    assert set(THEMES) <= set(SHORT)
