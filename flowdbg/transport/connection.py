"""The pool of connections to one server, over httpx, and the sending of one request.

httpx's transport is used without its client on top: that one keeps cookies, follows redirects
and reads credentials from URLs, none of which a debugger wants, and costs a third of a step.
"""

from __future__ import annotations

import functools
import os
import ssl
from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

import httpx

from flowdbg.errors import ConnectionFailed
from flowdbg.transport.route import Route

_KEEPALIVE = 4.0
"""Seconds an idle connection is kept. Many servers close theirs after 5, and a request sent into
that moment has an unknown outcome."""


class Connection:
    """One long-lived pool of connections; belongs to the event loop that first used it."""

    def __init__(self, route: Route) -> None:
        self._base = route.base
        self._urls: dict[str, httpx.URL] = {}
        tls = route.encrypted or route.proxy.startswith("https:")
        context = _trusting_context() if tls else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._transport = httpx.AsyncHTTPTransport(
            verify=context,
            trust_env=False,
            proxy=_proxy(route.proxy, context),
            limits=httpx.Limits(keepalive_expiry=_KEEPALIVE),
        )

    async def send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeouts: Mapping[str, float | None],
    ) -> Response:
        """Send one request and return when the answer's status and headers are there."""
        request = httpx.Request(
            method,
            self._url(path),
            headers=headers,
            content=body,
            extensions={"timeout": timeouts},
        )
        return Response(await self._transport.handle_async_request(request))

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()

    def _url(self, path: str) -> httpx.URL:
        url = self._urls.get(path)
        if url is None:
            if len(self._urls) >= 256:
                self._urls.clear()
            url = self._urls[path] = httpx.URL(self._base + path)
        return url


class Response:
    """A status, headers, and raw pieces of a body as they come from the socket."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.reason = response.reason_phrase
        self._response = response
        self._stream = cast(httpx.AsyncByteStream, response.stream)
        self.pieces: AsyncIterator[bytes] = aiter(self._stream)

    def header(self, name: str) -> str:
        """One header's value; empty when it is not there."""
        return cast(str, self._response.headers.get(name, ""))

    def headers(self) -> dict[str, str]:
        """All headers by lower-case name, without cookies."""
        kept: dict[str, str] = dict(self._response.headers)
        kept.pop("set-cookie", None)
        return kept

    async def aclose(self) -> None:
        """Give the connection back, or close it when the body was not read to its end."""
        await self._stream.aclose()
        closing: Any = getattr(self.pieces, "aclose", None)
        if closing is not None:
            await closing()


def _proxy(url: str, context: ssl.SSLContext) -> httpx.Proxy | None:
    if not url:
        return None
    return httpx.Proxy(url, ssl_context=context if url.startswith("https:") else None)


def _trusting_context() -> ssl.SSLContext:
    """The shared TLS context: certifi's authorities, or those that the environment names.

    Raises:
        ConnectionFailed: The environment names a file or directory that cannot be used.
    """
    names = (os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", ""))
    try:
        return _context(*names)
    except OSError as error:
        raise ConnectionFailed(
            f"The certificates in {names[0] or names[1] or 'the package certifi'} "
            "cannot be read, so nothing was sent.",
            "Correct SSL_CERT_FILE or SSL_CERT_DIR, or unset them.",
        ) from error


@functools.cache
def _context(file: str, directory: str) -> ssl.SSLContext:
    """Building one takes 20 ms, so it is shared; the names only tell contexts apart."""
    return httpx.create_ssl_context()
