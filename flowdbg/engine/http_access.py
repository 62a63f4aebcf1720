"""HTTP for flows of strangers: only to public addresses, only so much, only so long.

A name is resolved here, every address is checked, and the connection goes to the checked address
(with the name in `Host` and TLS), so that a second answer of the name server changes nothing.
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx

from flowdbg.errors import FlowdbgError

MAX_ANSWER = 2_000_000
"""Largest body of an answer in bytes."""
MAX_REDIRECTS = 5
FRAMING = frozenset(
    [
        *("accept-encoding", "connection", "content-length", "expect", "host", "keep-alive"),
        *("te", "trailer", "transfer-encoding", "upgrade"),
    ]
)
"""Headers that say where a request goes and where it ends; they are never a flow's to set."""
_RESOLVERS = 8
"""Names that are looked up at the same time."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_UNICAST = ipaddress.ip_network("2000::/3")
"""All that is given out of IPv6; what is outside wraps other addresses, or is nobody's."""
_REDIRECTS = (301, 302, 303, 307, 308)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class HttpRefused(FlowdbgError):
    """The request is not allowed; nothing was sent there."""


class HttpFailed(FlowdbgError):
    """The request was sent, or tried, and did not end well."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer, read whole; header names in lower case, without cookies."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpAccess:
    """The HTTP client of the engine."""

    def __init__(self, *, allow_private: bool = False) -> None:
        self._allow_private = allow_private
        self._client: httpx.AsyncClient | None = None
        # Threads of its own: a name server that is silent holds up no templates, and no files.
        self._resolvers = ThreadPoolExecutor(_RESOLVERS, thread_name_prefix="resolve")

    async def request(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None
    ) -> HttpAnswer:
        """Send one request; GET and HEAD follow redirects on the same host.

        Raises:
            HttpRefused: The address, a header or a redirect is not allowed.
            HttpFailed: No answer, or one that is too large.
        """
        target = _parsed(url)
        for name in headers:
            if name.lower() in FRAMING:
                raise HttpRefused(f"The header `{name}` is not a flow's to set.", "Take it out.")
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._once(method, target, headers, content)
            if answer.status not in _REDIRECTS or "location" not in answer.headers:
                return answer
            target = _redirected(method, target, answer.headers["location"])
        raise HttpFailed(f"{target.host} redirected more than {MAX_REDIRECTS} times.")

    async def aclose(self) -> None:
        """Close the client; a later request opens a new one."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
        self._resolvers.shutdown(wait=False, cancel_futures=True)

    async def _once(
        self, method: str, url: httpx.URL, headers: Mapping[str, str], content: bytes | None
    ) -> HttpAnswer:
        if self._client is None:
            # One TLS context for all requests (20 ms to make). No connection is kept, because a
            # kept one was verified for one name and would be used for any other at its address.
            self._client = httpx.AsyncClient(
                trust_env=False,
                follow_redirects=False,
                timeout=httpx.Timeout(None, connect=10.0),
                limits=httpx.Limits(max_keepalive_connections=0),
            )
        *others, last = await self._checked_addresses(url)
        for address in others:
            try:
                return await self._sent(self._client, address, method, url, headers, content)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # nothing was sent there; the name has another address
            except httpx.HTTPError as error:
                raise _failed(url, error) from error
        try:
            return await self._sent(self._client, last, method, url, headers, content)
        except httpx.HTTPError as error:
            raise _failed(url, error) from error

    async def _sent(
        self,
        client: httpx.AsyncClient,
        address: Address,
        method: str,
        url: httpx.URL,
        headers: Mapping[str, str],
        content: bytes | None,
    ) -> HttpAnswer:
        try:
            request = client.build_request(
                method,
                url.copy_with(host=str(address)),
                headers={
                    **headers,
                    "Host": url.netloc.decode("ascii"),
                    # A compressed answer could be a thousand times larger than what is counted.
                    "Accept-Encoding": "identity",
                },
                content=content,
                extensions={"sni_hostname": url.host},
            )
            response = await client.send(request, stream=True)
        except (httpx.LocalProtocolError, httpx.InvalidURL, UnicodeError) as error:
            raise HttpRefused(f"The request is not valid: {error}.", "Correct it.") from error
        try:
            return await _read(response)
        finally:
            await response.aclose()

    async def _checked_addresses(self, url: httpx.URL) -> list[Address]:
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            look_up = functools.partial(
                socket.getaddrinfo, url.raw_host.decode("ascii"), port, type=socket.SOCK_STREAM
            )
            found = await asyncio.get_running_loop().run_in_executor(self._resolvers, look_up)
        except (OSError, UnicodeError) as error:
            raise HttpFailed(f"The name {url.host} was not found.", "Correct the url.") from error
        names = dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found)
        addresses = [ipaddress.ip_address(name) for name in names]
        if not self._allow_private:
            for address in addresses:
                if not is_public(address):
                    same = str(address) == url.host
                    raise HttpRefused(
                        f"{url.host} is {'a private address' if same else f'private: {address}'}.",
                        "Only `flowdbg serve --allow-private-http` lets flows reach those.",
                    )
        return addresses


def _failed(url: httpx.URL, error: httpx.HTTPError) -> HttpFailed:
    what = str(error) or type(error).__name__
    return HttpFailed(f"{url.host} did not answer: {what}.", "Try again.")


async def _read(response: httpx.Response) -> HttpAnswer:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise HttpFailed("The answer is compressed although that was not asked for.")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_ANSWER:
            raise HttpFailed(f"The answer is larger than {MAX_ANSWER:,} bytes.", "Ask for less.")
    headers = {name: value for name, value in response.headers.items() if name != "set-cookie"}
    return HttpAnswer(response.status_code, headers, bytes(body))


def _parsed(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text.strip())
    except httpx.InvalidURL as error:
        raise HttpRefused(f"The url is not valid: {error}.", "Correct it.") from error
    if url.scheme not in ("http", "https"):
        raise HttpRefused(f"The scheme `{url.scheme}` is not allowed.", "Use http or https.")
    if not url.host:
        raise HttpRefused("The url has no host.", "Write a whole address, http://host/path.")
    if url.userinfo:
        raise HttpRefused("The url holds a password.", "Send it in a header.")
    return url


def _redirected(method: str, url: httpx.URL, location: str) -> httpx.URL:
    if method not in ("GET", "HEAD"):
        raise HttpRefused(f"{url.host} redirects a {method}, which is not followed.")
    target = _parsed(str(url.join(location)))
    if (target.host, target.port) != (url.host, url.port) or (
        target.scheme not in (url.scheme, "https")
    ):
        raise HttpRefused(
            f"{url.host} redirects to {target.scheme}://{target.host}, which is not followed.",
            "Use the other address in the flow if you trust it.",
        )
    return target


def is_public(address: Address) -> bool:
    """Whether anybody may reach an address; one that wraps another is judged by that one."""
    if isinstance(address, ipaddress.IPv6Address):
        inside = address.ipv4_mapped or address.sixtofour
        if inside is None and address.teredo is not None:
            inside = address.teredo[1]
        if inside is None and address in _NAT64:
            inside = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inside is not None:
            return is_public(inside)
        if address not in _UNICAST:
            return False
    return address.is_global and not address.is_multicast
