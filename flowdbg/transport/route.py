"""Where a client's requests go: the server's address and, for remote ones, a proxy.

A proxy from the environment is meant for the network outside; a server on this machine is
reached directly, whatever the environment says.
"""

from __future__ import annotations

import ipaddress
import urllib.parse
from dataclasses import dataclass

from flowdbg.errors import UsageError

_EXAMPLE = "Give it as in http://127.0.0.1:8080/api/v1."


@dataclass(frozen=True, slots=True)
class Route:
    """One server and the way to it."""

    base: str
    """The base URL without a trailing slash."""
    origin: str
    """Scheme, host and port, as shown to people."""
    host: str
    proxy: str = ""
    """The proxy's URL, which may carry a password: never shown. Empty for the direct way."""
    proxy_origin: str = ""
    """The proxy's scheme, host and port, as shown to people."""

    @property
    def encrypted(self) -> bool:
        """Whether TLS is used to the server."""
        return self.base.startswith("https:")

    @property
    def first_hop(self) -> str:
        """What a connection is opened to, in words."""
        if self.proxy:
            return f"the proxy {self.proxy_origin} (from the environment)"
        return self.origin


def route_to(base_url: str) -> Route:
    """The route to a server.

    Raises:
        UsageError: The URL is not usable, or the proxy in the environment is not.
    """
    try:
        parts = urllib.parse.urlsplit(base_url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise UsageError(f"The server URL {base_url!r} is not valid: {error}.", _EXAMPLE) from error
    if "@" in parts.netloc:
        raise UsageError(
            "The server URL carries a user name or password.",
            "Leave them out; the key comes from the environment or the profile.",
        )
    if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment:
        raise UsageError(f"The server URL {base_url!r} is not an http or https address.", _EXAMPLE)
    base = f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")
    proxy = "" if is_loopback(host) else _proxy_for(parts.scheme, host, port)
    return Route(
        base=base,
        origin=f"{parts.scheme}://{parts.netloc}",
        host=host,
        proxy=proxy,
        proxy_origin=_shown_origin(proxy),
    )


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _proxy_for(scheme: str, host: str, port: int | None) -> str:
    """The proxy that the environment names for a host; empty when there is none."""
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415 # 6 ms, for a first request

    proxies = getproxies()
    proxy = proxies.get(scheme) or proxies.get("all") or ""
    if not proxy or proxy_bypass(f"{host}:{port}" if port else host):
        return ""
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    if urllib.parse.urlsplit(proxy).scheme not in {"http", "https"}:
        raise UsageError(
            f"The environment names the proxy {_shown_origin(proxy)}, "
            "and only http and https proxies are supported.",
            "Change HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, or name the server in NO_PROXY.",
        )
    return proxy


def _shown_origin(url: str) -> str:
    """A URL without path, query and credentials."""
    if not url:
        return ""
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
