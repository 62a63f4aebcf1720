"""What a full disk did not take is saved by itself when there is room again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from flowdbg.core.json_text import JsonText
from flowdbg.debugger import Debugger, journal
from flowdbg.errors import NotSaved
from flowdbg.store import SessionStore, session_path
from tests.faults.scenarios import GOOD
from tests.faults.server import FaultServer
from tests.faults.test_debugger_faults import open_on


class Disk:
    """A disk that is full or not, under every session."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        append, set_meta = SessionStore.append, SessionStore.set_meta

        def appending(store: SessionStore, records: object) -> object:
            self._check()
            return append(store, records)  # type: ignore[arg-type] # handed through

        def noting(store: SessionStore, changes: object) -> None:
            self._check()
            set_meta(store, changes)  # type: ignore[arg-type] # handed through

        monkeypatch.setattr(SessionStore, "append", appending)
        monkeypatch.setattr(SessionStore, "set_meta", noting)
        monkeypatch.setattr(journal, "_AGAIN", 0.01)

    def _check(self) -> None:
        if self.full:
            raise NotSaved("Not saved: no room.", "Make room and try again.")


async def saved(debugger: Debugger) -> None:
    """Wait until the observers are told that everything is on disk."""
    async for change in debugger.subscribe():
        if not change.unsaved:
            return


async def test_what_was_not_saved_is_saved_without_a_further_verb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FaultServer(GOOD) as fault:
        debugger = await open_on(fault, tmp_path)
        disk = Disk(monkeypatch)
        await debugger.step()
        disk.full = True
        await debugger.edit_output("one", JsonText("1"))
        await debugger.toggle_breakpoint("one")
        assert "no room" in debugger.unsaved
        disk.full = False
        await asyncio.wait_for(saved(debugger), 40)
        assert debugger.unsaved == ""
        with SessionStore.open(session_path(tmp_path / "sessions", "s"), read_only=True) as store:
            kinds = [stored.record.kind for stored in store.read()]
        assert kinds[-2:] == ["output_edited", "breakpoint_set"]
        session = debugger.session
        await debugger.close()
    store = SessionStore.open(session_path(tmp_path / "sessions", "s"))
    again = await Debugger.resume(debugger.target, store)
    assert again.session == session
    await again.close()


async def test_closing_tries_a_last_time_and_writes_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FaultServer(GOOD) as fault:
        debugger = await open_on(fault, tmp_path)
        disk = Disk(monkeypatch)
        disk.full = True
        for _ in range(5):
            await debugger.toggle_breakpoint("one")
        disk.full = False
        session = debugger.session
        await debugger.close()
    store = SessionStore.open(session_path(tmp_path / "sessions", "s"))
    again = await Debugger.resume(debugger.target, store)
    assert again.session == session
    assert [stored.record.kind for stored in store.read()].count("breakpoint_set") == 5
    await again.close()


async def test_a_disk_that_stays_full_does_not_hold_up_closing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FaultServer(GOOD) as fault:
        debugger = await open_on(fault, tmp_path)
        disk = Disk(monkeypatch)
        disk.full = True
        await debugger.toggle_breakpoint("one")
        await asyncio.wait_for(debugger.close(), 40)
        assert "no room" in debugger.unsaved
