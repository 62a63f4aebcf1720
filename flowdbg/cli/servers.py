"""Where a command finds a flow: on a server, or in a file that gets one.

The server is that of a flag, else of a profile, else of a variable, else the local one.
"""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from flowdbg.cli.embedded import names_file, published_flow
from flowdbg.config import paths
from flowdbg.config.credentials import read_key
from flowdbg.config.settings import Settings, find_profile, load_settings
from flowdbg.core.address import FlowAddress, parse_target
from flowdbg.dialects.targets import DEFAULT_DIALECT
from flowdbg.dialects.versions import parse_run_target
from flowdbg.errors import UsageError
from flowdbg.transport.timeouts import DEFAULT_LIMITS, Limits, Timeouts

DEFAULT_URL = "http://127.0.0.1:8080/api/v1"
DEFAULT_KEY = "env:NOUKAI_API_KEY"


@dataclass(frozen=True, slots=True)
class Server:
    """A server, and how to speak to it."""

    url: str
    dialect: str = DEFAULT_DIALECT
    org: str = ""
    project: str = ""
    key_source: str = DEFAULT_KEY
    profile: str = ""
    """The profile it comes from; empty when none does."""
    production: bool = False
    """Whether the profile is marked as production."""
    limits: Limits = DEFAULT_LIMITS

    def key(self) -> str:
        """The key, read when it is needed and kept nowhere; empty when there is none."""
        return read_key(self.key_source, self.profile)

    def complete(self, target: str) -> str:
        """A target with the organisation and project of the profile, where it leaves them out."""
        address, at, version = target.partition("@")
        missing = 2 - address.count("/")
        if missing in (1, 2) and self.org and (missing == 1 or self.project):
            parts = [self.org, self.project][:missing]
            address = "/".join([*parts, address])
        return f"{address}{at}{version}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a flow was found."""

    server: Server
    address: FlowAddress
    version: int | None
    file: Path | None = None
    """The flow file that got a server of its own, which ends with the command."""


async def locate(
    stack: AsyncExitStack,
    target: str,
    *,
    url: str = "",
    profile: str = "",
    version: str | None = None,
) -> Place:
    """Find a flow; a flow file is served, published and pinned for as long as the stack is open.

    `version` is what `--version` says, where whole runs are asked for; None where a flow is
    stepped, which drafts cannot be.

    Raises:
        UsageError: The target, the version or the server is named wrongly; nothing was sent.
        ConnectionFailed: The server for a file did not come up.
    """
    if names_file(target):
        if url or profile or version:
            raise UsageError(
                "A flow file runs on a server of its own; --url, --profile and --version are for "
                "flows on another one.",
                "Publish the file there (flowdbg publish FILE --url URL), or leave them out.",
            )
        file = Path(target).absolute()
        published = await stack.enter_async_context(published_flow(file))
        server = find_server(url=published.url)
        return Place(server, published.address, published.version, file)
    server = find_server(url=url, profile=profile)
    whole = server.complete(target)
    found = parse_target(whole) if version is None else parse_run_target(whole, version)
    return Place(server, *found)


def find_server(*, url: str = "", profile: str = "") -> Server:
    """The server that flags, settings and variables name.

    Raises:
        UsageError: The URL is none, or the profile does not exist.
        ConfigError: The settings are wrong.
    """
    settings = load_settings(paths.config_file(), os.environ).settings
    if url and profile:
        raise UsageError("--url and --profile exclude each other.", "Give one of them.")
    found = None if url else find_profile(settings, profile)
    if found is None:
        named = server_url(url or settings.url or DEFAULT_URL)
        return Server(named, limits=_limits(settings))
    return Server(
        server_url(found.url),
        found.dialect or DEFAULT_DIALECT,
        found.org,
        found.project,
        found.key,
        profile or settings.profile,
        found.production,
        _limits(settings),
    )


def _limits(settings: Settings) -> Limits:
    chosen = settings.limits
    timeouts = Timeouts(chosen.connect, chosen.idle, chosen.progress)
    return Limits(timeouts, chosen.event_mib * 1024 * 1024)


def server_url(given: str) -> str:
    """A base URL as typed; `/api/v1` is added where no path is named.

    Raises:
        UsageError: It is not an http(s) URL, or it carries credentials.
    """
    try:
        parts = urlsplit(given)
        _ = parts.port
    except ValueError as error:
        raise UsageError(f"'{given}' is not a URL: {error}.", f"Write {DEFAULT_URL}.") from error
    if parts.username or parts.password:
        raise UsageError("The URL carries credentials.", "Put the key into NOUKAI_API_KEY.")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"'{given}' is not a server's URL.", f"Write it like {DEFAULT_URL}.")
    path = parts.path.rstrip("/") or "/api/v1"
    return f"{parts.scheme}://{parts.netloc}{path}"


def server_flags(url: str, profile: str) -> str:
    """The flags that name the server again, as they were typed, for a command to be pasted."""
    named = f" --url {shlex.quote(url)}" if url else ""
    return f"{named} --profile {shlex.quote(profile)}" if profile else named


def warn_of_production(profile: str, edits: int) -> None:
    """Say on stderr that edits go to production; a script cannot be asked."""
    from flowdbg.present.production import production_warning

    if edits:
        sys.stderr.write(f"flowdbg: {production_warning(profile, edits)}\n")
