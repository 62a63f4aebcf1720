"""Opening a debugger on what a person named: an address on a server, a flow file, a session."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flowdbg.cli.embedded import published_flow
from flowdbg.config import paths
from flowdbg.core.address import FlowAddress, parse_target
from flowdbg.core.entries import SessionOpened
from flowdbg.core.inputs import missing_inputs, parameters_of, read_json
from flowdbg.core.json_text import JsonText
from flowdbg.core.overrides import (
    block_value,
    known_step,
    output_value,
    split_block_override,
    split_output_override,
)
from flowdbg.core.session import Session
from flowdbg.debugger import Debugger
from flowdbg.dialects.target import Target
from flowdbg.dialects.targets import make_target
from flowdbg.errors import UsageError
from flowdbg.store import SessionStore

DEFAULT_URL = "http://127.0.0.1:8080/api/v1"


@dataclass(frozen=True, slots=True)
class Opening:
    """What a person named on the command line."""

    target: str
    message: str | None = None
    parameters: Sequence[str] = ()
    params_file: Path | None = None
    url: str = ""
    output_overrides: Sequence[str] = ()
    block_overrides: Sequence[str] = ()


@asynccontextmanager
async def open_new(opening: Opening) -> AsyncIterator[Debugger]:
    """A new session, paused before step 0, with the edits that were given.

    Raises:
        UsageError: The target, an input or an edit is wrong; nothing was sent to a flow.
        TargetError: The server could not be asked for the plan.
        StoreError: The session's file could not be made.
    """
    base = _params(opening.params_file)
    async with AsyncExitStack() as stack:
        url, address, pinned, file = await _locate(opening, stack)
        target = make_target("noukai", url=url, address=address, key=_key)
        debugger = await _start(target, opening, base, (address, pinned, file))
        stack.push_async_callback(debugger.close)
        await _apply_edits(debugger, opening)
        yield debugger


@asynccontextmanager
async def open_stored(path: Path) -> AsyncIterator[Debugger]:
    """A stored session, where it stood; a flow file gets its embedded server again.

    Raises:
        StoreError: The session cannot be read, or another process holds it.
        UsageError: The flow file it was made from is gone.
    """
    store = SessionStore.open(path)
    async with AsyncExitStack() as stack:
        stack.callback(store.close)
        meta = store.meta()
        url, address = str(meta["url"]), FlowAddress(*str(meta["address"]).split("/"))
        if meta.get("flow_file"):
            published = await stack.enter_async_context(published_flow(Path(meta["flow_file"])))
            url = published.url
        target = make_target(str(meta["dialect"]), url=url, address=address, key=_key)
        debugger = await Debugger.resume(target, store)
        stack.push_async_callback(debugger.close)
        yield debugger


def require_inputs(session: Session) -> None:
    """Refuse a run that lacks inputs the flow needs, where nobody can be asked.

    Raises:
        UsageError: An input is missing.
    """
    given = session.parameters.value
    missing = missing_inputs(session.message, given, session.plan.inputs)
    if missing:
        raise UsageError(
            f"The flow needs: {', '.join(missing)}.", "Give -m MESSAGE or -p NAME=VALUE."
        )


def server_url(url: str) -> str:
    """The base URL that was given, or the default; `/api/v1` is added where no path is named.

    Raises:
        UsageError: It is not an http(s) URL, or it carries credentials.
    """
    given = url or os.environ.get("FLOWDBG_URL", "") or DEFAULT_URL
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"'{given}' is not a server's URL.", f"Write it like {DEFAULT_URL}.")
    if parts.username or parts.password:
        raise UsageError("The URL carries credentials.", "Put the key into NOUKAI_API_KEY.")
    path = parts.path.rstrip("/") or "/api/v1"
    return f"{parts.scheme}://{parts.netloc}{path}"


async def _locate(
    opening: Opening, stack: AsyncExitStack
) -> tuple[str, FlowAddress, int | None, Path | None]:
    """Where the flow is: on a server, or in a file that gets a server of its own."""
    if not _names_file(opening.target):
        address, pinned = parse_target(opening.target)
        return server_url(opening.url), address, pinned, None
    if opening.url:
        raise UsageError(
            "A flow file is run on an embedded server; --url names another one.",
            "Publish the file there (flowdbg publish FILE --url URL) and debug its address.",
        )
    file = Path(opening.target).absolute()
    published = await stack.enter_async_context(published_flow(file))
    return published.url, published.address, published.version, file


def _names_file(target: str) -> bool:
    return target.endswith((".yaml", ".yml")) or Path(target).is_file()


async def _start(
    target: Target,
    opening: Opening,
    base: Mapping[str, Any],
    place: tuple[FlowAddress, int | None, Path | None],
) -> Debugger:
    address, pinned, file = place
    session_id = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"
    plan = await target.fetch_plan(pinned)
    schema = plan.inputs if plan else {}
    parameters = parameters_of(opening.parameters, base, schema)
    meta = {"flow_file": str(file) if file else "", "created": time.time()}
    store = SessionStore.create(paths.sessions_dir(), session_id=session_id, meta=meta)
    opened = SessionOpened(
        session_id,
        target.dialect,
        target.url,
        str(address),
        pinned,
        opening.message,
        JsonText.of(parameters),
    )
    try:
        return await Debugger.start(target, store, opened, plan)
    except BaseException:
        store.close()
        raise


async def _apply_edits(debugger: Debugger, opening: Opening) -> None:
    plan = debugger.session.plan
    for text in opening.output_overrides:
        step_id, value = split_output_override(text)
        known_step(plan, step_id)
        await debugger.edit_output(step_id, output_value(_read(value), step_id))
    for text in opening.block_overrides:
        step_id, field, value = split_block_override(text)
        step = known_step(plan, step_id)
        await debugger.edit_block(step_id, {field: block_value(_read(value), field, step)})


def _read(value: str) -> str:
    """A value given in place, or as `@file`."""
    if not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{value[1:]} cannot be read: {error}.", "Check the path.") from error


def _params(file: Path | None) -> Mapping[str, Any]:
    if file is None:
        return {}
    text = sys.stdin.read() if str(file) == "-" else _read(f"@{file}")
    value = read_json(text, str(file)).value
    if not isinstance(value, dict):
        raise UsageError(f"{file} is not a JSON object.", 'Write {"name": value, …}.')
    return value


def _key() -> str:
    """The key, read when it is needed and kept nowhere."""
    return os.environ.get("NOUKAI_API_KEY", "")


