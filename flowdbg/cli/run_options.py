"""Flags about runs: their tools, attachments and tags."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flowdbg.cli import completing

VersionOption = Annotated[
    str,
    typer.Option(
        "--version",
        metavar="VERSION",
        help="production, draft, or a number; also as TARGET@VERSION [default: production].",
    ),
]
AttachOption = Annotated[
    list[str] | None,
    typer.Option("--attach", metavar="URL[=TYPE]", help="An image by its https URL; up to 10."),
]
TraceOption = Annotated[
    bool, typer.Option("--trace", help="Keep whole inputs and outputs in the run's trace.")
]
SessionIdOption = Annotated[
    str, typer.Option("--session-id", metavar="TAG", help="Tag the run, to find it again.")
]
MessagesOption = Annotated[
    Path | None,
    typer.Option("--messages", metavar="FILE", help="A conversation (JSON) for the message."),
]
ToolsOption = Annotated[
    Path | None,
    typer.Option("--tools", metavar="FILE", help="Tool definitions: a JSON list; - reads."),
]
ToolChoiceOption = Annotated[
    str, typer.Option("--tool-choice", help="auto, none, required, or a tool's name.")
]
ToolHandlerOption = Annotated[
    str,
    typer.Option("--tool-handler", metavar="MODULE:FUNCTION", help="Answers tool calls."),
]
ToolExecOption = Annotated[
    str,
    typer.Option(
        "--tool-exec", metavar="COMMAND", help="Answers tool calls: JSON in on stdin, JSON out."
    ),
]
ToolTimeoutOption = Annotated[
    float, typer.Option("--tool-timeout", min=0.1, help="Seconds that a tool call may take.")
]
MaxToolRoundsOption = Annotated[
    int, typer.Option("--max-tool-rounds", min=1, help="How often the handler may be asked.")
]
ResumeOption = Annotated[
    str,
    typer.Option(
        "--resume",
        metavar="RUN",
        help="Go on with a run that waits for tools.",
        autocompletion=completing.waiting_runs,
    ),
]
ToolResultOption = Annotated[
    list[str] | None,
    typer.Option("--tool-result", metavar="CALL=JSON", help="Answer a call of --resume."),
]
