"""`flowdbg execute`: a whole flow in one call, with the tools that its model asks for."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flowdbg.cli import completing, options
from flowdbg.cli.asked import Asked, Tools, spread
from flowdbg.cli.ending import finish

if TYPE_CHECKING:
    from flowdbg.cli.remote import Reached
    from flowdbg.dialects.whole_runs import Executor
    from flowdbg.headless.execute import ExecuteOptions


@spread(asked=Asked, tools=Tools)
def execute(
    target: options.TargetArgument = "",
    *,
    asked: Asked,
    messages: Annotated[
        Path | None,
        typer.Option("--messages", metavar="FILE", help="A conversation (JSON) for the message."),
    ] = None,
    url: options.UrlOption = "",
    profile: options.ProfileOption = "",
    version: options.VersionOption = "",
    tools: Tools,
    resume: Annotated[
        str,
        typer.Option(
            "--resume",
            metavar="RUN",
            help="Go on with a run that waits for tools.",
            autocompletion=completing.waiting_runs,
        ),
    ] = "",
    tool_result: Annotated[
        list[str] | None,
        typer.Option("--tool-result", metavar="CALL=JSON", help="Answer a call of --resume."),
    ] = None,
    session_id: options.SessionIdOption = "",
    as_json: options.JsonOption = False,
) -> None:
    """Run a whole flow in one call and print its result.

    Without a version the flow's production version runs; a server falls back to the draft when
    nothing is published. Older guides call the draft the default: clients of that time sent
    exactly this address.

    Exit codes: 0 completed, 1 failed, 2 wrong usage, 3 waits for tools that nobody answered,
    4 server or protocol trouble, 6 a waiting run could not be kept, 130 interrupted.
    """
    run = _Run(target, version, url, profile, session_id, asked, messages)
    results = tool_result or []
    if resume:
        finish(_resume(resume, run, tools, results, as_json), as_json=as_json)
    finish(_execute(run, tools, results, as_json), as_json=as_json)


@dataclass(frozen=True, slots=True)
class _Run:
    """Which flow runs, and what it is asked with, as typed."""

    target: str = ""
    version: str = ""
    url: str = ""
    profile: str = ""
    session_id: str = ""
    asked: Asked = field(default_factory=Asked)
    messages: Path | None = None


async def _execute(run: _Run, tools: Tools, results: list[str], as_json: bool) -> int:
    from flowdbg.cli.inputs import make_handler
    from flowdbg.cli.remote import reach, request_for
    from flowdbg.dialects.targets import make_executor
    from flowdbg.errors import UsageError
    from flowdbg.headless import kept_runs
    from flowdbg.headless.execute import ExecuteOptions
    from flowdbg.headless.kept_runs import KeptRun

    handler = make_handler(tools)
    if not run.target or results:
        said = "A result answers a run that waits." if run.target else "No flow is named."
        raise UsageError(said, "Give a TARGET, or --resume RUN to go on with a waiting run.")
    if handler and not tools.file:
        raise UsageError("The model is offered no tools.", "Name their definitions: --tools FILE.")
    where = {"url": run.url, "profile": run.profile, "tag": run.session_id}
    async with reach(make_executor, run.target, run.version, **where) as reached:
        request = await request_for(reached, run.asked, tools, run.messages)
        place = reached.place
        server = place.server
        kept = KeptRun(server.url, server.profile, str(place.address), place.version, request)
        how = ExecuteOptions(
            request,
            place.version,
            handler,
            tools.rounds,
            keep=None if place.file else lambda paused: kept_runs.keep(kept, paused),
        )
        return await _driven(reached, how, as_json)


async def _resume(name: str, run: _Run, tools: Tools, results: list[str], as_json: bool) -> int:
    """Go on with a run that was left waiting; it is forgotten when it has ended."""
    from flowdbg.cli.inputs import make_handler, read_results
    from flowdbg.cli.remote import reach
    from flowdbg.dialects.targets import make_executor
    from flowdbg.errors import UsageError
    from flowdbg.headless import kept_runs
    from flowdbg.headless.execute import ExecuteOptions

    handler = make_handler(tools)
    if run != _Run() or tools.file or tools.choice:
        raise UsageError(
            "--resume goes on with a run as it was asked; only its tool calls are answered.",
            "Give --tool-result, --tool-exec or --tool-handler with it, and nothing else.",
        )
    answers = read_results(results)
    kept, paused = kept_runs.find(name)
    version = "production" if kept.version is None else str(kept.version)
    where = {"profile": kept.profile} if kept.profile else {"url": kept.url}
    async with reach(make_executor, kept.address, version, **where) as reached:
        how = ExecuteOptions(
            kept.request,
            reached.place.version,
            handler,
            tools.rounds,
            paused=paused,
            results=answers,
            keep=lambda again: kept_runs.keep(kept, again),
        )
        code = await _driven(reached, how, as_json)
    if code in (0, 1):
        kept_runs.forget(name)
    return code


async def _driven(reached: Reached[Executor], how: ExecuteOptions, as_json: bool) -> int:
    from flowdbg.cli.remote import warn_of_edits
    from flowdbg.headless.execute import execute as run
    from flowdbg.headless.execute_report import JsonExecuteReport, TextExecuteReport
    from flowdbg.headless.progress import Progress

    warn_of_edits(reached.place, how.request)
    address = str(reached.place.address)
    report = (
        JsonExecuteReport(sys.stdout, address)
        if as_json
        else TextExecuteReport(sys.stdout, address, reached.runs)
    )
    progress = Progress(sys.stderr, lines=not as_json)
    return int(await run(reached.remote, how, report, progress))
