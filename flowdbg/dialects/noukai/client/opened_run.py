"""Fetching a finished run and what is needed to open it: its trace, and the plan it went by."""

from __future__ import annotations

from flowdbg.core.address import parse_address
from flowdbg.dialects.noukai.client.trace_entries import Opened, entries_from_trace
from flowdbg.dialects.traces import Archive, OpenedRun
from flowdbg.errors import FlowNotFound, UsageError


async def open_run(remote: Archive, url: str, run_id: str, session_id: str) -> OpenedRun:
    """Fetch a run and make the log of the session `session_id` from it.

    The remote's address may be left out where the server tells a run's flow; it is set then.

    Raises:
        UsageError: The server does not tell the run's flow, and none is named.
        TargetError: The server could not be asked, or does not know the run.
    """
    trace = await remote.trace(run_id)
    if remote.address is None:
        if not trace.run.address:
            raise UsageError(
                f"The server does not tell which flow run {run_id} belongs to.",
                "Name the flow, too: org/project/flow.",
            )
        remote.address = parse_address(trace.run.address)
    version = trace.run.version
    try:
        told = await remote.plan(version)
    except FlowNotFound:  # the version is gone; the trace is all that is left of it
        told = None
    opened = Opened(session_id, url, str(remote.address), version)
    plan = told.plan if told else None
    return OpenedRun(remote.address, version, entries_from_trace(trace, plan, opened))
