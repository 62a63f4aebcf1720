"""After `kill -9` the screen comes back as it was: step, pane, scroll, breakpoint, edit, draft."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

from flowdbg.config import paths
from flowdbg.store import SessionStore, list_sessions
from tests.e2e.terminal import PATIENCE, Terminal

FLOW = """\
flow: acme/tests/lines
steps:
  - id: lines
    name: Many lines
    kind: code
    code: "return {'text': '\\\\n'.join([f'line {number}' for number in range(300)])}"
  - id: second
    name: Second
    kind: code
    code: "return {'done': True}"
  - id: third
    name: Third
    kind: passthrough
"""


def kept_place(file: Path) -> dict[str, Any]:
    """Where the program has written that the person stands."""
    store = SessionStore.open(file, read_only=True)
    try:
        return dict(json.loads(store.drafts.load("place") or "{}"))
    finally:
        store.close()


def until_kept(file: Path, pane: str, offset: int) -> None:
    """Wait until the place on disk is this one."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        place = kept_place(file)
        views = place.get("views", {})
        if place.get("pane") == pane and views.get("detail output") == [offset]:
            return
        time.sleep(0.05)
    raise AssertionError(f"kept: {kept_place(file)}")


def test_kill_9_loses_nothing_of_where_one_stood(tmp_path: Path) -> None:
    flow = tmp_path / "lines.flow.yaml"
    flow.write_text(FLOW, encoding="utf-8")
    with Terminal("debug", str(flow), "-m", "hi", columns=120, rows=36) as terminal:
        terminal.until("PAUSED")
        terminal.press("n")
        terminal.until("before 2/3")
        terminal.press("3")  # another pane than the one that is left
        terminal.press("1")
        terminal.press("j", "j", "b")
        terminal.until("before Third")
        terminal.press("k", "i", "x")
        terminal.press("\x1b")
        terminal.until("Kept as a draft")
        terminal.press("k")
        terminal.until("││ line 0 ")
        terminal.press("2", *"jjjjjjj")
        terminal.until(lambda text: "││ line 7 " in text and "││ line 6 " not in text)
        [summary] = list_sessions(paths.sessions_dir())
        until_kept(summary.path, "detail", sum(len(f"line {at}\n") for at in range(7)))
        terminal.signal(signal.SIGKILL)
    with Terminal("sessions", "open", summary.session_id, columns=120, rows=36) as terminal:
        stood = ("││ line 7 ", "before 2/3", "2 Many lines", "before Third")
        terminal.until(
            lambda text: all(said in text for said in stood) and "││ line 6 " not in text
        )
        terminal.press("j")
        terminal.until(lambda text: "││ line 8 " in text and "││ line 7 " not in text)
        terminal.press("1", "j", "i")
        terminal.until("what you typed before")
        terminal.press("\x1b")
        terminal.until("Kept as a draft")
        assert terminal.leave("q") == 0
