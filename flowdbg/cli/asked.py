"""What a run is asked with, as typed: the flags that debug, run, execute and jobs have in common.

The fields of a class here are flags. `spread` gives a command the flags of a class in place of a
parameter of its own, so that each flag is written once.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from flowdbg.cli import options


@dataclass(frozen=True, slots=True)
class Asked:
    """The inputs of a run, and what is changed about its blocks."""

    message: Annotated[
        str | None, typer.Option("--message", "-m", help="The run's message (its first input).")
    ] = None
    parameters: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", metavar="NAME=VALUE", help="An input; NAME:=JSON for JSON."),
    ] = None
    params_file: Annotated[
        Path | None,
        typer.Option("--params", metavar="FILE", help="Inputs as a JSON object; - reads."),
    ] = None
    block_overrides: options.BlockOverrideOption = None
    attachments: Annotated[
        list[str] | None,
        typer.Option("--attach", metavar="URL[=TYPE]", help="An image by its https URL; up to 10."),
    ] = None
    trace: Annotated[
        bool, typer.Option("--trace", help="Keep whole inputs and outputs in the run's trace.")
    ] = False


@dataclass(frozen=True, slots=True)
class Tools:
    """The tools of a run, and what answers their calls."""

    file: Annotated[
        Path | None,
        typer.Option("--tools", metavar="FILE", help="Tool definitions: a JSON list; - reads."),
    ] = None
    choice: Annotated[
        str, typer.Option("--tool-choice", help="auto, none, required, or a tool's name.")
    ] = ""
    handler: Annotated[
        str,
        typer.Option("--tool-handler", metavar="MODULE:FUNCTION", help="Answers tool calls."),
    ] = ""
    command: Annotated[
        str,
        typer.Option(
            "--tool-exec", metavar="COMMAND", help="Answers tool calls: JSON in on stdin, JSON out."
        ),
    ] = ""
    timeout: Annotated[
        float, typer.Option("--tool-timeout", min=0.1, help="Seconds that a tool call may take.")
    ] = 60.0
    rounds: Annotated[
        int,
        typer.Option("--max-tool-rounds", min=1, help="How often the handler may be asked."),
    ] = 10


def spread(**classes: type) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the flags of a class in place of its parameter of that name."""
    flags = {name: inspect.signature(one, eval_str=True) for name, one in classes.items()}

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        parameters: list[inspect.Parameter] = []
        for name, own in inspect.signature(command, eval_str=True).parameters.items():
            given = flags[name].parameters.values() if name in flags else [own]
            parameters += [one.replace(kind=one.KEYWORD_ONLY) for one in given]

        def called(**values: Any) -> None:
            for name, one in classes.items():
                values[name] = one(**{flag: values.pop(flag) for flag in flags[name].parameters})
            command(**values)

        called.__name__, called.__doc__ = command.__name__, command.__doc__
        called.__annotations__ = {one.name: one.annotation for one in parameters}
        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return called

    return decorate
