"""What a run is asked with, as typed: the flags that debug, run, execute and jobs have in common.

A reader declares flags and makes one value of them; `spread` gives a command the flags of a reader
in place of a parameter of its own, so that each flag is written once.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowdbg.cli import options, run_options


@dataclass(frozen=True, slots=True)
class Asked:
    """The inputs of a run, and what is changed about its blocks."""

    message: str | None = None
    parameters: Sequence[str] = ()
    """`NAME=VALUE` or `NAME:=JSON`."""
    params_file: Path | None = None
    block_overrides: Sequence[str] = ()
    """`STEP.FIELD=VALUE`."""
    attachments: Sequence[str] = ()
    trace: bool = False


@dataclass(frozen=True, slots=True)
class Tools:
    """The tools of a run, and what answers their calls."""

    file: Path | None = None
    choice: str = ""
    handler: str = ""
    command: str = ""
    timeout: float = 60.0
    rounds: int = 10


def asked_flags(
    message: options.MessageOption = None,
    param: options.ParameterOption = None,
    params: options.ParamsFileOption = None,
    override_block: options.BlockOverrideOption = None,
    attach: run_options.AttachOption = None,
    trace: run_options.TraceOption = False,
) -> Asked:
    """The flags of a run's inputs."""
    blocks, images = tuple(override_block or ()), tuple(attach or ())
    return Asked(message, tuple(param or ()), params, blocks, images, trace)


def tool_flags(
    tools: run_options.ToolsOption = None,
    tool_choice: run_options.ToolChoiceOption = "",
    tool_handler: run_options.ToolHandlerOption = "",
    tool_exec: run_options.ToolExecOption = "",
    tool_timeout: run_options.ToolTimeoutOption = 60.0,
    max_tool_rounds: run_options.MaxToolRoundsOption = 10,
) -> Tools:
    """The flags of a run's tools."""
    return Tools(tools, tool_choice, tool_handler, tool_exec, tool_timeout, max_tool_rounds)


def spread(
    **readers: Callable[..., Any],
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the flags of a reader in place of its parameter of that name."""
    flags = {name: inspect.signature(read, eval_str=True) for name, read in readers.items()}

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        parameters: list[inspect.Parameter] = []
        for name, own in inspect.signature(command, eval_str=True).parameters.items():
            given = flags[name].parameters.values() if name in flags else [own]
            parameters += [one.replace(kind=one.KEYWORD_ONLY) for one in given]

        def called(**values: Any) -> None:
            for name, read in readers.items():
                values[name] = read(**{flag: values.pop(flag) for flag in flags[name].parameters})
            command(**values)

        called.__name__, called.__doc__ = command.__name__, command.__doc__
        called.__annotations__ = {one.name: one.annotation for one in parameters}
        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return called

    return decorate
