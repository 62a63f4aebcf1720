"""What goes into a session comes out of it again: same order, same bytes, and once."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowdbg.core.json_text import JsonText
from flowdbg.core.records import Record
from flowdbg.errors import StoreError, UsageError
from flowdbg.store import SessionStore
from tests.store.samples import LARGE, event, read_session, request, write_session

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(2**63, 2**80)
    | st.floats(allow_nan=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
PIECES = st.one_of(
    ANY_TEXT,
    ANY_TEXT.map(JsonText),
    ANY_TEXT.map(lambda text: text * 3000),
    ANY_TEXT.map(lambda text: JsonText(text * 3000)),
)
RECORDS = st.builds(
    Record,
    kind=st.sampled_from(["event_received", "turn_started", "stopped"]),
    branch=st.integers(0, 3) | st.just(2**62),
    at=st.floats(allow_nan=False),
    meta=st.dictionaries(ANY_TEXT, JSON_VALUES, max_size=3),
    body=st.lists(PIECES, max_size=4).map(tuple),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(batches=st.lists(st.lists(RECORDS, max_size=5), max_size=4))
def test_records_come_back_identical_also_after_reopening(
    batches: list[list[Record]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("sessions")
    written = [record for batch in batches for record in batch]
    with SessionStore.create(directory, session_id="s", meta={}) as store:
        for batch in batches:
            store.append(batch)
        assert [stored.record for stored in store.read()] == written
    assert read_session(store.path) == written


def test_bodies_come_back_byte_for_byte(tmp_path: Path) -> None:
    odd = ["", "\0", "a\0b", "\ud800 lone", "\r\n", "é€😀", '{"n":1e400,"n":NaN}', "x" * 100_000]
    records = [event(1, body=(text,)) for text in odd] + [
        event(2, body=(JsonText(text), text, JsonText(text))) for text in odd
    ]
    assert read_session(write_session(tmp_path, records)) == records


def test_an_empty_body_and_an_empty_piece_are_told_apart(tmp_path: Path) -> None:
    records = [Record("stopped", 0, 1.0), Record("stopped", 0, 1.0, {}, ("",))]
    assert read_session(write_session(tmp_path, records)) == records


def test_sequences_have_no_gaps_and_parents_follow_the_branches(tmp_path: Path) -> None:
    with SessionStore.create(tmp_path, session_id="s", meta={}) as store:
        assert store.append([event(1), event(2)]) == range(1, 3)
        assert store.append([]) == range(3, 3)
        assert store.append([event(3, branch=1), event(4), event(5, branch=1)]) == range(3, 6)
    with SessionStore.open(store.path) as store:
        assert store.append([event(6), event(7, branch=2)]) == range(6, 8)
        stored = list(store.read())
    assert [one.sequence for one in stored] == [1, 2, 3, 4, 5, 6, 7]
    assert [one.parent for one in stored] == [0, 1, 2, 2, 3, 4, 6]
    assert {one.schema for one in stored} == {1}


def test_reading_can_begin_behind_a_record(tmp_path: Path) -> None:
    path = write_session(tmp_path, [event(n) for n in range(600)])
    with SessionStore.open(path) as store:
        assert [one.sequence for one in store.read(after=597)] == [598, 599, 600]
        assert list(store.read(after=600)) == []


def test_a_large_piece_is_stored_once_however_often_it_is_sent(tmp_path: Path) -> None:
    outputs = [JsonText(f'"{n}{"x" * 50_000}"') for n in range(20)]
    records = [request(turn, *outputs[:turn]) for turn in range(1, 21)]
    path = write_session(tmp_path, records)
    assert path.stat().st_size < 2 * 20 * 50_000  # 210 copies would be 10 MB
    again = read_session(path)
    assert again == records
    assert again[-1].body[2] is again[1].body[2], "a piece is read once and shared"


def test_equal_pieces_from_different_sources_are_stored_once(tmp_path: Path) -> None:
    with SessionStore.create(tmp_path, session_id="s", meta={}) as store:
        store.append([request(1, LARGE)])
    with SessionStore.open(store.path) as store:
        store.append([request(2, JsonText(str(LARGE.text)))])
    with sqlite3.connect(store.path) as connection:
        assert connection.execute("SELECT count(*) FROM pieces").fetchone() == (1,)
    connection.close()


def test_a_session_that_is_read_while_it_grows_gives_everything(tmp_path: Path) -> None:
    with SessionStore.create(tmp_path, session_id="s", meta={}) as store:
        store.append([event(n) for n in range(300)])
        reading = store.read()
        first = [next(reading) for _ in range(10)]
        store.append([event(n) for n in range(300, 310)])
        rest = list(reading)
    assert [one.sequence for one in first + rest] == list(range(1, 311))


def test_the_title_changes_by_key_and_survives(tmp_path: Path) -> None:
    with SessionStore.create(tmp_path, session_id="s", meta={"title": "a", "flow": "f"}) as store:
        assert store.append([], {"title": "b \ud800", "n": 2**70}) == range(1, 1)
        assert store.meta == {"title": "b \ud800", "flow": "f", "n": 2**70}
    with SessionStore.open(store.path, read_only=True) as again:
        assert again.meta == {"title": "b \ud800", "flow": "f", "n": 2**70}


def test_drafts_are_kept_replaced_and_forgotten(tmp_path: Path) -> None:
    with SessionStore.create(tmp_path, session_id="s", meta={}) as store:
        assert store.drafts.load("output:a") is None
        store.drafts.save("output:a", "half \ud800 a")
        store.drafts.save("output:a", "half a text\0")
        store.drafts.save("block:\ud800", "")
    with SessionStore.open(store.path) as store:
        assert store.drafts.load("output:a") == "half a text\0"
        assert store.drafts.load("block:\ud800") == ""
        assert store.drafts.keys() == ["block:\ud800", "output:a"]
        store.drafts.delete("output:a")
        store.drafts.delete("never there")
        assert store.drafts.keys() == ["block:\ud800"]


def test_what_is_no_json_is_refused_and_leaves_the_session_usable(tmp_path: Path) -> None:
    with SessionStore.create(tmp_path, session_id="s", meta={}) as store:
        with pytest.raises(ValueError, match="not JSON"):
            store.append([event(1), Record("stopped", 0, 1.0, {"x": object()})])
        assert store.append([event(2)]) == range(1, 2)
        assert [stored.record for stored in store.read()] == [event(2)]


def test_threads_can_append_and_read_at_the_same_time(tmp_path: Path) -> None:
    with SessionStore.create(tmp_path, session_id="s", meta={}) as store:
        barrier = threading.Barrier(4)

        def write(branch: int) -> list[int]:
            barrier.wait()
            return [n for number in range(20) for n in store.append([event(number, branch)] * 3)]

        def look(_: int) -> int:
            barrier.wait()
            return max((one.sequence for _ in range(20) for one in store.read()), default=0)

        with ThreadPoolExecutor(4) as pool:
            writers = [pool.submit(write, branch) for branch in range(3)]
            pool.submit(look, 0).result()
            numbers = [n for writer in writers for n in writer.result()]
        assert sorted(numbers) == list(range(1, 181))
        stored = list(store.read())
    for branch in range(3):
        chain = [one for one in stored if one.record.branch == branch]
        assert [one.parent for one in chain[1:]] == [one.sequence for one in chain[:-1]]


def test_an_id_can_be_used_once(tmp_path: Path) -> None:
    write_session(tmp_path, [event(1)])
    with pytest.raises(UsageError, match="already a session s-1"):
        SessionStore.create(tmp_path, session_id="s-1", meta={})
    assert read_session(tmp_path / "s-1.flowdbg") == [event(1)]


def test_a_closed_session_says_so(tmp_path: Path) -> None:
    store = SessionStore.create(tmp_path, session_id="s", meta={})
    reading = store.read()
    store.append([event(1)] * 300)
    next(reading)
    store.close()
    store.close()
    for use in (lambda: store.append([event(1)]), lambda: list(reading), lambda: store.meta):
        with pytest.raises(StoreError, match="The session s is closed"):
            use()


def test_idle_checkpoints_empty_the_log_and_change_nothing(tmp_path: Path) -> None:
    with SessionStore.create(tmp_path, session_id="s", meta={}) as store:
        store.append([event(n) for n in range(1000)])
        size = store.path.stat().st_size
        store.checkpoint()
        assert store.path.stat().st_size > size
        assert store.append([event(1000)]) == range(1001, 1002)
        assert len(list(store.read())) == 1001


def test_reading_needs_no_rights_to_write(tmp_path: Path) -> None:
    path = write_session(tmp_path, [event(1)])
    with SessionStore.open(path, read_only=True) as store:
        assert store.read_only
        for write in (
            lambda: store.append([event(2)]),
            lambda: store.drafts.save("k", "t"),
        ):
            with pytest.raises(StoreError, match="open read-only"):
                write()
        store.checkpoint()
