"""The program around its commands: no traceback reaches a person, whatever goes wrong."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path

import pytest

from flowdbg.cli.embedded import published_flow
from flowdbg.config import paths
from flowdbg.errors import NotSaved
from tests.cli.program import COMMAND, run
from tests.debugger.flows import write_flow
from tests.faults.server import FaultServer, answer, answer_json


def test_a_fault_of_the_program_is_one_sentence_and_where_its_details_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(_file: Path) -> None:
        raise ZeroDivisionError("by accident")

    monkeypatch.setattr("flowdbg.engine.definition.load_flow", broken)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ran = run("check", "x.flow.yaml")
    assert (ran.code, ran.out) == (70, "")
    assert "a fault of flowdbg itself (ZeroDivisionError: by accident)" in ran.err
    assert "Traceback" not in ran.err
    told = re.search(r"with (\S+\.txt)\.", ran.err)
    assert told
    assert Path(told[1]).parent == tmp_path
    assert "Traceback" in Path(told[1]).read_text()


def test_every_setting_tells_where_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    file = paths.config_file()
    file.parent.mkdir(parents=True)
    file.write_text('theme = "light"\nkeymap = "vscode"\nclipboard = "off"\n')
    monkeypatch.setenv("FLOWDBG_KEYMAP", "default")
    monkeypatch.setenv("FLOWDBG_CLIPBOARD", "auto")
    shown = run("config", "show", "--theme", "dark", "--url", "http://a.example").out
    origins = {line.split()[0]: line.rpartition("(")[2][:-1] for line in shown.splitlines()[1:]}
    assert {name: origin for name, origin in origins.items() if origin != "default"} == {
        "theme": "--theme",
        "clipboard": "$FLOWDBG_CLIPBOARD",
        "keymap": "$FLOWDBG_KEYMAP",
        "url": "--url",
    }
    assert origins["ascii"] == origins["profiles"] == "default"
    monkeypatch.delenv("FLOWDBG_KEYMAP")
    assert f'keymap     "vscode"  ({file})' in run("config").out
    assert run("config", "show", "--profile", "nope").code == 2


def test_settings_that_cannot_be_written_are_said() -> None:
    paths.config_file().with_suffix(".new").mkdir(parents=True)
    ran = run("config", "add", "x", "--url", "http://a.example")
    assert ran.code == 2
    assert "cannot be written" in ran.err
    assert "XDG_CONFIG_HOME" in ran.err


def test_a_data_directory_that_cannot_be_used_is_said_by_every_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = write_flow(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(flow))
    ran = run("run", str(flow), "-m", "x", "--json")
    assert (ran.code, ran.lines[-1]["reason"]) == (6, "not saved")
    assert "XDG_DATA_HOME" in ran.err
    assert ran.err.count("flowdbg: ") == 1
    store = [line for line in run("doctor", "--json").lines if line["about"] == "store"]
    assert (store[0]["verdict"], store[0]["next_step"][:17]) == ("bad", "Set XDG_DATA_HOME")
    assert "No session is stored yet" in run("sessions", "list").out


async def test_a_child_that_cannot_write_its_database_is_not_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/dev/null/x")
    with pytest.raises(NotSaved, match="XDG_DATA_HOME"):
        async with published_flow(write_flow(tmp_path)):
            pass


@pytest.mark.parametrize("command", ["run", "execute", "publish", "versions", "runs", "doctor"])
def test_a_server_that_fails_before_anything_ran_is_not_said_to_have_run_something(
    tmp_path: Path, command: str
) -> None:
    failing = answer_json(500, {"detail": "broken"})
    target = str(write_flow(tmp_path)) if command == "publish" else "a/b/c"
    more = ("-m", "x") if command in ("run", "execute") else ()
    with FaultServer(failing, gets={"": failing}).in_thread() as server:
        ran = run(command, target, *more, "--url", server.url)
        assert server.posts == (command == "publish")
    assert ran.code == (1 if command == "doctor" else 4)
    said = " ".join((ran.err + ran.out).split())
    assert "again" in said
    assert "(r)" not in said
    assert "trace" not in said


def test_a_page_where_a_server_was_expected_is_said() -> None:
    script = answer(200, "text/html", b"<html><body>Log in</body></html>")
    with FaultServer(gets={"/healthz": script, "/plan": script}).in_thread() as server:
        found = run("doctor", "--url", server.url, "--json").lines
        ran = run("run", "a/b/c", "-m", "x", "--url", server.url)
    (one,) = [line for line in found if line["about"] == "server"]
    assert one["verdict"] == "note"
    assert "HTML page" in one["what"]
    assert (ran.code, ran.out) == (4, "")
    assert "HTML page" in ran.err


def test_a_file_that_cannot_be_read_is_said_without_numbers_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "latin.json").write_bytes(b'{"a": "\xe9"}')
    for name, said in (("none", "No such file"), (".", "Is a directory"), ("latin.json", "UTF-8")):
        ran = run("run", "a/b/c", "--params", str(tmp_path / name))
        assert ran.code == 2
        assert said in ran.err
        assert "Errno" not in ran.err


def test_a_disk_without_room_for_the_output_is_said() -> None:
    for arguments, code in (("--help", 74), ("config", 74), ("versions nothing", 2)):
        words = [*COMMAND, *arguments.split()]
        with Path("/dev/full").open("w") as full:
            ended = subprocess.run(
                words, stdout=full, stderr=subprocess.PIPE, text=True, check=False
            )
        assert ended.returncode == code
        assert "Traceback" not in ended.stderr
        assert ("The output cannot be written" in ended.stderr) == (code == 74)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_what_an_encoding_does_not_have_is_written_as_an_escape(
    tmp_path: Path, encoding: str
) -> None:
    flow = write_flow(tmp_path)
    words = [*COMMAND, "run", str(flow), "-m", "grüße"]
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    ended = subprocess.run(words, capture_output=True, env=environment, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert "\\u25b6 1/3 " in ended.stdout.decode(encoding)


def test_a_word_that_is_no_text_is_wrong_usage() -> None:
    for words in (["trace", "\udcff"], ["run", "a/b/\udcff", "-m", "x"]):
        ran = run(*words, "--url", "http://127.0.0.1:9")
        assert (ran.code, ran.out) == (2, "")
        assert "fault" not in ran.err


def test_a_full_stderr_changes_no_exit_code() -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run([*COMMAND, "versions", "nothing"], stderr=full, check=False)
    assert ended.returncode == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("", "--url", "http://a.example"), "no name"),
        (("a\nb", "--url", "http://a.example"), "no name"),
        (("x", "--url", "http://a.example", "--key", "sk-canary"), "The new profile"),
    ],
)
def test_a_profile_that_is_none_is_not_written(arguments: tuple[str, ...], said: str) -> None:
    ran = run("config", "add", *arguments)
    assert ran.code == 2
    assert said in ran.err
    assert "canary" not in ran.err
    assert not paths.config_file().exists()
