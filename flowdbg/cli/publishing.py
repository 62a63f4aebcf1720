"""`flowdbg publish`, `versions` and `promote`: clients of a running server's publishing routes."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from flowdbg.cli import options
from flowdbg.cli.ending import finish

if TYPE_CHECKING:
    from flowdbg.cli.servers import Server
    from flowdbg.dialects.publishing import Publisher

Told = tuple[dict[str, Any], list[str]]
"""A server's answer: as it is, and in lines for people."""


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

    async def ask(publisher: Publisher, _server: Server) -> Told:
        from flowdbg.cli.servers import server_flags
        from flowdbg.core.address import parse_address
        from flowdbg.engine.definition import load_flow
        from flowdbg.errors import DefinitionError

        address = parse_address(load_flow(file).flow)
        text = file.read_text(encoding="utf-8-sig")
        try:
            answer = await publisher.publish(address, text, production=production)
        except DefinitionError as error:
            problems = [replace(problem, file=str(file)) for problem in error.problems]
            raise DefinitionError(problems) from error
        said = "It is the production version now."
        if not answer["production"]:
            hint = f"flowdbg promote {address} {answer['version']}{server_flags(url, profile)}"
            said = f"Production stays as it was; to change it: {hint}"
        return answer, [f"Published {address}@{answer['version']}", said]

    _finish(ask, url, profile, as_json=as_json)


def versions(
    flow: options.FlowArgument,
    url: options.UrlOption = "",
    profile: options.ProfileOption = "",
    as_json: options.JsonOption = False,
) -> None:
    """List the published versions of a flow."""

    async def ask(publisher: Publisher, server: Server) -> Told:
        from flowdbg.core.address import parse_address

        answer = await publisher.versions(parse_address(server.complete(flow)))
        lines = [
            f"v{version['version']:<5} {version['createdAt'][:19].replace('T', ' ')}  "
            f"{version['hash'][:12]}{'  production' if version['production'] else ''}"
            for version in answer["versions"]
        ]
        none = f"Nothing is published of {flow} yet. Publish its file: flowdbg publish FILE"
        return answer, lines or [none]

    _finish(ask, url, profile, as_json=as_json)


def promote(
    flow: options.FlowArgument,
    version: Annotated[int, typer.Argument(metavar="VERSION", help="The version's number.")],
    url: options.UrlOption = "",
    profile: options.ProfileOption = "",
    as_json: options.JsonOption = False,
) -> None:
    """Make a version the one that an address without a version means."""

    async def ask(publisher: Publisher, server: Server) -> Told:
        from flowdbg.core.address import parse_address

        answer = await publisher.promote(parse_address(server.complete(flow)), version)
        return answer, [f"{flow} runs version {answer['production']} in production now."]

    _finish(ask, url, profile, as_json=as_json)


def _finish(
    ask: Callable[[Publisher, Server], Awaitable[Told]], url: str, profile: str, *, as_json: bool
) -> NoReturn:
    """Ask the server that the flags name, print its answer, and end."""
    from flowdbg.cli.servers import find_server
    from flowdbg.dialects.targets import make_publisher
    from flowdbg.headless.lines import write_line
    from flowdbg.present.safe_text import safe_line

    async def go() -> int:
        server = find_server(url=url, profile=profile)
        publisher = make_publisher(server.dialect, url=server.url, key=server.key)
        try:
            answer, lines = await ask(publisher, server)
        finally:
            await publisher.aclose()
        if as_json:
            write_line(sys.stdout, answer)
        else:
            typer.echo("\n".join(map(safe_line, lines)))
        return 0

    finish(go(), as_json=as_json)
