"""Reaching a flow for whole runs, jobs and traces: on a server, or in a file that gets one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from flowdbg.cli.asked import Asked, Tools
from flowdbg.cli.embedded import names_file
from flowdbg.cli.inputs import (
    read_block_edits,
    read_json_file,
    read_params,
    read_tools,
    require_inputs,
)
from flowdbg.cli.servers import Place, find_server, locate, server_flags, warn_of_production
from flowdbg.core.inputs import parameters_of
from flowdbg.core.plan import Plan
from flowdbg.dialects.attachments import read_attachments
from flowdbg.dialects.targets import Maker
from flowdbg.dialects.versions import parse_run_target
from flowdbg.dialects.whole_runs import Remote, Runner, RunRequest
from flowdbg.errors import Interrupted, RequestTimedOut, UsageError

_LONGEST_TAG = 200

Client = TypeVar("Client", bound=Remote)
AnyRunner = TypeVar("AnyRunner", bound=Runner)


@dataclass(frozen=True, slots=True)
class Reached(Generic[Client]):
    """A flow that whole runs can be asked of."""

    remote: Client
    place: Place
    runs: str
    """The command that lists its runs; empty for a file, whose server ends with the command."""


@asynccontextmanager
async def reach(
    make: Maker[Client],
    target: str,
    version: str = "",
    *,
    url: str = "",
    profile: str = "",
    tag: str = "",
) -> AsyncIterator[Reached[Client]]:
    """The flow that a person named; a flow file is served for as long as the context is open.

    Raises:
        UsageError: The target or the version is wrong, or its server cannot do this; nothing was
            sent.
        ConnectionFailed: The server for a file did not come up.
    """
    _check_tag(tag)
    async with AsyncExitStack() as stack:
        place = await locate(stack, target, url=url, profile=profile, version=version)
        server, address = place.server, place.address
        remote = make(
            server.dialect, url=server.url, key=server.key, address=address, session_id=tag
        )
        stack.push_async_callback(remote.aclose)
        runs = "" if place.file else f"flowdbg runs {address}{server_flags(url, profile)}"
        try:
            yield Reached(remote, place, runs)
        except (Interrupted, RequestTimedOut) as error:
            error.next_step += f" Look at its runs: {runs}" if runs else ""
            raise


@asynccontextmanager
async def reach_server(
    make: Maker[Client], flow: str = "", *, url: str = "", profile: str = ""
) -> AsyncIterator[Client]:
    """A server, for what is addressed by an id; `flow` may be empty.

    Raises:
        UsageError: The flow or the server is named wrongly, or it cannot do this; nothing was sent.
    """
    if flow and names_file(flow):
        raise UsageError(
            f"{flow} is a file; its runs are kept by a server.", "Name org/project/flow."
        )
    server = find_server(url=url, profile=profile)
    address = parse_run_target(server.complete(flow), "")[0] if flow else None
    remote = make(server.dialect, url=server.url, key=server.key, address=address)
    try:
        yield remote
    finally:
        await remote.aclose()


async def request_for(
    reached: Reached[AnyRunner],
    asked: Asked,
    tools: Tools = Tools(),
    conversation: Path | None = None,
) -> RunRequest:
    """What was typed, read by the plan where the server tells one, and checked.

    Raises:
        UsageError: An input, a block, or an attachment is wrong; nothing was sent to the flow.
        TargetError: The server could not be asked for the plan.
    """
    base = read_params(asked.params_file)
    attachments = read_attachments(asked.attachments or ())
    definitions, choice = read_tools(tools)
    messages = read_json_file(conversation) if conversation else None
    told = await reached.remote.plan(reached.place.version)
    plan = told.plan if told else Plan()
    parameters = parameters_of(asked.parameters or (), base, plan.inputs)
    request = RunRequest(
        message=asked.message,
        messages=messages,
        parameters=parameters,
        block_edits=read_block_edits(asked.block_overrides, plan),
        attachments=attachments,
        tools=definitions,
        tool_choice=choice,
        trace=asked.trace,
    )
    reached.remote.check(request)
    require_inputs("" if messages is not None else asked.message, parameters, plan.inputs)
    return request


def warn_of_edits(place: Place, request: RunRequest) -> None:
    """Say on stderr that changed blocks go to production."""
    if place.server.production:
        warn_of_production(place.server.profile, sum(map(len, request.block_edits.values())))


def _check_tag(tag: str) -> None:
    if not tag.isascii() or not tag.isprintable() or len(tag) > _LONGEST_TAG:
        raise UsageError(
            "The session's tag must be plain ASCII text of at most "
            f"{_LONGEST_TAG} characters, because it is sent as a header.",
            "Use a UUID.",
        )
