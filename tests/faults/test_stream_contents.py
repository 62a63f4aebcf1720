"""Large, compressed and strange contents come whole or are refused (rows 16 to 23, 48, 49)."""

from __future__ import annotations

import asyncio
import tracemalloc
import zlib
from collections.abc import Sequence

import pytest

from flowdbg.errors import (
    EventTooLarge,
    ProtocolViolation,
)
from flowdbg.transport.client import HttpClient
from tests.faults.posting import (
    PAUSED,
    STARTED,
    post,
    post_against,
)
from tests.faults.server import (
    CLOSE,
    LAST_CHUNK,
    STREAM_HEAD,
    Drip,
    FaultServer,
    Script,
    chunk,
    head,
    sse,
    stream_of,
)


# 16
async def test_an_event_of_twenty_megabytes_comes_whole() -> None:
    big = sse("step_output", "y" * 20_000_000)
    outcome = await post_against(stream_of(STARTED, big, PAUSED))
    assert [len(event.data) for event in outcome.events][1] == 20_000_000
    assert outcome.names[2] == "step_paused"


async def test_an_event_without_end_is_refused_at_the_limit() -> None:
    script: Script = [STREAM_HEAD, chunk(STARTED), chunk(b"data: "),
              Drip(chunk(b"y" * 65536), 1 << 20, 0.0, None)]  # fmt: skip
    outcome = await post_against(script, limit=1 << 20)
    assert outcome.names == ["run_started"]
    assert type(outcome.error) is EventTooLarge
    assert "larger than 1048576 bytes" in str(outcome.error)


# 17
def flushed(events: Sequence[bytes], window: int) -> list[bytes]:
    """Each event compressed and flushed by itself, as a server does that compresses streams."""
    deflater = zlib.compressobj(wbits=window)
    return [deflater.compress(event) + deflater.flush(zlib.Z_SYNC_FLUSH) for event in events] + [
        deflater.flush()
    ]


@pytest.mark.parametrize(
    ("coding", "window"),
    [("gzip", 31), ("x-gzip", 31), ("deflate", 15), ("deflate", -15), ("GZIP", 31)],
    ids=["gzip", "x-gzip", "deflate", "bare deflate", "upper case"],
)
async def test_a_compressed_stream_delivers_each_event_as_it_is_flushed(
    coding: str, window: int
) -> None:
    first, second, end = flushed([STARTED, PAUSED], window)
    seen = asyncio.Event()
    script: Script = [
        head(transfer_encoding="chunked", content_encoding=coding), chunk(first), seen,
        chunk(second), chunk(end) if end else b"", LAST_CHUNK,
    ]  # fmt: skip
    async with (
        FaultServer(script) as fault,
        HttpClient(fault.url) as client,
        client.post_events("/step", b"{}") as stream,
    ):
        names = []
        async for event in stream:
            names.append(event.event)
            seen.set()  # the second event is only sent now
    assert names == ["run_started", "step_paused"]


async def test_two_codings_one_over_the_other_and_several_members_are_read() -> None:
    members = zlib.compress(STARTED, wbits=31) + zlib.compress(PAUSED, wbits=31) + b"\0\0"
    body = zlib.compress(members)
    outcome = await post_against(
        [head(content_encoding="gzip, deflate", content_length=str(len(body))), Drip(body, 7)]
    )
    assert outcome.names == ["run_started", "step_paused"]


async def test_a_damaged_compression_is_told_after_what_came_before() -> None:
    first, *_ = flushed([STARTED], 31)
    script: Script = [head(transfer_encoding="chunked", content_encoding="gzip"), chunk(first),
              chunk(b"\xff" * 50), LAST_CHUNK]  # fmt: skip
    outcome = await post_against(script)
    assert outcome.names == ["run_started"]
    assert type(outcome.error) is ProtocolViolation
    assert "damaged" in str(outcome.error)


async def test_a_compression_that_was_not_offered_is_refused() -> None:
    script: Script = [
        head(transfer_encoding="chunked", content_encoding="br"),
        chunk(b"?"),
        LAST_CHUNK,
    ]
    async with FaultServer(script) as fault:
        outcome = await post(fault)
    assert type(outcome.error) is ProtocolViolation
    assert "'br', which was not offered" in str(outcome.error)
    assert fault.requests[0].headers["accept-encoding"] == "gzip, deflate"


# 18
def bomb(size: int) -> bytes:
    """One event of so many bytes, compressed to a thousandth."""
    deflater = zlib.compressobj(9, wbits=31)
    block = b"y" * (1 << 20)
    pieces = [deflater.compress(b"data: ")]
    pieces += [deflater.compress(block) for _ in range(size >> 20)]
    return b"".join([*pieces, deflater.flush()])


async def test_a_compressed_bomb_is_refused_before_memory_grows() -> None:
    body = bomb(200 << 20)
    script: Script = [head(content_encoding="gzip", content_length=str(len(body))), body]
    tracemalloc.start()
    try:
        outcome = await post_against(script, limit=16 << 20)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert type(outcome.error) is EventTooLarge
    assert peak < 40 << 20  # the limit, and room for a growing buffer


# 19
async def test_bytes_that_are_no_utf_8_become_replacement_characters() -> None:
    outcome = await post_against(stream_of(b"data: caf\xe9 \xff\n\n", PAUSED))
    assert outcome.events[0].data == "caf\ufffd \ufffd"
    assert outcome.names[1] == "step_paused"


# 20
async def test_a_stream_is_utf_8_whatever_its_header_says() -> None:
    script: Script = [head(200, "text/event-stream; charset=windows-1252", connection="close"),
              "data: café €\n\n".encode(), CLOSE]  # fmt: skip
    assert (await post_against(script)).events[0].data == "café €"


# 21, 22, 23, 48: what the events mean is the debugger's; here they arrive as they were sent
async def test_duplicates_strange_orders_and_odd_json_arrive_as_they_were_sent() -> None:
    odd = ['{"n": 18446744073709551616}', '{"x": NaN}', '{"s": "\\ud800"}', "[" * 5000, "not json"]
    outcome = await post_against(
        stream_of(
            PAUSED, STARTED, STARTED, sse("never_heard_of", {"x": 1}), *[sse("", o) for o in odd]
        )
    )
    assert outcome.names == [
        "step_paused", "run_started", "run_started", "never_heard_of", *["message"] * 5,
    ]  # fmt: skip
    assert [event.data for event in outcome.events[4:]] == odd


# 49
async def test_nothing_is_lost_when_the_observer_is_slower_than_the_server() -> None:
    events = [sse("step_output", {"n": n, "pad": "x" * 20_000}) for n in range(200)]
    async with (
        FaultServer(stream_of(*events)) as fault,
        HttpClient(fault.url) as client,
        client.post_events("/step", b"{}") as stream,
    ):
        seen = 0
        async for batch in stream.batches():
            seen += len(batch)
            await asyncio.sleep(0.002)
    assert seen == 200
    assert fault.posts == 1
