"""Flags that several commands share, written once."""

from __future__ import annotations

from typing import Annotated

import typer

from flowdbg.cli import completing

TargetArgument = Annotated[
    str,
    typer.Argument(
        metavar="TARGET",
        help="org/project/flow[@VERSION], or a flow file.",
        autocompletion=completing.targets,
    ),
]
FlowArgument = Annotated[
    str,
    typer.Argument(metavar="FLOW", help="org/project/flow.", autocompletion=completing.flows),
]
UrlOption = Annotated[
    str,
    typer.Option(
        "--url",
        help="The server's address.",
        show_default="$FLOWDBG_URL or http://127.0.0.1:8080",
    ),
]
OutputOverrideOption = Annotated[
    list[str] | None,
    typer.Option(
        "--override-output", metavar="STEP=JSON", help="Stand in for a step's output; or =@file."
    ),
]
SkipOption = Annotated[
    list[str] | None,
    typer.Option("--skip", metavar="STEP", help="Do not run it: its overridden output stands in."),
]
BlockOverrideOption = Annotated[
    list[str] | None,
    typer.Option(
        "--override-block", metavar="STEP.FIELD=VALUE", help="Change a block's field; or =@file."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")]
UntilOption = Annotated[str, typer.Option("--until", metavar="STEP", help="Stop before this step.")]
RunRemainingOption = Annotated[
    bool, typer.Option("--run-remaining", help="Run everything in one call.")
]
AsciiOption = Annotated[bool, typer.Option("--ascii", help="Draw with ASCII characters only.")]
ThemeOption = Annotated[
    str, typer.Option("--theme", help="The colour theme.", autocompletion=completing.themes)
]
ProfileOption = Annotated[
    str,
    typer.Option("--profile", "-P", help="A named server.", autocompletion=completing.profiles),
]
VersionOption = Annotated[
    str,
    typer.Option(
        "--version",
        metavar="VERSION",
        help="production, draft, or a number; also as TARGET@VERSION.",
        show_default="production",
    ),
]
SessionIdOption = Annotated[
    str, typer.Option("--session-id", metavar="TAG", help="Tag the run, to find it again.")
]
