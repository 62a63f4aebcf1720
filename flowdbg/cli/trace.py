"""`flowdbg trace`: what a server kept of a run."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from flowdbg.cli import completing, options
from flowdbg.cli.ending import finish

FlowOption = Annotated[
    str,
    typer.Option(
        "--flow",
        metavar="FLOW",
        help="The run's flow, where the server needs it.",
        autocompletion=completing.flows,
    ),
]


def trace(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run's (execution's) id.")],
    flow: FlowOption = "",
    step: Annotated[str, typer.Option("--step", metavar="ID", help="Only this step.")] = "",
    attempt: Annotated[
        str,
        typer.Option(
            "--attempt", metavar="N|all", help="Which of its executions.", show_default="latest"
        ),
    ] = "",
    loop_index: Annotated[
        int | None, typer.Option("--loop-index", min=0, help="Which iteration, from 0.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Show what happens until the run is over.")
    ] = False,
    url: options.UrlOption = "",
    profile: options.ProfileOption = "",
    as_json: options.JsonOption = False,
) -> None:
    """Show what a run's steps did: times, tokens, cost, and what was captured.

    With --follow the exit code is the run's: 0 completed, 1 failed, 3 neither; 130 interrupted.
    """
    from flowdbg.cli.remote import reach_server
    from flowdbg.dialects.targets import make_archive
    from flowdbg.headless.trace import Printer, show_step, show_trace
    from flowdbg.headless.trace import follow as follow_run

    printer = Printer(sys.stdout, as_json)

    async def go() -> int:
        _check(step, attempt, loop_index, follow)
        async with reach_server(make_archive, flow, url=url, profile=profile) as remote:
            if follow:
                return int(await follow_run(remote, run, printer, sys.stderr))
            if not step:
                return int(await show_trace(remote, run, printer))
            shown = show_step(remote, run, step, printer, attempt=attempt, loop_index=loop_index)
            return int(await shown)

    finish(go(), as_json=as_json)


def _check(step: str, attempt: str, loop_index: int | None, follow: bool) -> None:
    from flowdbg.errors import UsageError

    if follow and step:
        raise UsageError("--follow and --step exclude each other.", "Give one of them.")
    if not step and (attempt or loop_index is not None):
        raise UsageError("--attempt and --loop-index choose among one step's.", "Add --step ID.")
    if attempt not in ("", "all") and not (attempt.isdecimal() and int(attempt) >= 1):
        raise UsageError(f"'{attempt}' is no attempt.", "Give a number from 1, or all.")
