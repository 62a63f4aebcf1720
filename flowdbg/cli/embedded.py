"""The embedded server as a child process: started for a flow file, gone with its parent."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from flowdbg.config.paths import data_dir
from flowdbg.core.address import FlowAddress, parse_address
from flowdbg.dialects.targets import DEFAULT_DIALECT, make_publisher
from flowdbg.errors import ConnectionFailed, FlowdbgError, NotSaved, UsageError

START_TIMEOUT = 60.0
"""Seconds until the child must have said where it listens."""
LAST_WORDS = 400
"""Bytes of what a child said that are shown when it fails."""
STOP_TIMEOUT = 5.0
"""Seconds that the child has to end by itself."""


@dataclass(frozen=True, slots=True)
class Published:
    """A flow file, published on an embedded server and pinned."""

    url: str
    address: FlowAddress
    version: int


def names_file(target: str) -> bool:
    """Whether a target is a flow file rather than an address."""
    return target.endswith((".yaml", ".yml")) or Path(target).is_file()


@asynccontextmanager
async def published_flow(file: Path) -> AsyncIterator[Published]:
    """Serve a flow file on a server of its own, publish it, and give its pinned version.

    Raises:
        UsageError: There is no such file, it is wrong, or the server is not installed.
        ConnectionFailed: The server did not come up.
    """
    if not file.is_file():
        raise UsageError(f"There is no file {file}.", "Name a flow file or org/project/flow.")
    if importlib.util.find_spec("starlette") is None:
        raise UsageError(
            "The embedded server is not installed.", "Install it: pip install 'flowdbg[local]'."
        )
    from flowdbg.engine.definition import load_flow

    address = parse_address(load_flow(file).flow)
    async with _child(file) as url:
        publisher = make_publisher(DEFAULT_DIALECT, url=url, key=str)
        try:
            text = await asyncio.to_thread(file.read_text, encoding="utf-8-sig")
            answer = await publisher.publish(address, text, production=True, reuse=True)
        finally:
            await publisher.aclose()
        yield Published(url, address, answer["version"])


@asynccontextmanager
async def _child(file: Path) -> AsyncIterator[str]:
    """A server process on a free port; it ends when its standard input closes."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "flowdbg", "serve", str(file), "--port", "0", "--child"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    errors = bytearray()
    drain = asyncio.create_task(_drain(process.stderr, errors))
    try:
        try:
            line = await asyncio.wait_for(process.stdout.readline(), START_TIMEOUT)
        except TimeoutError as error:
            raise ConnectionFailed(
                f"The embedded server did not start within {START_TIMEOUT:g} seconds.",
                "Try again; 'flowdbg serve FILE' shows what it waits for.",
            ) from error
        if not line:
            await drain
            raise _failed(await process.wait(), errors.decode(errors="replace").strip())
        yield _announced(line) + "/api/v1"
    finally:
        process.stdin.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT)
        if process.returncode is None:
            process.kill()
            await process.wait()
        drain.cancel()


def _failed(code: int, said: str) -> FlowdbgError:
    """What a child that ended at once means; 6 is a database that cannot be written."""
    said = said.removeprefix("flowdbg: ").partition("\n")[0] if code in (2, 6) else said
    if code == 6:
        where = data_dir()
        return NotSaved(said, f"Make room below {where}, or set XDG_DATA_HOME to another folder.")
    return ConnectionFailed(f"The embedded server did not start. {said}".strip())


def _announced(line: bytes) -> str:
    """Where the child says it listens."""
    try:
        return str(json.loads(line)["url"])
    except (ValueError, TypeError, KeyError) as error:
        said = line.decode(errors="replace").strip()[-LAST_WORDS:]
        raise ConnectionFailed(f"The embedded server did not start. It said: {said}") from error


async def _drain(stream: asyncio.StreamReader, kept: bytearray) -> None:
    """Read what the child says, so that it never waits for us; keep its last words."""
    while said := await stream.read(65536):
        kept += said
        del kept[:-LAST_WORDS]
