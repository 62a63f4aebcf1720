"""`flowdbg check`: everything wrong with flow files, at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def check(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE...", help="Flow files.")
    ] = None,
    schema: Annotated[
        bool,
        typer.Option("--schema", help="Print the JSON Schema of flow files, for editors."),
    ] = False,
) -> None:
    """Say everything that is wrong with flow files, with line and field.

    Exit code 0 when all of them are right, 2 otherwise.
    """
    import json

    from flowdbg.engine.definition import load_flow
    from flowdbg.errors import DefinitionError, UsageError
    from flowdbg.present.safe_text import safe_text

    if schema:
        from flowdbg.engine.format_schema import flow_schema

        typer.echo(json.dumps(flow_schema(), indent=2, ensure_ascii=False))
        return
    if not files:
        raise UsageError("No flow file is named.", "Write flowdbg check FILE...")
    wrong = 0
    for file in files:
        try:
            definition = load_flow(file)
        except DefinitionError as error:
            wrong += len(error.problems)
            typer.echo(safe_text(str(error)))
        else:
            count = len(definition.steps)
            steps = "1 step" if count == 1 else f"{count} steps"
            typer.echo(safe_text(f"{file}: {definition.flow}, {steps}: right"))
    if wrong:
        problems = "1 problem" if wrong == 1 else f"{wrong} problems"
        typer.echo(f"{problems} found")
        raise typer.Exit(2)
