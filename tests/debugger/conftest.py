"""A debugger on a real server over a real socket, with a real session file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from flowdbg.core.address import parse_address
from flowdbg.core.entries import SessionOpened
from flowdbg.core.json_text import JsonText
from flowdbg.debugger import Debugger
from flowdbg.dialects.targets import make_target
from flowdbg.store import SessionStore
from tests.debugger.flows import ADDRESS, publish, write_flow
from tests.serving import Running, running_server

OpenDebugger = Callable[..., Awaitable[Debugger]]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    """A server with one flow, published as version 1 and in production."""
    write_flow(tmp_path)
    with running_server([tmp_path], tmp_path / "server.db") as running:
        publish(running.base)
        yield running


@pytest.fixture
async def open_debugger(server: Running, tmp_path: Path) -> AsyncIterator[OpenDebugger]:
    """Opens debuggers on the server's flow; all are closed at the end."""
    async with AsyncExitStack() as stack:

        async def opened(
            *,
            pinned: int | None = None,
            message: str | None = "hello",
            base: str = server.base,
            session_id: str = "one",
        ) -> Debugger:
            target = make_target(
                "noukai", url=base, address=parse_address(ADDRESS), key=lambda: "nk_test"
            )
            store = SessionStore.create(tmp_path / "sessions", session_id=session_id, meta={})
            first = SessionOpened(
                session_id, "noukai", base, ADDRESS, pinned, message, JsonText("{}")
            )
            plan = await target.fetch_plan(pinned)
            debugger = await Debugger.start(target, store, first, plan)
            stack.push_async_callback(debugger.close)
            return debugger

        yield opened
