"""`flowdbg sessions salvage`: what is readable of a damaged session, in a new one."""

from __future__ import annotations

import asyncio

import pytest

from flowdbg.cli.opening import open_stored
from flowdbg.config import paths
from flowdbg.errors import SessionUnreadable
from flowdbg.store import list_sessions, session_path
from tests.cli.program import run
from tests.cli.test_compare import made
from tests.store.test_damage import tamper


def test_a_damaged_session_is_copied_and_its_file_left_as_it_is(base: str) -> None:
    session = made(base, "-m", "Ann")
    path = session_path(paths.sessions_dir(), session)
    tamper(path, "UPDATE records SET body = x'7b7d' WHERE kind = 'event_received' AND sequence < 9")
    damaged = path.read_bytes()
    refused = run("sessions", "compare", session, session)
    assert refused.code == 2
    assert "flowdbg sessions salvage" in refused.err

    ran = run("sessions", "salvage", session)
    assert ran.code == 0, ran.err
    assert "lost" in ran.out
    assert f"flowdbg sessions open {session}-salvaged-1" in ran.out
    assert path.read_bytes() == damaged
    saved = f"{session}-salvaged-1"
    assert run("sessions", "compare", saved, saved).code == 0
    assert {one.session_id for one in list_sessions(paths.sessions_dir())} == {session, saved}


def test_a_file_of_which_nothing_is_readable_is_said_to_be_so(base: str) -> None:
    del base
    paths.sessions_dir().mkdir(parents=True)
    session_path(paths.sessions_dir(), "broken").write_bytes(bytes(4096))
    ran = run("sessions", "salvage", "broken")
    assert ran.code != 0
    assert "Nothing in" in ran.err


def test_a_session_that_no_longer_names_its_flow_is_refused_in_words(base: str) -> None:
    session = made(base, "-m", "Ann")
    path = session_path(paths.sessions_dir(), session)
    tamper(path, "UPDATE properties SET value = CAST('{}' AS BLOB) WHERE name = 'meta'")

    async def opened() -> None:
        async with open_stored(path):
            pass

    with pytest.raises(SessionUnreadable, match="does not tell any more which flow it ran on"):
        asyncio.run(opened())
