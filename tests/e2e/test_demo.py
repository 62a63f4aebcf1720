"""The demo in a real terminal: find the fault, override it, see the end come out right."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from flowdbg.config import paths
from flowdbg.core.fold import apply_all
from flowdbg.core.recording import from_record
from flowdbg.core.session import Session, State
from flowdbg.dialects.noukai.decode import decode
from flowdbg.engine.models.store import model_path
from flowdbg.store import SessionStore, list_sessions
from tests.e2e.terminal import Terminal
from tests.engine.conftest import model_cache

__all__ = ["model_cache"]

RIGHT = {
    "items": [
        {"from": "Ines Okafor", "kind": "broken"},
        {"from": "Tom Lindqvist", "kind": "question"},
        {"from": "Mara Vidal", "kind": "thanks"},
    ]
}
SELECT_TO_END = "\x1b[1;2B" * 20 + "\x1b[1;2F"
"""Shift+down and shift+end; the editor opens at its beginning."""


@pytest.fixture
def offline_model(model_cache: Path, empty_home: Path) -> None:
    """The model where the program looks for it, so that the demo need not fetch it."""
    here = model_path(model_cache)
    assert here is not None
    target = paths.cache_dir() / here.relative_to(model_cache)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(here, target)


def stored_session() -> Session:
    [summary] = list_sessions(paths.sessions_dir())
    with SessionStore.open(summary.path) as store:
        entries = [from_record(stored.record, decode) for stored in store.read()]
    return apply_all(Session(), entries)


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 36)])
def test_a_newcomer_finds_the_fault_and_sees_another_end(
    offline_model: None, columns: int, rows: int
) -> None:
    with Terminal("demo", columns=columns, rows=rows) as terminal:
        terminal.until("PAUSED")
        terminal.press("n")
        terminal.until("before 2/4")
        terminal.press("E")
        terminal.until("DONE")
        terminal.press("G")
        terminal.until("Send again (0.00 EUR): nothing")
        terminal.press("R")
        terminal.until("before 1/4")
        terminal.press("n")
        terminal.until("before 2/4")
        terminal.press("g", "i")
        terminal.until("JSON ok")
        terminal.press(SELECT_TO_END, json.dumps(RIGHT), "\x13")
        terminal.until(lambda text: "±" in text and "^s Apply" not in text)
        terminal.press("E")
        terminal.until("DONE")
        terminal.press("G")
        terminal.until("Send again (24.90 EUR): blue vase")
        assert terminal.leave("q") == 0
    session = stored_session()
    assert session.state is State.DONE
    before, after = session.branches
    assert "Send again (0.00 EUR): nothing" in before.outputs["note"].value["text"]
    assert "Send again (24.90 EUR): blue vase to Ines Okafor" in after.outputs["note"].value["text"]
    assert after.outputs["sort"].value != RIGHT
    assert session.output_edits["sort"].value == RIGHT
