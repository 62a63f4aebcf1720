"""`flowdbg doctor`: what works here, what does not, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import typer

from flowdbg.cli import options

if TYPE_CHECKING:
    from flowdbg.core.plan import Plan
    from flowdbg.dialects.target import Capabilities
    from flowdbg.transport.client import HttpClient


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    about: str
    verdict: str
    """`ok`, `note` (works, but know this) or `bad`."""
    what: str
    next_step: str = ""


def doctor(
    target: options.TargetArgument = "",
    url: options.UrlOption = "",
    profile: options.ProfileOption = "",
    as_json: options.JsonOption = False,
) -> None:
    """Check versions, the terminal, the server, the key, proxies, the store and the model.

    With a TARGET also what can be done with this flow on its server, and how exactly.
    Ends with 1 when something is bad.
    """
    import json

    findings = list(_findings(target, url, profile))
    for finding in findings:
        if as_json:
            typer.echo(json.dumps(asdict(finding)))
            continue
        typer.echo(f"{finding.verdict:4}  {finding.about:9} {finding.what}")
        if finding.next_step:
            typer.echo(f"                {finding.next_step}")
    if any(finding.verdict == "bad" for finding in findings):
        raise typer.Exit(1)


def _findings(target: str, url: str, profile: str) -> Iterator[Finding]:
    from flowdbg.errors import FlowdbgError
    from flowdbg.present.safe_text import safe_line

    checks: tuple[tuple[str, Callable[[], Iterator[Finding]]], ...] = (
        ("versions", _versions),
        ("terminal", _terminal),
        ("settings", lambda: _settings(profile)),
        ("server", lambda: _server(url, profile)),
        ("store", _store),
        ("model", _model),
        ("flow", lambda: _flow(target, url, profile) if target else iter(())),
    )
    for about, check in checks:
        try:
            yield from check()
        except FlowdbgError as error:
            yield Finding(about, "bad", safe_line(error.what), safe_line(error.next_step))


def _versions() -> Iterator[Finding]:
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from flowdbg import __version__

    names = ["textual", "httpx", "pydantic", "tree-sitter", "starlette", "openai", "xllamacpp"]
    found = []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} not installed")
    python = platform.python_version()
    what = f"flowdbg {__version__}, Python {python}"
    yield Finding("versions", "ok", what)
    yield Finding("packages", "ok", ", ".join(found))


def _terminal() -> Iterator[Finding]:
    import os
    import shutil
    import sys

    size = shutil.get_terminal_size()
    term = os.environ.get("TERM", "")
    colours = "no colour" if os.environ.get("NO_COLOR") else os.environ.get("COLORTERM") or "basic"
    what = f"{term or 'no TERM'}, {size.columns}x{size.lines}, colours: {colours}"
    if not os.isatty(2):
        yield Finding("terminal", "note", f"{what}; this is not a terminal", "Use flowdbg run.")
    elif size.columns < 60 or size.lines < 16:
        yield Finding("terminal", "bad", what, "Make it at least 60x16; 80x24 is comfortable.")
    else:
        yield Finding("terminal", "ok", what)
    encoding = (sys.stdout.encoding or "").lower()
    if "utf" not in encoding:
        yield Finding("terminal", "note", f"it writes {encoding or '?'}", "Use --ascii.")
    if os.environ.get("TMUX"):
        hint = "tmux set -g set-clipboard on; tmux set -g escape-time 10"
        yield Finding("terminal", "note", "inside tmux, copying needs its clipboard on", hint)


def _settings(profile: str) -> Iterator[Finding]:
    import os

    from flowdbg.config import paths
    from flowdbg.config.settings import find_profile, load_settings

    file = paths.config_file()
    loaded = load_settings(file, os.environ)
    find_profile(loaded.settings, profile)
    where = str(file) if file.exists() else f"{file} (not there; all defaults)"
    yield Finding("settings", "ok", where)


def _server(url: str, profile: str) -> Iterator[Finding]:
    import asyncio

    from flowdbg.cli.servers import find_server
    from flowdbg.errors import TargetError
    from flowdbg.present.safe_text import safe_line
    from flowdbg.transport.client import HttpClient

    server = find_server(url=url, profile=profile)
    client = HttpClient(server.url.removesuffix("/api/v1"))
    if client.proxy:
        yield Finding("proxy", "note", f"requests to {server.url} go through {client.proxy}")
    else:
        yield Finding("proxy", "ok", f"none for {server.url}")
    key = "set" if server.key() else "not set (the embedded server needs none)"
    yield Finding("key", "ok", f"{server.key_source}: {key}")
    try:
        odd = asyncio.run(_ask(client))
    except TargetError as error:
        if url or server.profile:
            raise
        hint = "Start one (flowdbg serve PATH), or name one (--url, --profile)."
        yield Finding("server", "note", safe_line(error.what), hint)
    else:
        if odd:
            yield Finding("server", "note", safe_line(f"{server.url} answers, but oddly: {odd}"))
        else:
            yield Finding("server", "ok", f"{server.url} answers")


async def _ask(client: HttpClient) -> str:
    """Reach the server; any answer at all will do, only silence is bad. Says what is odd in it."""
    from flowdbg.errors import ProtocolViolation, Refused, ServerFailed

    try:
        await client.get_json("/healthz", timeout=10)
    except (ServerFailed, ProtocolViolation) as error:
        return error.what
    except Refused:  # other servers have no such route, or want a key for it
        return ""
    else:
        return ""
    finally:
        await client.aclose()


def _store() -> Iterator[Finding]:
    import tempfile

    from flowdbg.config import paths
    from flowdbg.store import list_sessions

    directory = paths.sessions_dir()
    parent = next(path for path in (directory, *directory.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=parent):
            pass
    except OSError as error:
        what = f"{parent} cannot be written: {error.strerror}"
        yield Finding("store", "bad", what, "Set XDG_DATA_HOME to another folder.")
        return
    sessions = list_sessions(directory)
    broken = sum(bool(summary.problem) for summary in sessions)
    what = f"{len(sessions)} sessions in {directory}"
    if broken:
        yield Finding("store", "note", f"{what}, {broken} of them unreadable")
    else:
        yield Finding("store", "ok", what)


def _model() -> Iterator[Finding]:
    import importlib.util

    from flowdbg.config import paths

    if importlib.util.find_spec("openai") is None:
        yield Finding("model", "note", "the embedded server is not installed", "flowdbg[local]")
        return
    from flowdbg.engine.models.store import model_path

    path = model_path(paths.cache_dir())
    if path:
        yield Finding("model", "ok", f"offline model at {path}")
    else:
        yield Finding("model", "note", "the offline model is not here", "flowdbg model pull")


def _flow(target: str, url: str, profile: str) -> Iterator[Finding]:
    """Whether a flow can be had, and what its server can do with it."""
    import asyncio
    import dataclasses

    from flowdbg.present.formats import plural
    from flowdbg.present.safe_text import safe_line

    address, plan, capabilities = asyncio.run(_ask_flow(target, url, profile))
    if plan is None:
        what = f"{address}; the server tells no plan, so steps are known when they have run"
        yield Finding("flow", "note", what)
    else:
        version = "" if plan.version is None else f" version {plan.version}"
        yield Finding(
            "flow", "ok", safe_line(f"{address}{version}, {plural(len(plan.steps), 'step')}")
        )
    for field in dataclasses.fields(capabilities):
        ability = getattr(capabilities, field.name)
        why = f": {ability.why}" if ability.why else ""
        verdict = "ok" if ability.exactness == "exact" else "note"
        what = f"{field.name.replace('_', ' ')}: {ability.exactness}{why}"
        yield Finding("ability", verdict, what)


async def _ask_flow(target: str, url: str, profile: str) -> tuple[str, Plan | None, Capabilities]:
    """The flow's address, its plan where the server tells it, and what the target can do."""
    from contextlib import AsyncExitStack

    from flowdbg.cli.servers import locate
    from flowdbg.dialects.targets import make_target

    async with AsyncExitStack() as stack:
        place = await locate(stack, target, url=url, profile=profile)
        server = place.server
        client = make_target(server.dialect, url=server.url, address=place.address, key=server.key)
        stack.push_async_callback(client.aclose)
        return str(place.address), await client.fetch_plan(place.version), client.capabilities
