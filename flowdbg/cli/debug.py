"""`flowdbg debug`: the debugger on a screen, paused before the first step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowdbg.cli import options

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager

    from flowdbg.debugger import Debugger
    from flowdbg.present.tips import Tip


def debug(
    target: options.TargetArgument,
    message: options.MessageOption = None,
    param: options.ParameterOption = None,
    params: options.ParamsFileOption = None,
    url: options.UrlOption = "",
    profile: options.ProfileOption = "",
    override_output: options.OutputOverrideOption = None,
    override_block: options.BlockOverrideOption = None,
    theme: options.ThemeOption = "",
    ascii_only: options.AsciiOption = False,
) -> None:
    """Debug a flow on the screen, paused before its first step."""
    from flowdbg.cli.opening import Opening, open_new

    opening = Opening(
        target,
        message,
        param or (),
        params,
        url=url,
        profile=profile,
        output_overrides=override_output or (),
        block_overrides=override_block or (),
    )
    show(open_new(opening), theme=theme, ascii_only=ascii_only)


def show(
    opened: AbstractAsyncContextManager[Debugger],
    *,
    theme: str = "",
    ascii_only: bool = False,
    tips: Sequence[Tip] = (),
) -> None:
    """Open a debugger and show it until the person quits."""
    import asyncio

    asyncio.run(_show(opened, theme, ascii_only, tips))


async def _show(
    opened: AbstractAsyncContextManager[Debugger],
    theme: str,
    ascii_only: bool,
    tips: Sequence[Tip],
) -> None:
    from flowdbg.tui.app import DebugApp

    async with opened as debugger:
        app = DebugApp(debugger, theme=theme, ascii_only=ascii_only, tips=tips)
        await app.run_async()
