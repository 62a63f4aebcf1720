"""Reaching a flow for whole runs, jobs and traces: on a server, or in a file that gets one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from flowdbg.cli.embedded import names_file, published_flow
from flowdbg.cli.inputs import read_block_edits, read_json_file, read_params
from flowdbg.cli.servers import Server, find_server
from flowdbg.cli.tools import read_tools
from flowdbg.core.address import FlowAddress
from flowdbg.core.inputs import missing_inputs, parameters_of
from flowdbg.core.json_text import JsonText
from flowdbg.core.plan import Plan
from flowdbg.dialects.attachments import read_attachments
from flowdbg.dialects.versions import parse_run_target
from flowdbg.dialects.whole_runs import Remote, Runner, RunRequest
from flowdbg.errors import UsageError

_LONGEST_TAG = 200

Client = TypeVar("Client", bound=Remote)
Client_co = TypeVar("Client_co", bound=Remote, covariant=True)


class Make(Protocol[Client_co]):
    """Makes the client of one operation (`make_executor`, `make_queue`, `make_archive`)."""

    def __call__(
        self,
        dialect: str,
        *,
        url: str,
        key: Callable[[], str],
        address: FlowAddress | None = None,
        session_id: str = "",
    ) -> Client_co:
        """The client for a server."""


@dataclass(frozen=True, slots=True)
class Reached(Generic[Client]):
    """A server, and the version of a flow on it that calls go to."""

    remote: Client
    url: str
    profile: str
    version: int | None = None
    lasting: bool = True
    """Whether the server is there after the command has ended."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run is asked with, as typed."""

    message: str | None = None
    parameters: Sequence[str] = field(default_factory=list)
    params_file: Path | None = None
    block_overrides: Sequence[str] = field(default_factory=list)
    attachments: Sequence[str] = field(default_factory=list)
    messages: Path | None = None
    tools: Path | None = None
    tool_choice: str = ""
    trace: bool = False


@asynccontextmanager
async def reach(
    make: Make[Client],
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
    make: Make[Client], flow: str = "", *, url: str = "", profile: str = ""
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


async def request_for(asked: Asked, remote: Runner, version: int | None) -> RunRequest:
    """What was typed, read by the plan where the server tells one, and checked.

    Raises:
        UsageError: An input, a block, or an attachment is wrong; nothing was sent to the flow.
        TargetError: The server could not be asked for the plan.
    """
    base = read_params(asked.params_file)
    attachments = read_attachments(asked.attachments)
    tools, choice = read_tools(asked.tools, asked.tool_choice)
    messages = read_json_file(asked.messages) if asked.messages else None
    told = await remote.plan(version)
    plan = told.plan if told else Plan()
    parameters = parameters_of(asked.parameters, base, plan.inputs)
    request = RunRequest(
        message=asked.message,
        messages=messages,
        parameters=JsonText.of(parameters),
        block_edits=read_block_edits(asked.block_overrides, plan),
        attachments=attachments,
        tools=tools,
        tool_choice=choice,
        trace=asked.trace,
    )
    remote.check(request)
    said = "" if messages is not None else asked.message
    missing = missing_inputs(said, parameters, plan.inputs)
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
