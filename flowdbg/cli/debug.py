"""`flowdbg debug`: the debugger on a screen, paused before the first step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from flowdbg.cli import options
from flowdbg.cli.asked import Asked, Tools, asked_flags, spread, tool_flags
from flowdbg.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager

    from flowdbg.debugger import Debugger
    from flowdbg.present.tips import Tip


@spread(asked=asked_flags, tools=tool_flags)
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

    if run:
        opened = open_run(run, target=target, url=url, profile=profile)
        show(opened, theme=theme, ascii_only=ascii_only)
        return
    if not target:
        raise UsageError("There is nothing to debug.", "Name a TARGET, or a finished --run.")
    opening = Opening(target, asked, tools, override_output or (), url, profile)
    show(open_new(opening), theme=theme, ascii_only=ascii_only)


def show(
    opened: AbstractAsyncContextManager[Debugger],
    *,
    theme: str = "",
    ascii_only: bool = False,
    tips: Sequence[Tip] = (),
) -> None:
    """Open a debugger and show it until the person quits.

    Raises:
        UsageError: There is no terminal; nothing was opened.
    """
    import asyncio

    from flowdbg.cli.terminal import check_terminal

    check_terminal()
    asyncio.run(show_sessions(opened, theme=theme, ascii_only=ascii_only, tips=tips))


async def show_sessions(
    opened: AbstractAsyncContextManager[Debugger],
    *,
    theme: str = "",
    ascii_only: bool = False,
    tips: Sequence[Tip] = (),
) -> None:
    """Show a session, then each other one that the person goes over to, until they quit."""
    import os

    from flowdbg.cli.opening import open_stored
    from flowdbg.cli.terminal import read_keys
    from flowdbg.config import paths
    from flowdbg.config.settings import load_settings
    from flowdbg.tui.app import DebugApp

    settings = load_settings(paths.config_file(), os.environ).settings
    while True:
        async with opened as debugger:
            app = DebugApp(
                debugger,
                theme=theme or settings.theme,
                ascii_only=ascii_only or settings.ascii,
                tips=tips,
                keys=settings.keys,
                keymap=settings.keymap,
                clipboard=settings.clipboard,
            )
            read_keys()
            chosen = await app.run_async()
        if chosen is None:
            return
        opened, tips = open_stored(chosen), ()
