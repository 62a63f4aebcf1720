"""The reader against the standard, in every chunking, and within its bounds."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowdbg.errors import EventTooLarge
from flowdbg.transport.event_stream import EventStreamReader, ServerSentEvent
from tests.transport.event_stream_cases import CASES, JSON_EVENT, Case
from tests.transport.plain_event_stream import read_plainly

Outcome = tuple[list[ServerSentEvent], str, int | None]

by_name = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def read(chunks: Iterable[bytes], limit: int = 1 << 26) -> Outcome:
    reader = EventStreamReader(limit)
    events = [event for chunk in chunks for event in reader.feed(chunk)]
    reader.close()
    return events, reader.last_event_id, reader.retry


def in_chunks(stream: bytes, size: int) -> list[bytes]:
    return [stream[at : at + size] for at in range(0, len(stream), size)]


def read_or_refuse(chunks: Iterable[bytes], limit: int) -> list[ServerSentEvent | str]:
    """The events in front of the limit, and a mark where the reader refused to go on."""
    reader = EventStreamReader(limit)
    seen: list[ServerSentEvent | str] = []
    try:
        for chunk in chunks:
            seen += reader.feed(chunk)
        reader.close()
    except EventTooLarge:
        seen.append("too large")
    return seen


@by_name
def test_each_case_means_the_same_in_chunks_of_every_size(case: Case) -> None:
    expected = ([ServerSentEvent(*event) for event in case.events], case.last_id, case.retry)
    assert read([case.stream]) == expected
    for size in (1, 2, 3, 5, 7, 16, 64, 1000, 4096):
        assert read(in_chunks(case.stream, size)) == expected, f"in chunks of {size}"


@by_name
def test_each_case_means_the_same_when_cut_in_two_anywhere(case: Case) -> None:
    expected = ([ServerSentEvent(*event) for event in case.events], case.last_id, case.retry)
    stride = 1 if len(case.stream) < 600 else 37
    for cut in range(0, len(case.stream) + 1, stride):
        pieces = [case.stream[:cut], b"", case.stream[cut:]]
        assert read(pieces) == expected, f"cut at {cut}"


@by_name
def test_the_table_agrees_with_the_rules_written_down_plainly(case: Case) -> None:
    assert read_plainly(case.stream) == (case.events, case.last_id, case.retry)


PIECES = st.sampled_from(
    [b"\n", b"\r", b"\r\n", b"\n\n", b"data", b"event", b"id", b"retry", b":", b": ", b" ", b"1",
     b"x", b"\0", b"\xef\xbb\xbf", b"\xe2\x82\xac", b"\xf0\x9f", b"\xff", b"data: a\n\n",
     b"event: e\ndata: ", b"y" * 1100, b": ping\n", b"\n: ping\n: ping\n", b"\ndata: b\n"]
)  # fmt: skip
STREAMS = st.lists(PIECES, max_size=40).map(b"".join)
CUTS = st.lists(st.integers(0, 4000), max_size=12)


def cut_at(stream: bytes, cuts: list[int]) -> list[bytes]:
    marks = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    return [stream[start:end] for start, end in itertools.pairwise(marks)]


@settings(max_examples=300)
@given(STREAMS, CUTS)
def test_any_stream_in_any_chunking_follows_the_rules(stream: bytes, cuts: list[int]) -> None:
    events, last_id, retry = read(cut_at(stream, cuts))
    assert ([tuple(event) for event in events], last_id, retry) == read_plainly(stream)


@settings(max_examples=300)
@given(STREAMS, CUTS, st.integers(1, 60))
def test_the_limit_is_met_at_the_same_event_in_any_chunking(
    stream: bytes, cuts: list[int], limit: int
) -> None:
    whole = read_or_refuse([stream], limit)
    assert read_or_refuse(cut_at(stream, cuts), limit) == whole
    assert read_or_refuse(in_chunks(stream, 1), limit) == whole


@pytest.mark.parametrize("size", [1, 10, 4096])
def test_an_event_of_exactly_the_limit_passes_and_one_byte_more_does_not(size: int) -> None:
    event = b"event: x\ndata: " + b"y" * 100 + b"\n"
    chunks = in_chunks(event + b"\n", size)
    assert read(chunks, limit=len(event))[0][0].data == "y" * 100
    with pytest.raises(EventTooLarge, match="larger than 115 bytes"):
        read(chunks, limit=len(event) - 1)


def test_events_in_front_of_an_event_that_is_too_large_are_delivered_first() -> None:
    reader = EventStreamReader(100)
    assert len(reader.feed(JSON_EVENT * 2 + b"data: " + b"y" * 200)) == 2
    with pytest.raises(EventTooLarge):
        reader.feed(b"")
    with pytest.raises(EventTooLarge):
        reader.close()


def test_a_whole_event_that_is_too_large_is_refused_behind_delivered_ones() -> None:
    reader = EventStreamReader(100)
    events = reader.feed(JSON_EVENT + b"data: " + b"y" * 200 + b"\n\n" + JSON_EVENT)
    assert len(events) == 1
    with pytest.raises(EventTooLarge):
        reader.close()


def test_comments_never_add_up_to_an_event_that_is_too_large() -> None:
    reader = EventStreamReader(64)
    assert reader.feed(b"data: a\n") == []
    for _ in range(1000):
        assert reader.feed(b": still here\n: ") == []
    assert [event.data for event in reader.feed(b"\ndata: b\n\n")] == ["a\nb"]


@pytest.mark.parametrize("before", [b"", b"data: x\n\n"])
def test_comments_in_front_of_an_event_are_no_part_of_its_size(before: bytes) -> None:
    reader = EventStreamReader(10)
    reader.feed(before)
    for _ in range(3):
        assert reader.feed(b": 345678\n") == []
    assert [event.data for event in reader.feed(b"data: 789\n\n")] == ["789"]


@pytest.mark.parametrize("size", [1, 8, 100])
def test_an_event_of_exactly_the_limit_passes_beside_comments(size: int) -> None:
    stream = b": 34567\ndata: 7890123456\n\n"
    assert read(in_chunks(stream, size), limit=17)[0][0].data == "7890123456"
    assert read_or_refuse(in_chunks(stream, size), 16) == ["too large"]


def test_a_limit_that_was_passed_is_said_at_once_and_ends_the_reader() -> None:
    reader = EventStreamReader(100)
    for chunk in (b"data: " + b"y" * 200, JSON_EVENT):
        with pytest.raises(EventTooLarge):
            reader.feed(chunk)


def test_many_small_events_are_not_one_large_event() -> None:
    assert len(read([JSON_EVENT * 50], limit=100)[0]) == 50


def test_memory_stays_within_the_limit_while_a_line_never_ends() -> None:
    chunk = b"y" * (1 << 16)
    tracemalloc.start()
    try:
        seen = read_or_refuse([chunk] * 100, 1 << 20)
        assert seen == ["too large"]
        assert tracemalloc.get_traced_memory()[1] < 3 << 20
    finally:
        tracemalloc.stop()


def test_memory_stays_small_when_a_line_comes_byte_by_byte() -> None:
    tracemalloc.start()
    try:
        assert read(in_chunks(b"data: " + b"y" * 50_000 + b"\n\n", 1))[0][0].data == "y" * 50_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # the list of one-byte chunks above takes eight bytes a piece; the reader adds few copies
    assert peak < 50_000 * 15


def test_the_tail_shows_what_was_never_delivered() -> None:
    reader = EventStreamReader()
    reader.feed(b"data: a\r\n\r\nevent: flow_completed\r\ndata: {}\r\n")
    assert reader.tail == b"event: flow_completed\ndata: {}\n"
    reader.close()
    assert reader.tail == b"event: flow_completed\ndata: {}\n"


def test_the_tail_is_empty_after_a_whole_event() -> None:
    reader = EventStreamReader()
    reader.feed(b"data: a\n\n\n")
    assert reader.tail == b""


def test_the_tail_of_a_started_byte_order_mark_is_kept() -> None:
    reader = EventStreamReader()
    reader.feed(b"\xef\xbb")
    assert reader.tail == b"\xef\xbb"


def test_a_closed_reader_takes_nothing_more() -> None:
    reader = EventStreamReader()
    reader.close()
    with pytest.raises(ValueError, match="closed"):
        reader.feed(b"data: a\n\n")
