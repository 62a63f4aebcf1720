"""Streams that say nothing, or little: limits, and cancelling (rows 12 to 15)."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace

import pytest

from flowdbg.errors import (
    RequestTimedOut,
)
from flowdbg.transport.client import HttpClient
from flowdbg.transport.timeouts import Timeouts
from tests.faults.posting import (
    OUTPUT,
    PAUSED,
    STARTED,
    post,
    post_against,
)
from tests.faults.server import (
    HANG,
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


# 12
async def test_comments_bring_no_events() -> None:
    ping = chunk(b": ping\n\n")
    named = chunk(sse("run_started", {}, event_id="1"))
    outcome = await post_against([STREAM_HEAD, ping, named, ping, chunk(PAUSED), ping, LAST_CHUNK])
    assert outcome.names == ["run_started", "step_paused"]
    assert outcome.error is None


# 13
async def test_comments_without_end_pass_the_progress_limit_and_not_the_idle_one() -> None:
    script: Script = [STREAM_HEAD, Drip(chunk(b": ping\n\n"), 100, 0.01, None)]
    async with FaultServer(script) as fault:
        outcome = await post(fault, Timeouts(idle=60, progress=0.2))
    assert type(outcome.error) is RequestTimedOut
    assert "sent no event for 0.2 seconds" in str(outcome.error)
    assert fault.posts <= 1  # the limit holds while the connection is made, too


async def test_neither_earlier_events_nor_a_slow_observer_use_up_the_progress_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    skipped = 0.0
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + skipped)
    monkeypatch.setattr("flowdbg.transport.stream.time", clock)
    looked = [asyncio.Event() for _ in range(3)]
    pulses = [action for gate in looked for action in (chunk(OUTPUT), gate)]
    script: Script = [STREAM_HEAD, *pulses, chunk(PAUSED), LAST_CHUNK]
    limits = Timeouts(progress=60)
    names = []
    async with (
        FaultServer(script) as fault,
        HttpClient(fault.url, timeouts=limits) as client,
        client.post_events("/step", b"{}") as stream,
    ):
        async for event in stream:
            names.append(event.event)
            skipped += 100  # the observer takes longer than the server may
            if looked:
                looked.pop(0).set()
    assert names == ["step_output"] * 3 + ["step_paused"]


# 14
async def test_a_silent_server_passes_the_idle_limit() -> None:
    outcome = await post_against([STREAM_HEAD, chunk(STARTED), HANG], Timeouts(idle=0.1))
    assert type(outcome.error) is RequestTimedOut
    assert "sent nothing for 0.1 seconds" in str(outcome.error)
    assert outcome.stream is not None
    assert outcome.stream.sent


async def test_headers_that_never_come_pass_the_idle_limit() -> None:
    outcome = await post_against([HANG], Timeouts(idle=0.1))
    assert type(outcome.error) is RequestTimedOut


async def test_headers_that_never_come_pass_the_progress_limit() -> None:
    async with FaultServer([HANG]) as fault:
        outcome = await post(fault, Timeouts(progress=0.1))
    assert type(outcome.error) is RequestTimedOut
    assert "sent no event for 0.1 seconds" in str(outcome.error)
    assert fault.posts <= 1  # the limit holds while the connection is made, too


async def test_without_limits_the_client_waits_until_it_is_cancelled() -> None:
    script: Script = [STREAM_HEAD, chunk(STARTED), HANG]
    async with FaultServer(script) as fault, HttpClient(fault.url) as client:
        began = asyncio.Event()

        async def step() -> None:
            async with client.post_events("/step", b"{}") as stream:
                async for _ in stream:
                    began.set()

        task = asyncio.ensure_future(step())
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await fault.client_gone.wait()
    assert fault.posts == 1


async def test_cancelling_works_before_the_headers_too() -> None:
    async with FaultServer([HANG]) as fault, HttpClient(fault.url) as client:
        stream = client.post_events("/step", b"{}")
        task = asyncio.ensure_future(stream.__aenter__())
        await fault.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await fault.client_gone.wait()
    assert stream.sent


async def test_leaving_a_stream_early_closes_its_connection() -> None:
    script: Script = [STREAM_HEAD, chunk(STARTED), HANG]
    async with FaultServer(script, stream_of(PAUSED)) as fault, HttpClient(fault.url) as client:
        async with client.post_events("/step", b"{}") as stream:
            async for _ in stream.batches():
                break
        await fault.client_gone.wait()
        async with client.post_events("/step", b"{}") as stream:
            assert [event.event async for event in stream] == ["step_paused"]
    assert fault.posts == 2


# 15
async def test_one_byte_a_write_gives_the_same_events() -> None:
    body = STARTED + OUTPUT + PAUSED
    outcome = await post_against([head(content_length=str(len(body))), Drip(body, 1)])
    assert outcome.names == ["run_started", "step_output", "step_paused"]
