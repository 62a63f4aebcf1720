"""`POST …[/v{n}]/step`: run one plan entry, or the rest, as a stream of events.

Stateless but for the run's record (protocol sections 4, 5 and 12): the client owns the cursor and
the outputs, the record only remembers what the run was started with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from flowdbg.dialects.bodies import json_body
from flowdbg.dialects.noukai import wire
from flowdbg.dialects.noukai.routes.attachments import check_models, read_attachments
from flowdbg.dialects.noukai.routes.requests import (
    StepRequest,
    published_version_of,
    read_request,
    session_of,
)
from flowdbg.dialects.noukai.routes.resolving import (
    check_entry,
    check_index,
    check_outputs,
    flow_inputs,
    resolve,
)
from flowdbg.dialects.noukai.routes.step_walk import StepWalk
from flowdbg.dialects.noukai.routes.tools import begun, check_tools, resume_state, with_tools_of
from flowdbg.dialects.operations import Refusal
from flowdbg.dialects.playing import Play
from flowdbg.dialects.records import RunRecord
from flowdbg.dialects.services import Resolved, RunStart, Services
from flowdbg.dialects.streams import EventStream


class StepRoute:
    """Serves `/step`."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def post(self, request: Request) -> EventStream:
        """Answer `POST …/step`.

        Raises:
            Refusal: Everything that can be found wrong before the step runs.
        """
        version = published_version_of(request)
        body = await json_body(request, self._services.max_body)
        asked = read_request(StepRequest, body)
        resolved = await resolve(self._services.flows, request, version)
        check_outputs(resolved, asked.accumulated_outputs)
        check_index(resolved, asked.step_index)
        last = len(resolved.plan) - 1 if asked.run_remaining else asked.step_index
        indexes = range(asked.step_index, last + 1)
        check_tools(resolved, indexes, asked.tools, asked.tool_choice)
        record = await self._record(asked, resolved)
        if record is not None and asked.tool_call_messages:
            asked = with_tools_of(asked, record.pending)
        initial, keep = _initial(asked, record)
        if not keep:
            images = initial["attachments"]
            check_models(self._services, resolved, images, asked.block_overrides)
        play = Play(
            resolved,
            flow_inputs(resolved, initial, first=asked.step_index == 0),
            outputs=dict(asked.accumulated_outputs),
            input_overrides=dict(asked.input_overrides),
            block_overrides=asked.block_overrides,
            tools=asked.tools,
            tool_choice=asked.tool_choice,
            resume=_resume(asked, resolved, record),
        )
        check_entry(self._services, play, asked.step_index)
        call = await begun(
            self._services.runs,
            RunStart(
                resolved,
                "step",
                initial,
                run_id=asked.execution_id,
                keep_initial=keep,
                after=record if asked.tool_call_messages else None,
                session_id=session_of(request),
                full_capture=asked.trace or (record is not None and record.capture == "full"),
            ),
        )
        walk = StepWalk(self._services, play, indexes, call)
        return EventStream(
            walk.produce,
            stopping=self._services.stopping,
            heartbeat=self._services.heartbeat,
            ping=wire.PING,
            farewell=walk.farewell,
        )

    async def _record(self, asked: StepRequest, resolved: Resolved) -> RunRecord | None:
        """The record of the run that goes on; None when a new one begins."""
        if asked.execution_id is None:
            if self._services.strict_first_call and asked.step_index > 0:
                message = "A run begins at step 0; a later step needs its `executionId`."
                raise Refusal(400, wire.INVALID_FIRST_CALL, message)
            return None
        record = await self._services.runs.find(resolved.flow_id, asked.execution_id)
        if record is None:
            raise Refusal(
                404,
                wire.RUN_NOT_FOUND,
                "This flow has no run with that `executionId`. Send `message` and `parameters`"
                " without an `executionId` to begin a new one; the outputs so far stay good.",
            )
        if record.trigger == "job" and record.status in ("pending", "running"):
            message = (
                "That run is queued, and nobody else runs its steps. Poll it until it is over."
            )
            raise Refusal(400, wire.EXECUTION_ID_INVALID, message)
        return record


def _initial(asked: StepRequest, record: RunRecord | None) -> tuple[Mapping[str, Any], bool]:
    """What the run was started with, and whether its record already says so.

    At step 0 the request wins, later and after a pause for tool calls the record does: one SDK
    sends the parameters again then, and no message (section 4.2). A run that nobody remembers is
    known by what the request carries (sections 12.9 and 17.5).
    """
    given = asked.message is not None or asked.parameters or asked.attachments
    begins = asked.step_index == 0 and not asked.tool_call_messages
    if record is not None and not (begins and given):
        return record.initial, True
    return {
        "message": asked.message,
        "parameters": asked.parameters,
        "attachments": read_attachments(asked.attachments),
    }, False


def _resume(
    asked: StepRequest, resolved: Resolved, record: RunRecord | None
) -> Mapping[str, Any] | None:
    """The state after a pause for tool calls; None for a step from its beginning.

    A run that nobody remembers goes on from the conversation alone.
    """
    if not asked.tool_call_messages:
        return None
    pending = record.pending if record is not None else None
    step_id = resolved.plan[asked.step_index].step_id
    if pending is not None and pending["stepId"] != step_id:
        message = f"The run waits at `{pending['stepId']}`, not at `{step_id}`."
        raise Refusal(400, wire.PAUSED_STEP_INVALID, message)
    return resume_state(asked.tool_call_messages, asked.iterations_used, pending)
