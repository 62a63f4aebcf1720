"""`flowdbg runs`: the newest runs of a flow."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from flowdbg.cli import options
from flowdbg.cli.ending import finish

if TYPE_CHECKING:
    from flowdbg.dialects.traces import Archive


def runs(
    target: options.FlowArgument = "",
    flow_id: Annotated[
        str, typer.Option("--flow-id", metavar="ID", help="The flow's id, in place of FLOW.")
    ] = "",
    status: Annotated[
        Literal["running", "completed", "failed", "cancelled"] | None,
        typer.Option("--status", help="Only runs that stand so."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100, help="How many.")] = 20,
    url: options.UrlOption = "",
    profile: options.ProfileOption = "",
    as_json: options.JsonOption = False,
) -> None:
    """List the newest runs of a flow, newest first."""
    from flowdbg.cli.remote import reach_server
    from flowdbg.dialects.targets import make_archive
    from flowdbg.errors import UsageError
    from flowdbg.headless.trace import Printer, show_runs

    printer = Printer(sys.stdout, as_json)

    async def go() -> int:
        if bool(target) == bool(flow_id):
            raise UsageError("Which flow?", "Give either a FLOW or --flow-id ID.")
        async with reach_server(make_archive, target, url=url, profile=profile) as remote:
            found = flow_id or await _id_of_flow(remote)
            shown = show_runs(remote, found, printer, status=status or "", limit=limit)
            return int(await shown)

    finish(go(), as_json=as_json)


async def _id_of_flow(remote: Archive) -> str:
    """The id that a server calls a flow by.

    Raises:
        UsageError: The server does not tell it.
    """
    from flowdbg.errors import UsageError

    told = await remote.plan(None)
    if told is None or not told.flow_id:
        raise UsageError(
            f"The server does not tell the id of {remote.address}, by which it lists runs.",
            "Give it: --flow-id ID. Every answer of execute and jobs names it (--json: flow_id).",
        )
    return told.flow_id
