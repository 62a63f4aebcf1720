"""Real servers for tests: in a thread of this process, or as a process of their own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flowdbg.server.app import FlowServer
from flowdbg.server.service import Service
from flowdbg.server.settings import ServerSettings


@dataclass
class Running:
    """A server that answers."""

    url: str
    """`http://127.0.0.1:PORT`."""
    server: FlowServer
    stop: Callable[[], None]
    """Stops it before the block ends."""

    @property
    def base(self) -> str:
        """What clients are pointed at: the URL with `/api/v1`."""
        return self.url + "/api/v1"


@contextlib.contextmanager
def running_server(paths: Sequence[Path], db: Path | str, **settings: Any) -> Iterator[Running]:
    """Serve flow files in a thread, on a free port; stops at the end of the block."""
    service = Service(
        ServerSettings(paths=list(paths), database=str(db), **{"port": 0, **settings})
    )
    ready = threading.Event()
    started: list[FlowServer] = []
    failed: list[BaseException] = []

    def announce(url: str, server: FlowServer) -> None:
        started.append(server)
        ready.set()

    def run() -> None:
        try:
            service.run(announce)
        except BaseException as error:  # noqa: BLE001 - raised again in the test's own thread
            failed.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="server under test")
    thread.start()
    try:
        ready.wait(60)
        if failed:
            raise failed[0]
        yield Running(service.url, started[0], service.stop)
    finally:
        service.stop()
        thread.join(30)
    if failed:
        raise failed[0]


def write_flows(folder: Path, *texts: str) -> Path:
    """Write flow files into a folder, named after the flows; returns the folder."""
    for text in texts:
        slug = text.partition("\n")[0].rpartition("/")[2]
        (folder / f"{slug}.flow.yaml").write_text(text, encoding="utf-8")
    return folder


@dataclass
class ServerProcess:
    """A server in a process of its own, as the debugger starts it."""

    process: subprocess.Popen[bytes]
    url: str
    flows: list[str] = field(default_factory=list)
    log: list[bytes] = field(default_factory=list)
    """The lines on its standard error so far; whole when the block has ended."""

    @property
    def base(self) -> str:
        """What clients are pointed at."""
        return self.url + "/api/v1"

    def kill(self) -> None:
        """End it like a power cut does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)


@contextlib.contextmanager
def server_process(paths: Sequence[Path], *arguments: str) -> Iterator[ServerProcess]:
    """Start `flowdbg serve --child` on a free port; its input is closed at the end of the block."""
    command = [sys.executable, "-m", "flowdbg", "serve", *map(str, paths), "--port", "0", "--child"]
    process = subprocess.Popen(
        [*command, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(os.environ),
    )
    errors: list[bytes] = []
    assert process.stdin
    assert process.stdout
    assert process.stderr
    drain = threading.Thread(target=lambda: errors.extend(process.stderr or ()))
    drain.start()
    try:
        line = process.stdout.readline()
        if not line:
            process.wait(30)
            drain.join(30)
            raise AssertionError(b"".join(errors).decode())
        told = json.loads(line)
        yield ServerProcess(process, told["url"], told["flows"], errors)
    finally:
        process.stdin.close()
        process.wait(30)
        drain.join(30)
        process.stdout.close()
        process.stderr.close()
