"""Fetching a finished run and what is needed to open it: its trace, and the plan it went by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flowdbg.core.address import FlowAddress, parse_address
from flowdbg.core.entries import Body
from flowdbg.dialects.noukai.client.remote import NoukaiRemote
from flowdbg.dialects.noukai.client.trace_entries import Opened, entries_from_trace
from flowdbg.errors import FlowNotFound, UsageError


@dataclass(frozen=True, slots=True)
class OpenedRun:
    """A run as the log of a session, and the flow that further steps go to."""

    address: FlowAddress
    pinned: int | None
    """The run's version; None where the server does not tell, or it ran the draft."""
    bodies: list[Body]


async def open_run(
    url: str,
    key: Callable[[], str],
    run_id: str,
    session_id: str,
    address: FlowAddress | None = None,
) -> OpenedRun:
    """Fetch a run and make the log of the session `session_id` from it.

    `address` may be left out where the server tells a run's flow.

    Raises:
        UsageError: The server does not tell the run's flow, and none is named.
        TargetError: The server could not be asked, or does not know the run.
    """
    remote = NoukaiRemote(url, key, address)
    try:
        trace = await remote.trace(run_id)
        if address is None:
            if not trace.run.address:
                raise UsageError(
                    f"The server does not tell which flow run {run_id} belongs to.",
                    "Name the flow, too: org/project/flow.",
                )
            remote.address = address = parse_address(trace.run.address)
        try:
            told = await remote.plan(trace.run.version)
        except FlowNotFound:  # the version is gone; the trace is all that is left of it
            told = None
    finally:
        await remote.aclose()
    opened = Opened(session_id, url, str(address), trace.run.version)
    plan = told.plan if told else None
    return OpenedRun(address, trace.run.version, entries_from_trace(trace, plan, opened))
