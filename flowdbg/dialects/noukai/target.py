"""The client side of the dialect: one `/step` call a turn (protocol sections 4, 5, 11 and 14)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from flowdbg.core.address import FlowAddress
from flowdbg.core.events import Received
from flowdbg.core.plan import Plan
from flowdbg.core.requests import TurnRequest
from flowdbg.dialects.noukai.client.bodies import step_body
from flowdbg.dialects.noukai.client.http import batches, client_of, explain, get_plan
from flowdbg.dialects.noukai.client.plans import plan_in_refusal, read_plan
from flowdbg.dialects.noukai.decode import decode
from flowdbg.dialects.noukai.wire import flow_path
from flowdbg.dialects.target import Ability, Call, Capabilities, Exactness
from flowdbg.errors import ConnectionFailed, Refused, TargetError
from flowdbg.transport.body import BodyEncoder
from flowdbg.transport.timeouts import DEFAULT_LIMITS, Limits

_CUT_OFF = "Look at what it did, then run it again or restart."
_EXACT = Ability(Exactness.EXACT)
CAPABILITIES = Capabilities(
    pause=_EXACT,
    edit_output=_EXACT,
    edit_block=Ability(Exactness.EXACT, "per call; sent again on every call"),
    run_to_end=_EXACT,
    cancel=Ability(Exactness.EMULATED, "the stream is closed; the server does not confirm"),
    answer=_EXACT,
    checkpoints=Ability(Exactness.EMULATED, "the client keeps every output and sends it again"),
)


class NoukaiTarget:
    """One flow on one server that speaks the dialect."""

    dialect = "noukai"
    capabilities = CAPABILITIES

    def __init__(
        self,
        url: str,
        address: FlowAddress,
        key: Callable[[], str],
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.url = url
        self._address = address
        self._bodies = BodyEncoder()
        self._client = client_of(url, key, explain, limits)

    def prepare(self, request: TurnRequest) -> Call:
        """The `/step` call for a request (section 4.1)."""
        expected = (("If-Match", f'"{request.plan_hash}"'),) if request.plan_hash else ()
        route = f"{flow_path(self._address, request.pinned)}/step"
        return Call(route, step_body(request), expected)

    @asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[AsyncIterator[list[Received]]]:
        """Post the call once and give its events as they come (section 5)."""
        body = self._bodies.encode(call.body)
        stream = self._client.post_events(call.route, body, dict(call.headers))
        try:
            await stream.__aenter__()
        except (Refused, ConnectionFailed):
            raise
        except TargetError as error:
            if stream.sent:
                raise
            raise ConnectionFailed(error.what, error.next_step) from error
        try:
            yield batches(stream, _CUT_OFF)
        finally:
            await stream.__aexit__(None, None, None)

    def decode(self, name: str, data: str) -> Received:
        """Read a stored event again."""
        return decode(name, data)

    async def fetch_plan(self, pinned: int | None) -> Plan | None:
        """The plan, from the embedded server's own route; None on servers that lack it."""
        answer = await get_plan(self._client, flow_path(self._address, pinned))
        return read_plan(answer.value) if answer else None

    def plan_of(self, detail: Mapping[str, Any]) -> Plan:
        """The plan inside a refusal for a stale tree (section 11.3)."""
        return plan_in_refusal(detail)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()
