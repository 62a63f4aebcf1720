"""Every key of the registry of actions, pressed in tmux, does what it says on the screen."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowdbg.tui.actions import BY_ID
from tests.debugger.flows import write_flow

PATIENCE = 40.0


def gone(text: str) -> str:
    """A pattern for a screen on which a text no longer stands."""
    return rf"(?s)\A(?!.*{text})"


WALK: list[tuple[str, str, str]] = [
    ("run.step", "n", r"before 2/3"),
    ("view.goto-next", "H", r"This step runs next"),
    ("view.next-tab", "v", r"Its input is known when it runs"),
    ("view.previous-tab", "V", r"This step runs next"),
    ("breakpoint.toggle", "b", r"● ?▶"),
    ("edit.output", "i", r"Output of summarise"),
    ("editor.turn", "C-t", r"JSON|text"),
    ("editor.back", "Escape", r"This step runs next|draft"),
    ("edit.block", "o", r"Block of summarise"),
    ("editor.next-field", "F8", r"scripted/talk"),
    ("editor.previous-field", "F7", r"Summarise"),
    ("editor.external", "C-e", r"written outside"),
    ("editor.reset", "C-r", r"Summarise"),
    ("editor.external", "C-e", r"written outside"),
    ("editor.apply", "C-s", r"(?s)±.*written outside|±"),
    ("view.diff", "D", r"prompt"),
    ("edit.clear", "x", r"edit taken back"),
    ("edit.undo", "U", r"(?s)edit taken back.*block edited"),
    ("edit.clear-all", "X", r"(?s)block edited.*edit taken back"),
    ("edit.external", "C-e", r"output edited"),
    ("run.skip", "s", r"PAUSED.*before 3/3"),
    ("run.to-selected", "t", r"does not lie"),
    ("run.continue", "c", r"DONE "),
    ("run.cancel", "C-c", r"[Nn]othing is running|q"),
    ("run.retry", "r", r"DONE .*retry #1"),
    ("run.fork", "F", r"(?s)PAUSED.*fork #\d"),
    ("run.to-end", "E", r"DONE "),
    ("view.branches", "B", r"#1 retry of"),
    ("branches.mark", "Space", r"≠.*#\d"),
    ("branches.help", "?", r"BRANCHES"),
    ("editor.back", "Escape", gone("BRANCHES")),
    ("branches.session", "S", r"no other session"),
    ("branches.fork", "F", r"at its end|goes on"),
    ("branches.search", "/", r"regular expression"),
    ("", "retry", r"/retry +1/1"),
    ("", "Enter", gone("1/1")),
    ("branches.search-next", ".", r"#1 retry of"),
    ("branches.search-previous", ",", r"#1 retry of"),
    ("branches.compare", "D", r"Steps.*\n.*the run"),
    ("compare.back", "Escape", gone("the run")),
    ("branches.look", "Enter", r"VIEWING.*retry #1"),
    ("view.goto-next", "H", gone("VIEWING")),
    ("view.branches", "B", r"#1 retry of"),
    ("branches.back", "Escape", r"4 Edits"),
    ("view.compare", "C", r"the run"),
    ("compare.next-view", "v", r"input: #|block: #"),
    ("compare.previous-view", "V", r"output: #"),
    ("compare.help", "?", r"COMPARE"),
    ("editor.back", "Escape", gone("COMPARE")),
    ("compare.left-back", "[", r"#0 attempt|no other attempt"),
    ("compare.left-on", "]", r"#\d attempt|no other attempt"),
    ("compare.right-back", "{", r"#\d attempt|no other attempt"),
    ("compare.right-on", "}", r"#\d attempt|no other attempt"),
    ("compare.next", "n", r"the run"),
    ("compare.previous", "N", r"the run"),
    ("compare.only", "o", r"Steps"),
    ("compare.only", "o", r"the run"),
    ("compare.search", "/", r"regular expression"),
    ("", "count", r"/count +1/1"),
    ("", "Enter", gone("1/1")),
    ("compare.search-next", ".", r"the run"),
    ("compare.search-previous", ",", r"the run"),
    ("compare.swap", "s", r"the run"),
    ("compare.copy", "y", r"Copied|copy"),
    ("compare.session", "S", r"no other session"),
    ("compare.back", "Escape", r"4 Edits"),
    ("view.earlier", "[", r"VIEWING"),
    ("view.later", "]", gone("VIEWING")),
    ("run.restart", "R", r"before 1/3"),
    ("run.pin", "P", r"[Pp]inned"),
    ("tools.answer", "a", r"tool"),
    ("view.plan-change", "N", r"plan did not change"),
    ("run.inputs", "m", r"tab next field"),
    ("editor.back", "Escape", gone("tab next field")),
    ("view.as-text", "C-t", r"before 1/3"),
    ("copy.value", "y", r"Copied|copy"),
    ("copy.path", "Y", r"Copied|copy"),
    ("pane.outputs", "3", r"3 Outputs"),
    ("pane.edits", "4", r"4 Edits"),
    ("pane.events", "5", r"5 Events"),
    ("pane.detail", "2", r"Output"),
    ("pane.flow", "1", r"1 Flow"),
    ("pane.zoom", "z", r"(?s)\A(?!.*5 Events)"),
    ("pane.zoom", "z", r"5 Events"),
    ("pane.grow", "+", r"1 Flow"),
    ("pane.shrink", "-", r"1 Flow"),
    ("pane.reset", "=", r"1 Flow"),
    ("pane.jump", "C-o", r"1 Flow"),
    ("editor.back", "Escape", r"before 1/3"),
    ("search.start", "/", r"regular expression"),
    ("", "count", r"/count +1/1"),
    ("", "Enter", r"n Step"),
    ("search.next", ".", r"count · code"),
    ("search.previous", ",", r"count · code"),
    ("app.palette", ":", r"type to find"),
    ("editor.back", "Escape", gone("type to find")),
    ("app.help", "?", r"1 FLOW"),
    ("editor.back", "Escape", gone("1 FLOW")),
    ("app.theme", "T", r"high-contrast"),
    ("editor.back", "Escape", gone("high-contrast")),
    ("app.redraw", "C-l", r"n Step"),
    ("view.pager", "p", r"n Step"),
    ("app.sessions", "S", r"flowdbg  sessions"),
    ("sessions.find", "/", r"type to find"),
    ("", "Escape", gone("type to find")),
    ("sessions.help", "?", r"SESSIONS"),
    ("", "Escape", gone("SESSIONS")),
    ("sessions.remove", "d", r"It is open here"),
    ("sessions.open", "Enter", r"n Step"),
    ("app.sessions", "S", r"flowdbg  sessions"),
    ("sessions.back", "Escape", r"n Step"),
    ("app.suspend", "C-z", gone("n Step")),
]


class Tmux:
    """A terminal in tmux, on a server of its own."""

    def __init__(self, folder: Path) -> None:
        self._socket = str(folder / "tmux")

    def __call__(self, *arguments: str) -> str:
        command = ["tmux", "-S", self._socket, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def until(self, wanted: str) -> None:
        """Wait until the screen matches."""
        end = time.monotonic() + PATIENCE
        while not re.search(wanted, screen := self("capture-pane", "-p", "-t", "main")):
            assert time.monotonic() < end, f"waited for {wanted}; the screen is:\n{screen}"
            time.sleep(0.05)


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    terminal = Tmux(tmp_path)
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf \'"written outside"\' > "$1"\n')
    editor.chmod(0o700)
    flow = write_flow(tmp_path)
    program = f"{sys.executable} -m flowdbg debug {flow} -m hello"
    environment = {**os.environ, "EDITOR": str(editor), "PAGER": "cat", "SHELL": "/bin/sh"}
    size = ["-x", "120", "-y", "36"]
    shell = f"{program}; echo ENDED $?; sleep 600"
    start = ["new-session", "-d", "-s", "main", *size, shell]
    command = ["tmux", "-S", str(tmp_path / "tmux"), "-f", "/dev/null", *start]
    subprocess.run(command, env=environment, check=True)
    try:
        yield terminal
    finally:
        terminal("kill-server")


def test_the_walk_presses_every_action_that_has_a_key() -> None:
    keyed = {action.id for action in BY_ID.values() if action.keys}
    walked = {action_id for action_id, _, _ in WALK if action_id}
    assert walked == keyed - {"app.quit"}


def test_every_key_does_what_it_says(tmux: Tmux) -> None:
    tmux.until("before 1/3")
    for action_id, key, wanted in WALK:
        tmux("send-keys", "-t", "main", key)
        if key == "Escape":
            time.sleep(0.3)  # a terminal takes escape and a key close behind it as alt+key
        try:
            tmux.until(wanted)
        except AssertionError as error:
            raise AssertionError(f"{action_id} ({key}): {error}") from error
    foreground = int(tmux("display-message", "-p", "-t", "main", "#{pane_pid}"))
    os.killpg(foreground, signal.SIGCONT)
    tmux.until("(?s)PAUSED.*count · code.*n Step")
    tmux("send-keys", "-t", "main", "q")
    tmux.until("ENDED 0")
