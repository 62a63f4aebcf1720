"""The one place where foreign errors of HTTP, TLS and sockets become ours.

The texts are never empty and never carry a header's value. Which error it is says whether the
request may have reached the server: after `ConnectionFailed` it has not.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl
from collections.abc import Iterator

import httpx

from flowdbg.errors import (
    ConnectionFailed,
    Interrupted,
    ProtocolViolation,
    RequestTimedOut,
    TargetError,
)
from flowdbg.transport.excerpt import excerpt
from flowdbg.transport.route import Route

FOREIGN = (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError)
"""What httpx and the layers under it raise."""

_NOT_SENT = (
    httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.PoolTimeout,
    httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeError,
)  # fmt: skip

_START = "Start the server or correct its address."

# https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/
_CERTIFICATE_TROUBLE = {
    9: "is not valid yet",
    10: "has expired",
    18: "is self-signed",
    19: "comes from an authority that signed itself and is not trusted here",
    20: "comes from an authority that is not trusted here",
    21: "comes from an authority that is not trusted here",
    62: "is for another host name",
    64: "is for another address",
}


def was_not_sent(error: Exception) -> bool:
    """Whether the request certainly did not reach the server."""
    return isinstance(error, _NOT_SENT)


def failure(
    error: Exception, route: Route, lost: str, *, connect: float | None, idle: float | None
) -> TargetError:
    """Our error for a foreign one; `connect` and `idle` are the limits in seconds.

    `lost` says what is known when the request left and no whole answer came.
    """
    if isinstance(error, httpx.ConnectTimeout):
        return RequestTimedOut(
            f"{route.first_hop} did not accept a connection within {connect or 0:g} seconds.",
            "Check the address and the network.",
        )
    if isinstance(error, httpx.TimeoutException):
        return RequestTimedOut(f"{route.origin} sent nothing for {idle or 0:g} seconds.", lost)
    if isinstance(error, httpx.ProxyError):
        return ConnectionFailed(
            f"{route.first_hop} refused the way to {route.host}: {excerpt(str(error))}.",
            "Check the proxy settings of the environment.",
        )
    if isinstance(error, httpx.LocalProtocolError) or _is_in_a_header(error):
        return ConnectionFailed(
            "The request holds a header that HTTP does not allow, so it was not sent.",
            "Check the key and the configured headers for line breaks and stray characters.",
        )
    if isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError)):
        return ConnectionFailed(f"{route.origin} is not an address that can be called.", _START)
    if isinstance(error, httpx.RemoteProtocolError):
        return _broken_protocol(str(error), route, lost)
    if isinstance(error, httpx.ConnectError):
        return _no_connection(error, route)
    return Interrupted(
        f"The connection to {route.origin} {_loss(error)} before the answer was complete.", lost
    )


def _is_in_a_header(error: Exception) -> bool:
    """Whether a character cannot go out: headers alone are written in ASCII."""
    return isinstance(error, UnicodeEncodeError) and error.encoding == "ascii"


def _no_connection(error: Exception, route: Route) -> ConnectionFailed:
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return _tls_trouble(cause, route)
    hop = route.first_hop
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            if cause.errno == socket.EAI_AGAIN:
                return ConnectionFailed(
                    f"The host name in {hop} could not be looked up now.", "Check the network."
                )
            return ConnectionFailed(
                f"The host name in {hop} is not known.", "Correct the address of the server."
            )
        if isinstance(cause, ConnectionRefusedError):
            return ConnectionFailed(f"Nothing listens at {hop} (connection refused).", _START)
        if isinstance(cause, OSError) and cause.errno in {errno.ENETUNREACH, errno.EHOSTUNREACH}:
            return ConnectionFailed(
                f"There is no route to {hop} ({cause.strerror or 'unreachable'}).",
                "Check the network.",
            )
    reason = next((c.strerror for c in causes if isinstance(c, OSError) and c.strerror), "")
    return ConnectionFailed(
        f"{hop} closed the connection while it was being set up"
        + (f" ({excerpt(reason)})." if reason else "."),
        _START,
    )


def _tls_trouble(error: ssl.SSLError, route: Route) -> ConnectionFailed:
    if isinstance(error, ssl.SSLCertVerificationError):
        trouble = _CERTIFICATE_TROUBLE.get(error.verify_code)
        if trouble is None:
            trouble = f"is not accepted ({excerpt(error.verify_message)})"
        return ConnectionFailed(
            f"The certificate of {route.origin} {trouble}.",
            "Nothing was sent. Correct the address, renew the certificate, or name the file of a "
            "private authority in SSL_CERT_FILE.",
        )
    if error.reason in {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"}:
        return ConnectionFailed(
            f"{route.origin} does not speak TLS.", "Use http:// if the server is meant to be open."
        )
    reason = (error.reason or str(error) or "no reason given").replace("_", " ").lower()
    return ConnectionFailed(
        f"No secure connection to {route.origin}: {excerpt(reason)}.",
        "Check the TLS settings of the server.",
    )


def _broken_protocol(message: str, route: Route, lost: str) -> TargetError:
    """Our error for an answer that breaks HTTP; h11 gives its reasons in words only."""
    if "without sending a response" in message:
        what = f"{route.origin} closed the connection without an answer."
    elif "incomplete chunked read" in message:
        what = f"{route.origin} cut the answer off in the middle."
    elif found := re.search(r"received (\d+) bytes, expected (\d+)", message):
        what = f"{route.origin} sent {found[1]} of the {found[2]} bytes it had announced."
    elif "chunk header" in message:
        what = f"The answer of {route.origin} is damaged: a chunk header is not valid."
    elif "status line" in message:
        return ProtocolViolation(
            f"{route.origin} does not speak HTTP: {excerpt(message)}", "Correct the address."
        )
    else:
        what = f"The answer of {route.origin} breaks the rules of HTTP: {excerpt(message)}."
    return Interrupted(what, lost)


def _loss(error: Exception) -> str:
    causes = list(_causes(error))
    if any(isinstance(cause, ConnectionResetError) for cause in causes):
        return "was reset"
    if any(isinstance(cause, BrokenPipeError) for cause in causes):
        return "was closed"
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return f"was lost ({excerpt((cause.reason or 'TLS').replace('_', ' ').lower())})"
        if isinstance(cause, OSError) and cause.strerror:
            return f"was lost ({excerpt(cause.strerror)})"
    return "was lost"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything behind it, groups included."""
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        if isinstance(one, BaseExceptionGroup):
            waiting.extend(one.exceptions)
        waiting.extend(cause for cause in (one.__cause__, one.__context__) if cause is not None)
