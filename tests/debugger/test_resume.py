"""Opening a stored session again: one that a newer version wrote is told and left as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowdbg.core.address import parse_address
from flowdbg.core.json_text import JsonText
from flowdbg.core.records import Record
from flowdbg.debugger import Debugger
from flowdbg.dialects.targets import make_target
from flowdbg.errors import SessionUnreadable
from flowdbg.store import SessionStore, session_path
from tests.debugger.flows import ADDRESS

OPENED = Record(
    "session_opened",
    0,
    1.0,
    {"session_id": "s", "dialect": "noukai", "url": "http://127.0.0.1:9", "address": ADDRESS},
    (JsonText("{}"),),
)
NEWER = {
    "an entry of an unknown kind": Record("watch_set", 0, 2.0, {"expression": "x"}),
    "an entry with an unknown field": Record(
        "stopped", 0, 2.0, {"reason": "user", "detail": "", "step_id": "", "thread": 3}
    ),
    "an entry without a field": Record("turn_ended", 0, 2.0, {"outcome": "paused"}),
    "an unknown reason to stop": Record("stopped", 0, 2.0, {"reason": "watchpoint"}),
    "a plan of another shape": Record("plan_loaded", 0, 2.0, {}, (JsonText('{"steps": 3}'),)),
    "a plan that is none": Record("plan_loaded", 0, 2.0, {}, (JsonText("[]"),)),
    "an edit of another shape": Record(
        "block_edited", 0, 2.0, {"step_id": "a", "names": ["prompt"]}, (JsonText("[1]"),)
    ),
}


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("newer", NEWER)
async def test_a_session_with_entries_of_a_newer_version_is_refused_and_left_as_it_is(
    tmp_path: Path, newer: str, read_only: bool
) -> None:
    with SessionStore.create(tmp_path, session_id="s", meta={}) as store:
        store.append([OPENED, NEWER[newer]])
    path = session_path(tmp_path, "s")
    before = path.read_bytes()
    target = make_target(
        "noukai", url="http://127.0.0.1:9", address=parse_address(ADDRESS), key=str
    )
    with SessionStore.open(path, read_only=read_only) as store:
        with pytest.raises(SessionUnreadable) as raised:
            await Debugger.resume(target, store, read_only="held" if read_only else "")
        assert "The session s has an entry that this version of flowdbg" in raised.value.what
        assert "newer flowdbg" in raised.value.next_step
    assert path.read_bytes() == before
    await target.aclose()
