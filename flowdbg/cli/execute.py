"""`flowdbg execute`: a whole flow in one call, with the tools that its model asks for."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from flowdbg.cli import options, run_options
from flowdbg.cli.asked import Asked, Tools, asked_flags, spread, tool_flags
from flowdbg.cli.ending import finish

if TYPE_CHECKING:
    from flowdbg.dialects.whole_runs import Executor
    from flowdbg.headless.execute import ExecuteOptions
    from flowdbg.headless.tools import ToolHandler


@spread(asked=asked_flags, tools=tool_flags)
def execute(
    target: options.TargetArgument = "",
    *,
    asked: Asked,
    messages: run_options.MessagesOption = None,
    url: options.UrlOption = "",
    profile: options.ProfileOption = "",
    version: run_options.VersionOption = "",
    tools: Tools,
    resume: run_options.ResumeOption = "",
    tool_result: run_options.ToolResultOption = None,
    session_id: run_options.SessionIdOption = "",
    as_json: options.JsonOption = False,
) -> None:
    """Run a whole flow in one call and print its result.

    Without a version the flow's production version runs; a server falls back to the draft when
    nothing is published. Older guides call the draft the default: clients of that time sent
    exactly this address.

    Exit codes: 0 completed, 1 failed, 2 wrong usage, 3 waits for tools that nobody answered,
    4 server or protocol trouble, 6 a waiting run could not be kept, 130 interrupted.
    """
    from flowdbg.cli.tools import make_handler

    async def go() -> int:
        handler = make_handler(tools.handler, tools.command, tools.timeout)
        answering = _Answering(handler, tools.rounds, tool_result or [])
        offered = Tools(tools.file, tools.choice)
        run = _Run(target, version, url, profile, session_id, asked, messages, offered)
        if not resume:
            return await _execute(run, answering, as_json)
        _check_alone(run)
        return await _resume(resume, answering, as_json)

    finish(go(), as_json=as_json)


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
    tools: Tools = field(default_factory=Tools)


@dataclass(frozen=True, slots=True)
class _Answering:
    """What answers tool calls."""

    handler: ToolHandler | None
    max_rounds: int
    results: list[str]


def _check_alone(run: _Run) -> None:
    from flowdbg.errors import UsageError

    if run != _Run():
        raise UsageError(
            "--resume goes on with a run as it was asked; only its tool calls are answered.",
            "Give --tool-result, --tool-exec or --tool-handler with it, and nothing else.",
        )


async def _execute(run: _Run, answering: _Answering, as_json: bool) -> int:
    from flowdbg.cli.remote import reach, request_for
    from flowdbg.dialects.targets import make_executor
    from flowdbg.errors import UsageError
    from flowdbg.headless import kept_runs
    from flowdbg.headless.execute import ExecuteOptions
    from flowdbg.headless.kept_text import KeptRun

    if not run.target or answering.results:
        said = "A result answers a run that waits." if run.target else "No flow is named."
        raise UsageError(said, "Give a TARGET, or --resume RUN to go on with a waiting run.")
    if answering.handler and not run.tools.file:
        raise UsageError("The model is offered no tools.", "Name their definitions: --tools FILE.")
    where = {"url": run.url, "profile": run.profile, "tag": run.session_id}
    async with reach(make_executor, run.target, run.version, **where) as reached:
        request = await request_for(
            reached.remote, reached.version, run.asked, run.tools, run.messages
        )
        kept = KeptRun(
            reached.url, reached.profile, str(reached.remote.address), reached.version, request
        )
        how = ExecuteOptions(
            request,
            reached.version,
            answering.handler,
            answering.max_rounds,
            keep=(lambda paused: kept_runs.keep(kept, paused)) if reached.lasting else None,
        )
        return await _driven(reached.remote, how, as_json)


async def _resume(name: str, answering: _Answering, as_json: bool) -> int:
    """Go on with a run that was left waiting; it is forgotten when it has ended."""
    from flowdbg.cli.remote import reach
    from flowdbg.cli.tools import read_results
    from flowdbg.dialects.targets import make_executor
    from flowdbg.headless import kept_runs
    from flowdbg.headless.execute import ExecuteOptions

    results = read_results(answering.results)
    kept, paused = kept_runs.find(name)
    version = "production" if kept.version is None else str(kept.version)
    url = "" if kept.profile else kept.url
    named = {"url": url, "profile": kept.profile}
    async with reach(make_executor, kept.address, version, **named) as reached:
        how = ExecuteOptions(
            kept.request,
            reached.version,
            answering.handler,
            answering.max_rounds,
            paused=paused,
            results=results,
            keep=lambda again: kept_runs.keep(kept, again),
        )
        code = await _driven(reached.remote, how, as_json)
    if code in (0, 1):
        kept_runs.forget(name)
    return code


async def _driven(remote: Executor, how: ExecuteOptions, as_json: bool) -> int:
    from flowdbg.headless.execute import execute as run
    from flowdbg.headless.execute_report import JsonExecuteReport, TextExecuteReport
    from flowdbg.headless.progress import Progress

    report = (JsonExecuteReport if as_json else TextExecuteReport)(sys.stdout, str(remote.address))
    return int(await run(remote, how, report, Progress(sys.stderr, lines=not as_json)))
