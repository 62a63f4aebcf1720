"""Flags that several commands share, written once."""

from __future__ import annotations

from pathlib import Path
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
SessionArgument = Annotated[
    str,
    typer.Argument(
        metavar="SESSION",
        help="A session's id, or the beginning or end of one.",
        autocompletion=completing.sessions,
    ),
]
SessionsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="SESSION...",
        help="Sessions' ids, or the beginnings or ends of them.",
        autocompletion=completing.sessions,
    ),
]
NameArgument = Annotated[
    str,
    typer.Argument(metavar="NAME", help="The profile's name.", autocompletion=completing.profiles),
]
MessageOption = Annotated[
    str | None, typer.Option("--message", "-m", help="The run's message (its first input).")
]
ParameterOption = Annotated[
    list[str] | None,
    typer.Option("--param", "-p", metavar="NAME=VALUE", help="An input; NAME:=JSON for JSON."),
]
ParamsFileOption = Annotated[
    Path | None, typer.Option("--params", metavar="FILE", help="Inputs as a JSON object; - reads.")
]
UrlOption = Annotated[
    str,
    typer.Option("--url", help="The server [default: $FLOWDBG_URL or http://127.0.0.1:8080]."),
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
