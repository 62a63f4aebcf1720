"""Streams that break: what came stays, and nothing is sent again (rows 1 to 6)."""

from __future__ import annotations

import pytest

from flowdbg.errors import (
    ProtocolViolation,
)
from tests.faults.posting import (
    OUTPUT,
    PAUSED,
    STARTED,
    assert_interrupted,
    post_against,
)
from tests.faults.server import (
    CLOSE,
    HALF_CLOSE,
    HANG,
    RESET,
    STREAM_HEAD,
    chunk,
    head,
    stream_of,
)


async def test_a_well_behaved_stream_ends_in_order() -> None:
    outcome = await post_against(stream_of(STARTED, OUTPUT, PAUSED))
    assert outcome.names == ["run_started", "step_output", "step_paused"]
    assert outcome.error is None


# 1
@pytest.mark.parametrize(
    "cut",
    [chunk(OUTPUT)[:20], b"ff\r\n" + OUTPUT[:30], chunk(OUTPUT), b""],
    ids=["inside a chunk", "in a longer chunk", "after a whole chunk", "after the first event"],
)
async def test_a_chunked_stream_cut_off_keeps_its_whole_events(cut: bytes) -> None:
    outcome = await post_against([STREAM_HEAD, chunk(STARTED), cut, CLOSE])
    assert outcome.names[0] == "run_started"
    assert "step_paused" not in outcome.names
    assert_interrupted(outcome, "cut the answer off in the middle")


# 2
async def test_a_stream_that_ends_with_its_connection_is_only_ended() -> None:
    outcome = await post_against([head(connection="close"), STARTED, OUTPUT, CLOSE])
    assert outcome.names == ["run_started", "step_output"]
    assert outcome.error is None


async def test_a_half_closed_connection_ends_the_stream() -> None:
    outcome = await post_against([head(connection="close"), STARTED, HALF_CLOSE, HANG])
    assert outcome.names == ["run_started"]
    assert outcome.error is None


# 3
async def test_a_missing_last_blank_line_leaves_the_event_in_the_tail() -> None:
    outcome = await post_against(stream_of(STARTED, PAUSED[:-1]))
    assert outcome.names == ["run_started"]
    assert outcome.error is None
    assert outcome.stream is not None
    assert outcome.stream.tail == PAUSED[:-1]


# 4
async def test_a_reset_in_the_stream_is_told_in_words() -> None:
    outcome = await post_against([STREAM_HEAD, chunk(STARTED), RESET])
    assert_interrupted(outcome, "was reset before the answer was complete")


async def test_a_reset_before_any_answer_is_an_unknown_outcome() -> None:
    outcome = await post_against([RESET])
    assert_interrupted(outcome, "was reset before the answer was complete")


async def test_a_connection_closed_without_an_answer_is_an_unknown_outcome() -> None:
    outcome = await post_against([CLOSE])
    assert_interrupted(outcome, "closed the connection without an answer")


# 5
async def test_an_announced_length_that_never_comes_says_how_much_came() -> None:
    outcome = await post_against([head(content_length="5000"), STARTED, CLOSE])
    assert outcome.names == ["run_started"]
    assert_interrupted(outcome, f"sent {len(STARTED)} of the 5000 bytes")


# 6
async def test_a_damaged_chunk_header_is_told_apart_from_a_cut() -> None:
    outcome = await post_against([STREAM_HEAD, chunk(STARTED), b"zz\r\n", CLOSE])
    assert outcome.names == ["run_started"]
    assert_interrupted(outcome, "a chunk header is not valid")


async def test_a_server_that_does_not_speak_http_is_named_so() -> None:
    outcome = await post_against([b"SSH-2.0-OpenSSH_9.2\r\n\r\n", CLOSE])
    assert type(outcome.error) is ProtocolViolation
    assert "does not speak HTTP" in str(outcome.error)
    assert "SSH-2.0-OpenSSH_9.2" in str(outcome.error)
