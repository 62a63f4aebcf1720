"""One connection for many steps, and what becomes of it between two of them (rows 27, 50)."""

from __future__ import annotations

import pytest

from flowdbg.errors import (
    FlowNotFound,
    Interrupted,
)
from flowdbg.transport.client import HttpClient
from tests.faults.posting import (
    PAUSED,
)
from tests.faults.server import (
    CLOSE,
    FaultServer,
    answer_json,
    stream_of,
)


# 27, 50
async def test_a_connection_that_the_server_closed_meanwhile_is_not_used_again() -> None:
    async with (
        FaultServer([*stream_of(PAUSED), CLOSE], stream_of(PAUSED)) as fault,
        HttpClient(fault.url) as client,
    ):
        async with client.post_events("/step", b"{}") as stream:
            assert [event.event async for event in stream] == ["step_paused"]
        await fault.closed.wait()
        async with client.post_events("/step", b"{}") as stream:
            assert [event.event async for event in stream] == ["step_paused"]
    assert fault.posts == 2
    assert fault.connections == 2


async def test_a_kept_connection_is_used_for_the_next_step() -> None:
    async with (
        FaultServer(*[stream_of(PAUSED)] * 3) as fault,
        HttpClient(fault.url) as client,
    ):
        for _ in range(3):
            async with client.post_events("/step", b"{}") as stream:
                assert [event.event async for event in stream] == ["step_paused"]
    assert (fault.posts, fault.connections) == (3, 1)


async def test_a_kept_connection_closed_under_the_request_is_not_tried_again() -> None:
    async with (
        FaultServer(stream_of(PAUSED), [CLOSE], stream_of(PAUSED)) as fault,
        HttpClient(fault.url) as client,
    ):
        async with client.post_events("/step", b"{}") as stream:
            assert [event.event async for event in stream] == ["step_paused"]
        with pytest.raises(Interrupted, match="closed the connection without an answer"):
            async with client.post_events("/step", b"{}"):
                pass
    assert fault.posts == 2


# 50
async def test_a_run_that_expired_between_two_steps_is_told_with_its_code() -> None:
    gone = {"detail": {"code": "RUN_NOT_FOUND", "message": "the run has expired"}}
    async with (
        FaultServer(stream_of(PAUSED), answer_json(404, gone)) as fault,
        HttpClient(fault.url) as client,
    ):
        async with client.post_events("/step", b"{}") as stream:
            assert [event.event async for event in stream] == ["step_paused"]
        with pytest.raises(FlowNotFound, match="the run has expired") as caught:
            async with client.post_events("/step", b"{}"):
                pass
    assert caught.value.code == "RUN_NOT_FOUND"
    assert fault.posts == 2
