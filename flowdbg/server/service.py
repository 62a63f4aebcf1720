"""Runs the server: sockets first, then the application, then a clean stop.

Plain asyncio on purpose: uvloop lets busy streams starve new requests (p99 of the first event
1 s with 200 clients, against 70 ms).
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator

import uvicorn

from flowdbg.errors import UsageError
from flowdbg.server.app import FlowServer
from flowdbg.server.connections import Patience, bounded
from flowdbg.server.settings import ServerSettings

logger = logging.getLogger("flowdbg.server")

_BACKLOG = 2048
_KEEP_ALIVE_SECONDS = 600  # people think between two steps; a closing socket would cost them one
_GRACE_SECONDS = 5
_SWITCH_SECONDS = 0.001
"""How long a thread that computes keeps the event loop waiting: five times less than usual."""

_MOST_FILES = 65_536  # where there is no limit at all

Announce = Callable[[str, FlowServer], None]


class Service:
    """A server on its sockets; `run` serves until `stop` or a signal."""

    def __init__(self, settings: ServerSettings) -> None:
        """Bind the sockets.

        Raises:
            UsageError: The port is in use, or the host is not one of this machine.
        """
        self._settings = settings
        self._sockets = bind(settings.host, settings.port)
        self._uvicorn: _Uvicorn | None = None
        self._stopped = threading.Event()
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        self.url = f"http://{host}:{self._sockets[0].getsockname()[1]}"
        """Where it listens, with the port that was taken."""

    def run(self, announce: Announce = lambda url, server: None) -> None:
        """Serve until stopped; `announce` is called when requests are answered.

        Raises:
            FlowdbgError: The database cannot be opened.
        """
        _allow_open_files(_MOST_FILES)
        before = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_SECONDS)
        try:
            asyncio.run(self._run(announce))
        finally:
            sys.setswitchinterval(before)
            for bound in self._sockets:
                bound.close()

    def stop(self) -> None:
        """End the streams and stop; from any thread."""
        self._stopped.set()
        if self._uvicorn is not None:
            self._uvicorn.should_exit = True

    async def _run(self, announce: Announce) -> None:
        server = FlowServer(self._settings)
        patience = Patience(self._settings.write_timeout, self._settings.request_timeout)
        try:
            async with server.running():
                config = uvicorn.Config(
                    server.asgi,
                    loop="asyncio",
                    http=bounded(patience),
                    ws="none",
                    lifespan="off",
                    log_config=None,
                    access_log=False,
                    proxy_headers=False,
                    server_header=False,
                    timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                    timeout_graceful_shutdown=_GRACE_SECONDS,
                )

                def listening() -> None:
                    logger.info("listening", extra={"url": self.url})
                    announce(self.url, server)

                def stopping() -> None:
                    logger.info("stopping", extra={"open_streams": len(server.streams)})
                    server.streams.stop()

                self._uvicorn = _Uvicorn(config, listening, stopping)
                self._uvicorn.should_exit = self._stopped.is_set()
                await self._uvicorn.serve(self._sockets)
        finally:
            server.close()


class _Uvicorn(uvicorn.Server):
    """Tells when it listens and when it stops, and does not die of the signal that stopped it."""

    def __init__(
        self,
        config: uvicorn.Config,
        on_start: Callable[[], None],
        on_stop: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._on_start = on_start
        self._on_stop = on_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        self._on_start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams first: an open stream would outlast the grace period."""
        self._on_stop()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on Ctrl-C and SIGTERM, without raising the signal again afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        kinds = (signal.SIGINT, signal.SIGTERM)
        before = {kind: signal.signal(kind, self.handle_exit) for kind in kinds}
        try:
            yield
        finally:
            for kind, handler in before.items():
                signal.signal(kind, handler)


def _allow_open_files(most: int) -> None:
    """Have this process open as many files as it may: each client is one, and often 1024 may be."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - does not exist on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most if hard == resource.RLIM_INFINITY else min(most, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def bind(host: str, port: int) -> list[socket.socket]:
    """Listen on every address of the host, all with the same port.

    Raises:
        UsageError: The port is in use or not allowed, or the host is not one of this machine.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise UsageError(
            f"The host {host!r} is not known.", "Give `--host` an address of this machine."
        ) from error
    addresses = list(dict.fromkeys((family, where[:2]) for family, _, _, _, where in found))
    bound: list[socket.socket] = []
    try:
        for family, (name, _) in addresses:
            taken = bound[0].getsockname()[1] if bound else port
            bound.append(_listen(family, str(name), int(taken)))
    except OSError as error:
        for other in bound:
            other.close()
        raise _cannot_listen(host, port, error) from error
    return bound


def _listen(family: int, name: str, port: int) -> socket.socket:
    # asyncio sends without delay only where the protocol is named; 40 ms an event otherwise.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind((name, port))
        listening.listen(_BACKLOG)
    except BaseException:
        listening.close()
        raise
    listening.setblocking(False)
    return listening


def _cannot_listen(host: str, port: int, error: OSError) -> UsageError:
    if error.errno == errno.EADDRINUSE:
        return UsageError(
            f"Port {port} on {host} is in use.",
            "Stop the program that uses it, or choose another one with `--port`.",
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return UsageError(f"Port {port} is not allowed for you.", "Choose one above 1023.")
    reason = error.strerror or "the address cannot be used"
    return UsageError(
        f"It is not possible to listen on {host}:{port}: {reason}.",
        "Give `--host` an address of this machine.",
    )
