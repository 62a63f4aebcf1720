"""`flowdbg publish`, `versions` and `promote`: clients of a running server's publishing routes."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flowdbg.cli import options
from flowdbg.cli.ending import finish

if TYPE_CHECKING:
    from flowdbg.cli.servers import Server
    from flowdbg.core.address import FlowAddress
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

    async def go() -> int:
        from flowdbg.cli.servers import server_flags
        from flowdbg.core.address import parse_address
        from flowdbg.engine.definition import load_flow

        address = parse_address(load_flow(file).flow)
        async with _publisher(url, profile) as (server, _):
            answer = await _published(server, address, file, production)
        hint = f"flowdbg promote {address} {answer['version']}{server_flags(url, profile)}"
        stays = f"Production stays as it was; to change it: {hint}"
        _tell(
            answer,
            f"Published {address}@{answer['version']}",
            "It is the production version now." if answer["production"] else stays,
            as_json=as_json,
        )
        return 0

    finish(go(), as_json=as_json)


def versions(
    flow: options.FlowArgument,
    url: options.UrlOption = "",
    profile: options.ProfileOption = "",
    as_json: options.JsonOption = False,
) -> None:
    """List the published versions of a flow."""

    async def go() -> int:
        from flowdbg.core.address import parse_address

        async with _publisher(url, profile) as (server, place):
            answer = await server.versions(parse_address(place.complete(flow)))
        lines = [
            f"v{version['version']:<5} {version['createdAt'][:19].replace('T', ' ')}  "
            f"{version['hash'][:12]}{'  production' if version['production'] else ''}"
            for version in answer["versions"]
        ]
        none = f"Nothing is published of {flow} yet. Publish its file: flowdbg publish FILE"
        _tell(answer, *(lines or [none]), as_json=as_json)
        return 0

    finish(go(), as_json=as_json)


def promote(
    flow: options.FlowArgument,
    version: Annotated[int, typer.Argument(metavar="VERSION", help="The version's number.")],
    url: options.UrlOption = "",
    profile: options.ProfileOption = "",
    as_json: options.JsonOption = False,
) -> None:
    """Make a version the one that an address without a version means."""

    async def go() -> int:
        from flowdbg.core.address import parse_address

        async with _publisher(url, profile) as (server, place):
            answer = await server.promote(parse_address(place.complete(flow)), version)
        said = f"{flow} runs version {answer['production']} in production now."
        _tell(answer, said, as_json=as_json)
        return 0

    finish(go(), as_json=as_json)


@asynccontextmanager
async def _publisher(url: str, profile: str) -> AsyncIterator[tuple[Publisher, Server]]:
    """The server that the flags name, and how it is called."""
    from flowdbg.cli.servers import find_server
    from flowdbg.dialects.targets import make_publisher

    server = find_server(url=url, profile=profile)
    publisher = make_publisher(server.dialect, url=server.url, key=server.key)
    try:
        yield publisher, server
    finally:
        await publisher.aclose()


async def _published(
    server: Publisher, address: FlowAddress, file: Path, production: bool
) -> dict[str, Any]:
    """The server's answer; what it finds wrong is said with the file's name."""
    from flowdbg.errors import DefinitionError

    text = file.read_text(encoding="utf-8-sig")
    try:
        return await server.publish(address, text, production=production)
    except DefinitionError as error:
        problems = [replace(problem, file=str(file)) for problem in error.problems]
        raise DefinitionError(problems) from error


def _tell(answer: dict[str, Any], *lines: str, as_json: bool) -> None:
    from flowdbg.headless.lines import write_line
    from flowdbg.present.safe_text import safe_line

    if as_json:
        write_line(sys.stdout, answer)
        return
    for line in lines:
        typer.echo(safe_line(line))
