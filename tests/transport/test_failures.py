"""Every foreign error becomes one of ours, with words, and says whether the request left."""

from __future__ import annotations

import errno
import os
import socket
import ssl

import httpx
import pytest

from flowdbg.errors import (
    ConnectionFailed,
    Interrupted,
    ProtocolViolation,
    RequestTimedOut,
    TargetError,
)
from flowdbg.transport.failures import failure, was_not_sent
from flowdbg.transport.route import Route

ROUTE = Route("http://flows.example/api", "http://flows.example", "flows.example")


def caused(error: Exception, *causes: BaseException) -> Exception:
    """An error with others behind it, as the layers below chain and group them."""
    error.__cause__ = causes[0] if len(causes) == 1 else BaseExceptionGroup("several", causes)
    return error


def os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def certificate_error(code: int, message: str = "other trouble") -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, message
    return error


def tls_error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, reason)
    error.reason = reason
    return error


UNREACHABLE = caused(httpx.ConnectError(""), os_error(errno.EHOSTUNREACH))
LOOKED_UP = caused(httpx.ConnectError(""), socket.gaierror(socket.EAI_AGAIN, "try again"))
UNKNOWN = caused(httpx.ConnectError(""), socket.gaierror(socket.EAI_NONAME, "not known"))
BOTH = caused(httpx.ConnectError(""), os_error(errno.ECONNREFUSED), os_error(errno.ECONNREFUSED))
NO_CIPHER = caused(httpx.ConnectError(""), tls_error("SSLV3_ALERT_HANDSHAKE_FAILURE"))
TLS_LOST = caused(httpx.ReadError(""), tls_error("DECRYPTION_FAILED_OR_BAD_RECORD_MAC"))


@pytest.mark.parametrize(
    ("error", "kind", "text", "not_sent"),
    [
        (httpx.ConnectTimeout(""), RequestTimedOut, "did not accept a connection within 3 s", True),
        (httpx.ReadTimeout(""), RequestTimedOut, "sent nothing for 9 seconds", False),
        (httpx.WriteTimeout(""), RequestTimedOut, "sent nothing for 9 seconds", False),
        (httpx.ProxyError("407 who?"), ConnectionFailed, "refused the way to flows.ex", True),
        (httpx.InvalidURL("no"), ConnectionFailed, "not an address that can be called", True),
        (httpx.UnsupportedProtocol(""), ConnectionFailed, "not an address", True),
        (UnicodeError("label too long"), ConnectionFailed, "not an address", True),
        (UnicodeEncodeError("ascii", "Bearer \xa0", 7, 8, "no"), ConnectionFailed,
         "header that HTTP does not allow", True),
        (httpx.LocalProtocolError(""), ConnectionFailed, "header that HTTP does not allow", True),
        (BOTH, ConnectionFailed, "Nothing listens at http://flows.example", True),
        (UNREACHABLE, ConnectionFailed, "no route to http://flows.example (No route", True),
        (LOOKED_UP, ConnectionFailed, "could not be looked up now", True),
        (UNKNOWN, ConnectionFailed, "is not known", True),
        (httpx.ConnectError(""), ConnectionFailed, "closed the connection while it was", True),
        (caused(httpx.ConnectError(""), os_error(errno.EMFILE)), ConnectionFailed,
         "being set up (Too many open files)", True),
        (NO_CIPHER, ConnectionFailed, "sslv3 alert handshake failure", True),
        (caused(httpx.ConnectError(""), tls_error("")), ConnectionFailed, "No secure conn", True),
        (caused(httpx.ConnectError(""), certificate_error(9)), ConnectionFailed,
         "is not valid yet", True),
        (caused(httpx.ConnectError(""), certificate_error(19)), ConnectionFailed,
         "is not trusted here", True),
        (caused(httpx.ConnectError(""), certificate_error(99)), ConnectionFailed,
         "is not accepted (other trouble)", True),
        (httpx.ReadError(""), Interrupted, "was lost before the answer", False),
        (caused(httpx.ReadError(""), os_error(errno.ECONNRESET)), Interrupted, "was reset", False),
        (caused(httpx.WriteError(""), os_error(errno.EPIPE)), Interrupted, "was closed", False),
        (caused(httpx.ReadError(""), os_error(errno.ETIMEDOUT)), Interrupted, "timed out", False),
        (TLS_LOST, Interrupted, "was lost (decryption failed or bad record mac)", False),
        (os_error(errno.EIO), Interrupted, "was lost (Input/output error)", False),
        (httpx.RemoteProtocolError("something new \x1b[31m"), Interrupted,
         "breaks the rules of HTTP: something new \\x1b[31m", False),
        (httpx.RemoteProtocolError("illegal status line: bytearray(b'?')"), ProtocolViolation,
         "does not speak HTTP", False),
    ],
)  # fmt: skip
def test_each_foreign_error_is_told_in_our_words(
    error: Exception, kind: type[TargetError], text: str, not_sent: bool
) -> None:
    ours = failure(error, ROUTE, "Look.", connect=3, idle=9)
    assert type(ours) is kind
    assert text in str(ours)
    assert str(ours).isprintable()
    assert ours.next_step
    assert was_not_sent(error) is not_sent


def test_a_dead_proxy_is_named_instead_of_the_server() -> None:
    route = Route("https://a", "https://a", "a", "http://me:pw@p:1", "http://p:1")
    ours = failure(
        caused(httpx.ConnectError(""), os_error(errno.ECONNREFUSED)),
        route,
        "",
        connect=1,
        idle=None,
    )
    assert "Nothing listens at the proxy http://p:1 (from the environment)" in str(ours)


def test_errors_that_stand_behind_each_other_in_a_circle_are_no_endless_search() -> None:
    first, second = httpx.ReadError(""), OSError()
    first.__cause__, second.__cause__ = second, first
    assert type(failure(first, ROUTE, "", connect=None, idle=None)) is Interrupted
