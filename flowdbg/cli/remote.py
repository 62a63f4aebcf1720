"""Reaching a flow for whole runs, jobs and traces: on a server, or in a file that gets one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from flowdbg.cli.asked import Asked, Tools
from flowdbg.cli.embedded import names_file, published_flow
from flowdbg.cli.inputs import read_block_edits, read_json_file, read_params
from flowdbg.cli.servers import Server, find_server
from flowdbg.cli.tools import read_tools
from flowdbg.core.inputs import missing_inputs, parameters_of
from flowdbg.core.plan import Plan
from flowdbg.dialects.attachments import read_attachments
from flowdbg.dialects.targets import Maker
from flowdbg.dialects.versions import parse_run_target
from flowdbg.dialects.whole_runs import Remote, Runner, RunRequest
from flowdbg.errors import UsageError

_LONGEST_TAG = 200

Client = TypeVar("Client", bound=Remote)


@dataclass(frozen=True, slots=True)
class Reached(Generic[Client]):
    """A server, and the version of a flow on it that calls go to."""

    remote: Client
    url: str
    profile: str
    version: int | None = None
    lasting: bool = True
    """Whether the server is there after the command has ended."""


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
        number: int | None
        lasting = not names_file(target)
        if lasting:
            server = find_server(url=url, profile=profile)
            address, number = parse_run_target(server.complete(target), version)
        else:
            if url or profile or version:
                raise UsageError(
                    "A flow file is run as it is, on an embedded server; --url, --profile and "
                    "--version are for flows on a server.",
                    "Publish the file there (flowdbg publish FILE --url URL), or leave them out.",
                )
            published = await stack.enter_async_context(published_flow(Path(target).absolute()))
            server, address, number = Server(published.url), published.address, published.version
        remote = make(
            server.dialect, url=server.url, key=server.key, address=address, session_id=tag
        )
        stack.push_async_callback(remote.aclose)
        yield Reached(remote, server.url, server.profile, number, lasting)


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
    remote: Runner,
    version: int | None,
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
    attachments = read_attachments(asked.attachments)
    definitions, choice = read_tools(tools.file, tools.choice)
    messages = read_json_file(conversation) if conversation else None
    told = await remote.plan(version)
    plan = told.plan if told else Plan()
    parameters = parameters_of(asked.parameters, base, plan.inputs)
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
    remote.check(request)
    said = "" if messages is not None else asked.message
    missing = missing_inputs(said, parameters.value, plan.inputs)
    if missing:
        raise UsageError(
            f"The flow needs: {', '.join(missing)}.", "Give -m MESSAGE or -p NAME=VALUE."
        )
    return request


def _check_tag(tag: str) -> None:
    if not tag.isascii() or not tag.isprintable() or len(tag) > _LONGEST_TAG:
        raise UsageError(
            "The session's tag must be plain ASCII text of at most "
            f"{_LONGEST_TAG} characters, because it is sent as a header.",
            "Use a UUID.",
        )
