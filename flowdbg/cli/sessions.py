"""`flowdbg sessions`, and `flowdbg` alone: recent sessions, opened where they stood."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flowdbg.cli import completing, options

if TYPE_CHECKING:
    from flowdbg.store import SessionSummary

app = typer.Typer(
    help="List, open and remove stored sessions.",
    rich_markup_mode=None,
    invoke_without_command=True,
)


SessionArgument = Annotated[
    str,
    typer.Argument(
        metavar="SESSION",
        help="A session's id, or the beginning or end of one.",
        autocompletion=completing.sessions,
    ),
]


@app.callback()
def _without_command(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_all()


@app.command("list")
def list_all(as_json: options.JsonOption = False) -> None:
    """List the stored sessions, newest first."""
    import json
    import time

    from flowdbg.config import paths
    from flowdbg.present import formats
    from flowdbg.present.safe_text import safe_line
    from flowdbg.store import list_sessions

    found = list_sessions(paths.sessions_dir())
    if not found and not as_json:
        typer.echo("No session is stored yet. Make one: flowdbg demo, or flowdbg debug TARGET.")
    for summary in found:
        meta = summary.meta
        if as_json:
            line = {"session": summary.session_id, "updated_at": summary.updated_at, **meta}
            if summary.problem:
                line["problem"] = summary.problem
            typer.echo(json.dumps(line))
            continue
        if summary.problem:
            typer.echo(f"{summary.session_id}  {safe_line(summary.problem)}")
            continue
        version = f"@{meta['version']}" if meta.get("version") is not None else ""
        where = f"{meta.get('address', '?')}{version}"
        place = f"{meta.get('cursor', 0)}/{meta.get('length') or '?'}"
        age = formats.age(time.time() - summary.updated_at)
        state = _state_of(summary)
        typer.echo(f"{summary.session_id}  {state:8} {place:>6}  {safe_line(where)}  {age}")


@app.command("open")
def open_one(
    session: SessionArgument,
    theme: options.ThemeOption = "",
    ascii_only: options.AsciiOption = False,
) -> None:
    """Open a stored session where it stood."""
    from flowdbg.cli.opening import open_stored
    from flowdbg.cli.screen import Screen

    path = _find(session)
    Screen(theme, ascii_only=ascii_only).show(open_stored(path))


@app.command("rm")
def remove(
    sessions: Annotated[
        list[str],
        typer.Argument(
            metavar="SESSION...",
            help="Sessions' ids, or the beginnings or ends of them.",
            autocompletion=completing.sessions,
        ),
    ],
) -> None:
    """Remove stored sessions for good."""
    from flowdbg.store import remove_session

    for path in [_find(session) for session in sessions]:
        remove_session(path)
        typer.echo(f"removed {path.stem}")


@app.command("salvage")
def rescue(session: SessionArgument) -> None:
    """Copy what is readable of a damaged session into a new one; the old file stays as it is."""
    from flowdbg.config import paths
    from flowdbg.present.formats import plural
    from flowdbg.store import salvage

    saved = salvage(_find(session), paths.sessions_dir())
    lost = f", {plural(saved.lost, 'record')} lost" if saved.lost else ""
    typer.echo(f"{plural(saved.saved, 'record')} copied{lost}")
    typer.echo(f"Open it: flowdbg sessions open {saved.path.stem}")


@app.command("compare")
def compare(
    before: Annotated[
        str,
        typer.Argument(
            metavar="SESSION[#BRANCH]",
            help="The run to compare.",
            autocompletion=completing.sessions,
        ),
    ],
    after: Annotated[
        str,
        typer.Argument(
            metavar="SESSION[#BRANCH]",
            help="The run to compare it with.",
            autocompletion=completing.sessions,
        ),
    ],
    step: Annotated[str, typer.Option("--step", metavar="ID", help="Tell about one step.")] = "",
    as_json: options.JsonOption = False,
) -> None:
    """Show what differs between two runs: outputs, inputs and blocks of each step.

    A run is a branch of a stored session, by default the one it stands on. Exits with 0 when the
    runs are the same, with 1 when they differ and with 2 when they cannot be compared.
    """
    import json

    from flowdbg.cli.ending import complain
    from flowdbg.debugger.reading import read_session
    from flowdbg.errors import StoreError
    from flowdbg.headless.compare import (
        CompareCode,
        as_text,
        chosen,
        code_of,
        side_of,
        split_side,
    )
    from flowdbg.headless.compare import as_json as told
    from flowdbg.present.compare import compare_runs

    try:
        named = [(_find(session), branch) for session, branch in map(split_side, (before, after))]
        two = named[0][0] != named[1][0]
        sides = [side_of(read_session(path), branch, named=two) for path, branch in named]
    except StoreError as error:
        complain(error)
        raise typer.Exit(CompareCode.TROUBLE) from error
    compared = compare_runs(*sides)
    steps = chosen(compared, step)
    if as_json:
        typer.echo(json.dumps(told(compared, steps)))
    else:
        for line in as_text(compared, steps):
            typer.echo(line)
    raise typer.Exit(code_of(steps))


def _state_of(summary: SessionSummary) -> str:
    """The session's state; one that ran when its debugger died is unknown."""
    state = str(summary.meta.get("state", "?"))
    return "unknown" if state == "running" and not summary.holder else state


def _find(session: str) -> Path:
    """The file of a session named by its id or the beginning of it."""
    from flowdbg.config import paths
    from flowdbg.errors import UsageError
    from flowdbg.store import list_sessions

    found = [
        summary
        for summary in list_sessions(paths.sessions_dir())
        if summary.session_id.startswith(session) or summary.session_id.endswith(session)
    ]
    if len(found) == 1:
        return found[0].path
    if not found:
        raise UsageError(f"There is no session '{session}'.", "List them: flowdbg sessions list.")
    raise UsageError(f"'{session}' begins {len(found)} sessions.", "Write more of the id.")
