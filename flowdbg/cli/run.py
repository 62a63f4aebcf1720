"""`flowdbg run`: the debugger without a screen."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from flowdbg.cli import options
from flowdbg.cli.asked import Asked, Tools, spread

if TYPE_CHECKING:
    from flowdbg.cli.opening import Opening
    from flowdbg.headless.run import RunOptions


@spread(asked=Asked, tools=Tools)
def run(
    target: options.TargetArgument,
    *,
    asked: Asked,
    override_output: options.OutputOverrideOption = None,
    skip: options.SkipOption = None,
    url: options.UrlOption = "",
    profile: options.ProfileOption = "",
    until: options.UntilOption = "",
    run_remaining: options.RunRemainingOption = False,
    on_stale: Annotated[
        Literal["stop", "restart", "pin"],
        typer.Option(help="When the plan changes under the run."),
    ] = "stop",
    tools: Tools,
    as_json: options.JsonOption = False,
) -> None:
    """Run a flow without a screen.

    Exit codes: 0 end of flow, 1 a step failed, 2 wrong usage, 3 stopped before the end,
    4 server or protocol trouble, 5 stale plan, 6 session not saved, 130 interrupted.
    """
    from flowdbg.cli.opening import Opening
    from flowdbg.headless.run import RunOptions

    opening = Opening(target, asked, tools, override_output, url, profile)
    how = RunOptions(until, run_remaining, on_stale, tuple(skip or ()))
    run_headless(opening, how, as_json=as_json)


def run_headless(opening: Opening, run_options: RunOptions, *, as_json: bool) -> None:
    """Open, run, report on stdout, and end the process with the run's exit code."""
    from flowdbg.headless.interruption import run_interruptible

    raise typer.Exit(int(run_interruptible(_run(opening, run_options, as_json))))


async def _run(opening: Opening, run_options: RunOptions, as_json: bool) -> int:
    """Run; with JSON, the last line is the outcome whatever happens."""
    import asyncio

    from flowdbg.cli.ending import complain
    from flowdbg.cli.opening import open_new
    from flowdbg.cli.servers import warn_of_production
    from flowdbg.errors import FlowdbgError, NotSaved
    from flowdbg.headless.exit_codes import ExitCode, code_of_error
    from flowdbg.headless.report import JsonReport, TextReport, never_began
    from flowdbg.headless.run import run
    from flowdbg.present.production import edits_to_send

    began, code = False, ExitCode.INTERRUPTED
    try:
        async with open_new(
            opening, unattended=True, until=run_options.until, skip=run_options.skip
        ) as debugger:
            began = True
            if debugger.is_production:
                warn_of_production(debugger.profile, edits_to_send(debugger.session))
            report = (JsonReport if as_json else TextReport)(sys.stdout, debugger.session.plan)
            code = await run(debugger, run_options, report)
            if debugger.unsaved:
                complain(NotSaved(f"The session is not saved: {debugger.unsaved}"))
    except FlowdbgError as error:
        if as_json and not began:
            never_began(sys.stdout, opening.target, error, code_of_error(error))
        raise
    except (asyncio.CancelledError, KeyboardInterrupt):
        if as_json and not began:
            stopped = FlowdbgError("Interrupted before anything was sent.")
            never_began(sys.stdout, opening.target, stopped, ExitCode.INTERRUPTED)
        if code is ExitCode.INTERRUPTED:
            raise
    return int(code)
