"""`flowdbg debug`: the debugger on a screen, paused before the first step."""

from __future__ import annotations

from typing import Annotated

import typer

from flowdbg.cli import options
from flowdbg.cli.asked import Asked, Tools, spread
from flowdbg.errors import UsageError


@spread(asked=Asked, tools=Tools)
def debug(
    target: options.TargetArgument = "",
    *,
    asked: Asked,
    override_output: options.OutputOverrideOption = None,
    url: options.UrlOption = "",
    profile: options.ProfileOption = "",
    run: Annotated[
        str, typer.Option("--run", metavar="RUN", help="Open a finished run, paused at its end.")
    ] = "",
    tools: Tools,
    theme: options.ThemeOption = "",
    ascii_only: options.AsciiOption = False,
) -> None:
    """Debug a flow on the screen, paused before its first step."""
    from flowdbg.cli.opening import Opening, open_new, open_run
    from flowdbg.cli.screen import Screen

    if run:
        if override_output or (asked, tools) != (Asked(), Tools()):
            raise UsageError(
                "--run opens a run as it was; inputs, edits and tools cannot be given with it.",
                "Leave them out, and edit the run on the screen.",
            )
        opened = open_run(run, target=target, url=url, profile=profile)
    elif target:
        opened = open_new(Opening(target, asked, tools, override_output, url, profile))
    else:
        raise UsageError("There is nothing to debug.", "Name a TARGET, or a finished --run.")
    Screen(theme, ascii_only=ascii_only).show(opened)
