"""The commands of `flowdbg`, put together."""

from __future__ import annotations

import typer

from flowdbg import __version__
from flowdbg.cli import (
    check,
    configure,
    debug,
    demo,
    doctor,
    execute,
    jobs,
    model,
    publishing,
    run,
    runs,
    serve,
    sessions,
    trace,
)

app = typer.Typer(
    name="flowdbg",
    help="The terminal debugger for flows: published pipelines of LLM and code steps.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"flowdbg {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _without_command(
    context: typer.Context,
    _version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Show the version."
    ),
) -> None:
    if context.invoked_subcommand is None:
        from flowdbg.cli.screen import Screen

        Screen().pick()


app.command()(debug.debug)
app.command()(run.run)
app.command()(demo.demo)
app.add_typer(sessions.app, name="sessions")
app.command()(execute.execute)
app.add_typer(jobs.app, name="jobs")
app.command()(runs.runs)
app.command()(trace.trace)
app.command()(serve.serve)
app.command()(publishing.publish)
app.command()(publishing.versions)
app.command()(publishing.promote)
app.command()(check.check)
app.add_typer(model.app, name="model")
app.add_typer(configure.app, name="config")
app.command()(doctor.doctor)
