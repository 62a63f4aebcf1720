"""Opening a debugger on what a person named: an address on a server, a flow file, a session."""

from __future__ import annotations

import dataclasses
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from flowdbg.cli.asked import Asked, Tools
from flowdbg.cli.embedded import published_flow
from flowdbg.cli.inputs import (
    make_handler,
    read_block_edits,
    read_params,
    read_tools,
    read_value,
    require_inputs,
)
from flowdbg.cli.servers import Place, Server, find_server, locate
from flowdbg.config import paths
from flowdbg.core.address import FlowAddress, parse_address, parse_target
from flowdbg.core.entries import Entry, SessionOpened
from flowdbg.core.inputs import nearest, parameters_of
from flowdbg.core.json_text import JsonText
from flowdbg.core.overrides import known_step, output_value, split_output_override
from flowdbg.core.plan import Plan
from flowdbg.core.recording import to_record
from flowdbg.debugger import Debugger
from flowdbg.dialects.attachments import read_attachments
from flowdbg.dialects.target import Target
from flowdbg.dialects.targets import make_archive, make_target
from flowdbg.errors import SessionHeld, SessionUnreadable, UsageError
from flowdbg.store import SessionStore


@dataclass(frozen=True, slots=True)
class Opening:
    """What a person named on the command line."""

    target: str
    asked: Asked = field(default_factory=Asked)
    tools: Tools = field(default_factory=Tools)
    output_overrides: Sequence[str] | None = None
    url: str = ""
    profile: str = ""


@asynccontextmanager
async def open_new(
    opening: Opening, *, unattended: bool = False, until: str = "", skip: Sequence[str] = ()
) -> AsyncIterator[Debugger]:
    """A new session, paused before step 0, with the edits that were given.

    `unattended` refuses a run that lacks inputs, where nobody can be asked for them; `until` is the
    step before which it is to stop, `skip` are the steps that are not to run.

    Raises:
        UsageError: The target, an input or an edit is wrong; nothing was sent to a flow.
        TargetError: The server could not be asked for the plan.
        StoreError: The session's file could not be made.
    """
    base = read_params(opening.asked.params_file)
    async with AsyncExitStack() as stack:
        place = await locate(stack, opening.target, url=opening.url, profile=opening.profile)
        server = place.server
        target = _target(server, place.address)
        stack.push_async_callback(target.aclose)
        plan = await target.fetch_plan(place.version)
        known = plan or Plan()
        parameters = parameters_of(opening.asked.parameters or (), base, known.inputs)
        if until:
            _check_goal("--until", until, known)
        if unattended:
            require_inputs(opening.asked.message, parameters, known.inputs)
        handler = make_handler(opening.tools)
        outputs = _output_edits(opening.output_overrides or (), known)
        blocks = read_block_edits(opening.asked.block_overrides, known)
        _check_skips(skip, known, [step_id for step_id, _ in outputs])
        debugger = await _start(target, opening, parameters, place, plan)
        stack.push_async_callback(debugger.close)
        _name_server(debugger, server)
        debugger.tool_handler, debugger.tool_rounds = handler, opening.tools.rounds
        for step_id, value in outputs:
            await debugger.edit_output(step_id, value)
        for step_id, fields in blocks.items():
            await debugger.edit_block(step_id, fields)
        yield debugger


@asynccontextmanager
async def open_run(run_id: str, *, target: str, url: str, profile: str) -> AsyncIterator[Debugger]:
    """A session filled from a finished run's trace, paused at its end.

    `target` names the run's flow where the server does not tell it; it may be empty.

    Raises:
        TargetError: The server could not be asked, or does not know the run.
        UsageError: The server does not tell the run's flow, and none is named.
        StoreError: The session's file could not be made.
    """
    server = find_server(url=url, profile=profile)
    named = parse_target(server.complete(target))[0] if target else None
    async with AsyncExitStack() as stack:
        store = _new_store(server)
        stack.callback(store.close)
        archive = make_archive(server.dialect, url=server.url, key=server.key, address=named)
        stack.push_async_callback(archive.aclose)
        opened = await archive.open_run(run_id, store.session_id)
        store.append([to_record(Entry(time.time(), 0, body)) for body in opened.bodies])
        client = _target(server, opened.address)
        debugger = await Debugger.resume(client, store)
        stack.push_async_callback(debugger.close)
        _name_server(debugger, server)
        yield debugger


@asynccontextmanager
async def open_stored(path: Path) -> AsyncIterator[Debugger]:
    """A stored session, where it stood; a flow file gets its embedded server again.

    While another process writes the session, it can only be looked at.

    Raises:
        StoreError: The session cannot be read.
        UsageError: The flow file it was made from is gone.
    """
    read_only = ""
    try:
        store = SessionStore.open(path)
    except SessionHeld as error:
        read_only = str(error)
        store = SessionStore.open(path, read_only=True)
    async with AsyncExitStack() as stack:
        stack.callback(store.close)
        meta = store.meta
        if not {"url", "address", "dialect"} <= meta.keys():
            raise SessionUnreadable(
                f"{path} does not tell any more which flow it ran on.",
                "Its entries are all there is: flowdbg sessions compare shows them.",
            )
        url, profile = str(meta["url"]), str(meta.get("profile", ""))
        server = find_server(profile=profile) if profile else find_server(url=url)
        if profile and server.url != url:
            raise UsageError(
                f"The session ran on {url}; the profile '{profile}' is {server.url} now.",
                "Put the profile's URL back to open it; its key goes nowhere else.",
            )
        if meta.get("flow_file"):
            published = await stack.enter_async_context(published_flow(Path(meta["flow_file"])))
            url = published.url
        address = parse_address(str(meta["address"]))
        server = dataclasses.replace(server, url=url, dialect=str(meta["dialect"]))
        target = _target(server, address)
        debugger = await Debugger.resume(target, store, read_only=read_only)
        stack.push_async_callback(debugger.close)
        _name_server(debugger, server)
        yield debugger


def _name_server(debugger: Debugger, server: Server) -> None:
    """Let the front-ends say which named server is spoken to, and whether it is production."""
    debugger.profile, debugger.is_production = server.profile, server.production


def _check_goal(option: str, step_id: str, plan: Plan) -> None:
    if not plan.told:
        raise UsageError(
            f"The server tells no plan, so nothing is known of '{step_id}' before it runs.",
            f"Leave {option} out, or step there on the screen: flowdbg debug.",
        )
    if plan.index_of(step_id) is None:
        raise UsageError(
            f"The plan has no step '{step_id}'.", nearest(step_id, [step.id for step in plan.steps])
        )


def _check_skips(steps: Sequence[str], plan: Plan, edited: Sequence[str]) -> None:
    for step_id in steps:
        _check_goal("--skip", step_id, plan)
        if step_id not in edited:
            raise UsageError(
                f"Nothing stands in for '{step_id}' when it is skipped.",
                f"Add --override-output {step_id}=JSON.",
            )


async def _start(
    target: Target,
    opening: Opening,
    parameters: JsonText,
    place: Place,
    plan: Plan | None,
) -> Debugger:
    definitions, choice = read_tools(opening.tools)
    attachments = read_attachments(opening.asked.attachments or ())
    store = _new_store(place.server, place.file)
    opened = SessionOpened(
        store.session_id,
        target.dialect,
        target.url,
        str(place.address),
        place.version,
        opening.asked.message,
        parameters,
        tools=definitions.text if definitions else "",
        tool_choice=choice.text if choice else "",
        attachments=JsonText.of(attachments).text if attachments else "",
        trace=opening.asked.trace,
        file=str(place.file) if place.file else "",
    )
    try:
        return await Debugger.start(target, store, opened, plan)
    except BaseException:
        store.close()
        raise


def _target(server: Server, address: FlowAddress) -> Target:
    """The client of one flow on a server, within the limits that the settings name."""
    return make_target(
        server.dialect, url=server.url, address=address, key=server.key, limits=server.limits
    )


def _new_store(server: Server, file: Path | None = None) -> SessionStore:
    """The file of a session that begins now."""
    session_id = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"
    meta = {
        "flow_file": str(file) if file else "",
        "profile": server.profile,
        "created": time.time(),
    }
    return SessionStore.create(paths.sessions_dir(), session_id=session_id, meta=meta)


def _output_edits(texts: Sequence[str], plan: Plan) -> list[tuple[str, JsonText]]:
    """The edits of the command line, checked against the plan before anything is made."""
    edits = []
    for text in texts:
        step_id, value = split_output_override(text)
        if known_step(plan, step_id) is not None and plan.index_of(step_id) is None:
            raise UsageError(
                f"'{step_id}' is inside a container, whose output is one.",
                "Override the output of the whole container.",
            )
        edits.append((step_id, output_value(read_value(value), step_id)))
    return edits
