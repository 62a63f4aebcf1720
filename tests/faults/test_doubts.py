"""What is said of the server's doing when no whole answer comes: in doubt is only what was sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from flowdbg.errors import Interrupted, RequestTimedOut, TargetError
from flowdbg.transport.client import HttpClient
from flowdbg.transport.timeouts import Timeouts
from tests.faults.server import CLOSE, HANG, RESET, FaultServer, Script, head

Ask = Callable[[HttpClient], Awaitable[None]]
CUT = [head(200, "application/json", content_length="100"), b'{"steps', CLOSE]
STEP = "Whether the step ran is not known; nothing was sent again."
WORK = "Whether the server did it is not known; nothing was sent again."
QUESTION = "It was only a question, so nothing ran or changed; ask again."


async def get(client: HttpClient) -> None:
    await client.get_json("/plan")


async def follow(client: HttpClient) -> None:
    async with client.get_events("/run/stream") as stream:
        async for _ in stream:
            pass


async def step(client: HttpClient) -> None:
    async with client.post_events("/step", b"{}") as stream:
        async for _ in stream:
            pass


async def publish(client: HttpClient) -> None:
    await client.send_json("PUT", "/flow", b"{}")


each_request = pytest.mark.parametrize(
    ("ask", "says"), [(get, QUESTION), (follow, QUESTION), (step, STEP), (publish, WORK)]
)


@each_request
@pytest.mark.parametrize("script", [[CLOSE], [RESET], CUT], ids=["closed", "reset", "cut off"])
async def test_a_broken_answer_says_what_is_in_doubt(ask: Ask, says: str, script: Script) -> None:
    if script is CUT and ask in (follow, step):
        script = [head(200, content_length="100"), b"data", CLOSE]
    async with (
        FaultServer(script, gets={"": script}) as fault,
        HttpClient(fault.url) as client,
    ):
        with pytest.raises(Interrupted) as raised:
            await ask(client)
    assert raised.value.next_step == says
    assert len(fault.requests) == 1


@each_request
async def test_a_silent_server_leaves_in_doubt_only_what_was_sent(ask: Ask, says: str) -> None:
    limits = Timeouts(idle=0.05)
    async with (
        FaultServer([HANG], gets={"": [HANG]}) as fault,
        HttpClient(fault.url, timeouts=limits) as client,
    ):
        with pytest.raises(RequestTimedOut) as raised:
            await ask(client)
    assert raised.value.next_step == says


async def test_a_stream_without_progress_says_the_same() -> None:
    limits = Timeouts(progress=0.05)
    for ask, says in ((follow, QUESTION), (step, STEP)):
        async with (
            FaultServer([HANG], gets={"": [HANG]}) as fault,
            HttpClient(fault.url, timeouts=limits) as client,
        ):
            with pytest.raises(TargetError) as raised:
                await ask(client)
        assert raised.value.next_step == says
