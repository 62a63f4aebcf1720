"""`flowdbg publish`, `versions` and `promote`: clients of a running server's publishing routes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from flowdbg.cli import options

FlowArgument = Annotated[str, typer.Argument(metavar="FLOW", help="org/project/flow.")]


def publish(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The flow file to freeze.")],
    url: options.UrlOption = "",
    production: Annotated[
        bool, typer.Option(help="Make it the version that an address without one means.")
    ] = True,
    as_json: options.JsonOption = False,
) -> None:
    """Freeze a flow file as the next version of its flow."""
    from flowdbg.engine.definition import load_flow
    from flowdbg.errors import DefinitionError, Problem, Refused

    definition = load_flow(file)
    body = {"definition": file.read_text(encoding="utf-8-sig"), "production": production}
    try:
        answer = _call("POST", url, f"/flows/{definition.flow}/versions", body)
    except Refused as error:
        problems = [Problem(**problem) for problem in error.detail.get("problems", ())]
        if not problems:
            raise
        raise DefinitionError([replace(item, file=str(file)) for item in problems]) from error
    if as_json:
        typer.echo(json.dumps(answer))
        return
    typer.echo(f"Published {definition.flow}@{answer['version']}")
    if answer["production"]:
        typer.echo("It is the production version now.")
    else:
        hint = f"flowdbg promote {definition.flow} {answer['version']}"
        typer.echo(f"Production stays as it was; to change it: {hint}")


def versions(
    flow: FlowArgument, url: options.UrlOption = "", as_json: options.JsonOption = False
) -> None:
    """List the published versions of a flow."""
    answer = _call("GET", url, f"/flows/{_address(flow)}/versions")
    if as_json:
        typer.echo(json.dumps(answer))
        return
    for version in answer["versions"]:
        mark = "  production" if version["production"] else ""
        created = str(version["createdAt"])[:19].replace("T", " ")
        typer.echo(f"v{version['version']:<5} {created}  {version['hash'][:12]}{mark}")
    if not answer["versions"]:
        typer.echo(f"Nothing is published of {flow} yet. Publish its file: flowdbg publish FILE")


def promote(
    flow: FlowArgument,
    version: Annotated[int, typer.Argument(metavar="VERSION", help="The version's number.")],
    url: options.UrlOption = "",
    as_json: options.JsonOption = False,
) -> None:
    """Make a version the one that an address without a version means."""
    answer = _call("PUT", url, f"/flows/{_address(flow)}/production", {"version": version})
    if as_json:
        typer.echo(json.dumps(answer))
    else:
        typer.echo(f"{flow} runs version {answer['production']} in production now.")


def _address(flow: str) -> str:
    from flowdbg.core.address import parse_address

    return str(parse_address(flow))


def _call(method: str, url: str, route: str, body: dict[str, Any] | None = None) -> Any:
    """One request to the server; returns the answer's JSON value."""
    import asyncio

    return asyncio.run(_called(method, url, route, body))


async def _called(method: str, url: str, route: str, body: dict[str, Any] | None) -> Any:
    from flowdbg.cli.servers import find_server
    from flowdbg.dialects.noukai.target import explain
    from flowdbg.transport.client import HttpClient

    server = find_server(url=url)
    client = HttpClient(server.url, headers=lambda: _headers(server.key()), explain=explain)
    try:
        if body is None:
            return (await client.get_json(route)).value
        return (await client.send_json(method, route, json.dumps(body).encode())).value
    finally:
        await client.aclose()


def _headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}
