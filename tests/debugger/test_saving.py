"""What a full disk did not take is saved by itself when there is room again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from flowdbg.core.json_text import JsonText
from flowdbg.debugger import Debugger, journal
from flowdbg.errors import NotSaved
from flowdbg.store import SessionStore, list_sessions, session_path
from tests.faults.scenarios import GOOD
from tests.faults.server import HANG, FaultServer, sse, stream_of
from tests.faults.test_debugger_faults import open_on


class Disk:
    """A disk that is full or not, under every session."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        append = SessionStore.append

        def appending(store: SessionStore, *given: Any) -> object:
            if self.full:
                raise NotSaved("Not saved: no room.", "Make room and try again.")
            return append(store, *given)

        monkeypatch.setattr(SessionStore, "append", appending)
        monkeypatch.setattr(journal, "_AGAIN", 0.01)


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
        await asyncio.wait_for(saved(debugger), 60)
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
        await asyncio.wait_for(debugger.close(), 60)
        assert "no room" in debugger.unsaved


async def test_a_list_of_sessions_shows_where_a_killed_debugger_stood(tmp_path: Path) -> None:
    second = stream_of(sse("step_completed", {"stepId": "two", "output": 2}))
    async with FaultServer(GOOD, [*second[:-1], HANG]) as fault:
        debugger = await open_on(fault, tmp_path)
        running = asyncio.create_task(debugger.continue_())
        async for change in debugger.subscribe():
            if len(change.session.branch.outputs) == 2:
                break
        (listed,) = list_sessions(tmp_path / "sessions")
        assert (listed.meta["cursor"], listed.meta["state"]) == (2, "running")
        debugger.cancel()
        await running
        await debugger.close()
