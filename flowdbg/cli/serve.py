"""`flowdbg serve`: the embedded flow server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from flowdbg.server.app import FlowServer
    from flowdbg.server.service import Service
    from flowdbg.server.storage.hold import FileHold


PathsArgument = Annotated[
    list[Path],
    typer.Argument(metavar="PATH...", help="Flow files, and folders of *.flow.yaml files."),
]
HostOption = Annotated[str, typer.Option(help="The address to listen on.")]
PortOption = Annotated[int, typer.Option(min=0, max=65535, help="0: any free port.")]
DatabaseOption = Annotated[
    str,
    typer.Option(
        "--db",
        metavar="FILE|URL",
        help="SQLite file or PostgreSQL URL.",
        show_default="server.db in the data directory",
    ),
]
KeyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--api-key",
        envvar="FLOWDBG_SERVER_KEY",
        help="A key that callers must send; may be repeated. Needed on other hosts.",
    ),
]
RetentionOption = Annotated[
    float | None,
    typer.Option(metavar="DAYS", min=0, help="Remove the records of finished runs after this."),
]
CaptureOption = Annotated[
    str,
    typer.Option(
        metavar="full|redacted|metadata_only|off",
        help="How much of inputs and outputs the runs' records keep.",
    ),
]
RateOption = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="Requests a minute for each caller.")
]
StrictOption = Annotated[
    bool, typer.Option("--strict-first-call", help="Refuse a later step without a run.")
]
PrivateOption = Annotated[
    bool,
    typer.Option(
        "--allow-private-http", help="Let http blocks reach loopback and private addresses."
    ),
]
ReloadOption = Annotated[
    bool, typer.Option("--reload", help="Watch the flow files and report every change.")
]
LogFormatOption = Annotated[str, typer.Option(metavar="text|json", help="The log's form.")]
ChildOption = Annotated[bool, typer.Option("--child", hidden=True)]


def serve(
    paths: PathsArgument,
    *,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8080,
    db: DatabaseOption = "",
    api_key: KeyOption = None,
    retention: RetentionOption = None,
    capture: CaptureOption = "metadata_only",
    rate_limit: RateOption = None,
    strict_first_call: StrictOption = False,
    allow_private_http: PrivateOption = False,
    reload: ReloadOption = False,
    log_format: LogFormatOption = "text",
    child: ChildOption = False,
) -> None:
    """Serve flow files over HTTP, with publishing, run records and the step protocol."""
    from flowdbg.engine.services import EngineSettings
    from flowdbg.errors import UsageError
    from flowdbg.server.logs import read_format, set_up_logging
    from flowdbg.server.service import Service
    from flowdbg.server.settings import ServerSettings, read_capture

    _need_paths(paths)
    form = read_format(log_format)
    database, hold = (db, None) if db else _default_database(paths, child=child)
    settings = ServerSettings(
        paths=paths,
        database=database,
        hold=hold,
        host=host,
        port=port,
        api_keys=tuple(api_key or ()),
        retention_days=retention,
        capture=read_capture(capture),
        rate_limit=rate_limit,
        strict_first_call=strict_first_call,
        engine=EngineSettings(allow_private_http=allow_private_http),
        reload=reload,
    )
    if any(not key.strip() for key in settings.api_keys):
        raise UsageError("An `--api-key` is empty.", "Give a key, or leave the flag out.")
    service = Service(settings)
    set_up_logging(form)
    if child:
        _run_as_child(service)
    else:
        service.run(_announce)


def _need_paths(paths: list[Path]) -> None:
    from flowdbg.errors import UsageError

    for path in paths:
        if not path.exists():
            raise UsageError(f"There is no file or folder {path}.", "Name flow files or folders.")


def _default_database(paths: list[Path], *, child: bool) -> tuple[str, FileHold | None]:
    """The database in the data directory; a child has one of its own for its flow file."""
    from flowdbg.config.paths import data_dir

    if not child:
        return str(data_dir() / "server.db"), None
    from flowdbg.server.storage.location import free_slot

    path, hold = free_slot(data_dir() / "servers", paths)
    return str(path), hold


def _announce(url: str, server: FlowServer) -> None:
    """Say where the server listens and what it serves."""
    typer.echo(f"Listening on {url}")
    drafts = server.drafts.current
    for draft in drafts:
        if draft.problems:
            typer.echo(f"  {draft.path}: broken, see below", err=True)
            for problem in draft.problems:
                typer.echo(f"    {problem}", err=True)
        else:
            typer.echo(f"  {draft.address}  ({draft.path})")
    if not drafts:
        typer.echo("  no *.flow.yaml files there yet")
    sys.stdout.flush()


def _run_as_child(service: Service) -> None:
    """Tell the parent in one line of JSON where to call; stop when it closes our input."""
    import json
    import threading

    from flowdbg.server.parent import wait_for_end

    def announce(url: str, server: FlowServer) -> None:
        flows = [str(draft.address) for draft in server.drafts.current if draft.address]
        typer.echo(json.dumps({"url": url, "flows": flows}))
        sys.stdout.flush()

    watching = threading.Thread(target=wait_for_end, args=(service.stop,), daemon=True)
    watching.start()
    service.run(announce)
