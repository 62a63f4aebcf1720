"""`flowdbg publish`, `versions` and `promote`: clients of a running server's publishing routes."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flowdbg.cli import options

if TYPE_CHECKING:
    from flowdbg.dialects.publishing import Publisher


def publish(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The flow file to freeze.")],
    url: options.UrlOption = "",
    profile: options.ProfileOption = "",
    production: Annotated[
        bool, typer.Option(help="Make it the version that an address without one means.")
    ] = True,
    as_json: options.JsonOption = False,
) -> None:
    """Freeze a flow file as the next version of its flow."""
    from flowdbg.core.address import parse_address
    from flowdbg.engine.definition import load_flow
    from flowdbg.errors import DefinitionError

    address = parse_address(load_flow(file).flow)
    text = file.read_text(encoding="utf-8-sig")
    try:
        answer = _ask(url, profile, lambda to: to.publish(address, text, production=production))
    except DefinitionError as error:
        problems = [replace(problem, file=str(file)) for problem in error.problems]
        raise DefinitionError(problems) from error
    if as_json:
        typer.echo(json.dumps(answer))
        return
    typer.echo(f"Published {address}@{answer['version']}")
    if answer["production"]:
        typer.echo("It is the production version now.")
    else:
        hint = f"flowdbg promote {address} {answer['version']}"
        typer.echo(f"Production stays as it was; to change it: {hint}")


def versions(
    flow: options.FlowArgument,
    url: options.UrlOption = "",
    profile: options.ProfileOption = "",
    as_json: options.JsonOption = False,
) -> None:
    """List the published versions of a flow."""
    from flowdbg.core.address import parse_address
    from flowdbg.present.safe_text import safe_line

    address = parse_address(flow)
    answer = _ask(url, profile, lambda server: server.versions(address))
    if as_json:
        typer.echo(json.dumps(answer))
        return
    for version in answer["versions"]:
        mark = "  production" if version["production"] else ""
        created = safe_line(version["createdAt"][:19].replace("T", " "))
        typer.echo(f"v{version['version']:<5} {created}  {safe_line(version['hash'][:12])}{mark}")
    if not answer["versions"]:
        typer.echo(f"Nothing is published of {flow} yet. Publish its file: flowdbg publish FILE")


def promote(
    flow: options.FlowArgument,
    version: Annotated[int, typer.Argument(metavar="VERSION", help="The version's number.")],
    url: options.UrlOption = "",
    profile: options.ProfileOption = "",
    as_json: options.JsonOption = False,
) -> None:
    """Make a version the one that an address without a version means."""
    from flowdbg.core.address import parse_address

    address = parse_address(flow)
    answer = _ask(url, profile, lambda server: server.promote(address, version))
    if as_json:
        typer.echo(json.dumps(answer))
    else:
        typer.echo(f"{flow} runs version {answer['production']} in production now.")


def _ask(
    url: str, profile: str, question: Callable[[Publisher], Awaitable[dict[str, Any]]]
) -> dict[str, Any]:
    """One question to the server that the flags name."""
    import asyncio

    from flowdbg.cli.servers import find_server
    from flowdbg.dialects.targets import make_publisher

    async def ask() -> dict[str, Any]:
        server = find_server(url=url, profile=profile)
        publisher = make_publisher(server.dialect, url=server.url, key=server.key)
        try:
            return await question(publisher)
        finally:
            await publisher.aclose()

    return asyncio.run(ask())
