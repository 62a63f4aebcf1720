"""`flowdbg jobs`: runs on the server's queue, which nobody needs to wait for."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from flowdbg.cli import options
from flowdbg.cli.asked import Asked, spread
from flowdbg.cli.ending import finish

if TYPE_CHECKING:
    from flowdbg.cli.remote import Reached
    from flowdbg.dialects.whole_runs import Queue
    from flowdbg.headless.jobs import JobReport

app = typer.Typer(help="Queue runs, and wait for them.", rich_markup_mode=None)

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="The id that submit printed.")]
TimeoutOption = Annotated[
    float, typer.Option("--timeout", min=0, help="Stop waiting after so many seconds; 0 for never.")
]


@app.command()
@spread(asked=Asked)
def submit(
    target: options.TargetArgument,
    asked: Asked,
    url: options.UrlOption = "",
    profile: options.ProfileOption = "",
    version: options.VersionOption = "",
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the result, too.")] = False,
    timeout: TimeoutOption = 0.0,
    session_id: options.SessionIdOption = "",
    as_json: options.JsonOption = False,
) -> None:
    """Queue a run and print its id at once. Tools cannot be used in queued runs."""
    from flowdbg.cli.embedded import names_file
    from flowdbg.cli.remote import reach
    from flowdbg.cli.servers import server_flags
    from flowdbg.dialects.targets import make_queue
    from flowdbg.errors import UsageError

    limit = timeout if wait else None

    async def go() -> int:
        if names_file(target):
            raise UsageError(
                f"{target} is a file; its embedded server would end with this command.",
                "Run it with 'flowdbg execute', or queue it on a server (flowdbg serve, publish).",
            )
        where = {"url": url, "profile": profile, "tag": session_id}
        async with reach(make_queue, target, version, **where) as reached:
            return await _submit(reached, asked, server_flags(url, profile), limit, as_json)

    finish(go(), as_json=as_json)


@app.command()
def status(
    target: options.FlowArgument,
    run: RunArgument,
    url: options.UrlOption = "",
    profile: options.ProfileOption = "",
    as_json: options.JsonOption = False,
) -> None:
    """Ask once how a job stands.

    Exit codes: 0 completed, 1 failed, 3 not over yet or cancelled, 4 server trouble.
    """
    from flowdbg.cli.remote import reach_server
    from flowdbg.dialects.targets import make_queue
    from flowdbg.headless.jobs import show_status

    async def go() -> int:
        async with reach_server(make_queue, target, url=url, profile=profile) as remote:
            return int(await show_status(remote, run, _report(remote, as_json)))

    finish(go(), as_json=as_json)


@app.command()
def wait(
    target: options.FlowArgument,
    run: RunArgument,
    url: options.UrlOption = "",
    profile: options.ProfileOption = "",
    timeout: TimeoutOption = 0.0,
    as_json: options.JsonOption = False,
) -> None:
    """Wait for a job and print its result; Ctrl-C leaves the job alone.

    Exit codes: 0 completed, 1 failed, 3 cancelled or not over in time, 4 server trouble,
    130 interrupted.
    """
    from flowdbg.cli.remote import reach_server
    from flowdbg.cli.servers import server_flags
    from flowdbg.dialects.targets import make_queue

    async def go() -> int:
        async with reach_server(make_queue, target, url=url, profile=profile) as remote:
            return await _wait(remote, run, server_flags(url, profile), timeout, as_json)

    finish(go(), as_json=as_json)


async def _submit(
    reached: Reached[Queue], asked: Asked, flags: str, limit: float | None, as_json: bool
) -> int:
    from flowdbg.cli.remote import request_for, warn_of_edits

    request = await request_for(reached, asked)
    warn_of_edits(reached.place, request)
    remote = reached.remote
    accepted = await remote.submit(reached.place.version, request)
    run = accepted.execution_id
    _report(remote, as_json).submitted(accepted, _come_back(remote, run, flags))
    return 0 if limit is None else await _wait(remote, run, flags, limit, as_json)


async def _wait(remote: Queue, run: str, flags: str, limit: float, as_json: bool) -> int:
    from flowdbg.headless.jobs import Patience
    from flowdbg.headless.jobs import wait as wait_for
    from flowdbg.headless.progress import Progress

    code = await wait_for(
        remote,
        run,
        _report(remote, as_json),
        Progress(sys.stderr, lines=not as_json),
        come_back=_come_back(remote, run, flags),
        patience=Patience(total=limit or None),
    )
    return int(code)


def _report(remote: Queue, as_json: bool) -> JobReport:
    from flowdbg.headless.jobs import JobReport

    return JobReport(sys.stdout, sys.stderr, str(remote.address), as_json=as_json)


def _come_back(remote: Queue, run: str, flags: str) -> str:
    return f"flowdbg jobs wait {remote.address} {shlex.quote(run)}{flags}"
