"""`POST …[/v{n}]/execute`: run a whole flow and answer once (protocol section 6)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from flowdbg.dialects.bodies import json_body
from flowdbg.dialects.noukai import wire
from flowdbg.dialects.noukai.routes.frames import wire_error
from flowdbg.dialects.noukai.routes.fresh import fresh_run
from flowdbg.dialects.noukai.routes.requests import (
    ExecuteRequest,
    read_request,
    session_of,
    version_of,
)
from flowdbg.dialects.noukai.routes.resolving import (
    check_entry,
    check_outputs,
    flow_inputs,
    resolve,
)
from flowdbg.dialects.noukai.routes.tools import (
    begun,
    check_tools,
    messages_json,
    over_the_limit,
    pending_of,
    resume_state,
    with_tools_of,
)
from flowdbg.dialects.operations import (
    INTERNAL_ERROR,
    SERVER_STOPPING,
    Refusal,
    json_answer,
)
from flowdbg.dialects.playing import Play, play_rest
from flowdbg.dialects.services import Call, Resolved, RunStart, Services
from flowdbg.dialects.streams import while_connected
from flowdbg.engine.errors import EngineError
from flowdbg.engine.events import EntryFailed, EntryPaused
from flowdbg.engine.nodes import Container, walk

logger = logging.getLogger("flowdbg.server")

_STATUS_OF_FAILURE = {
    wire.TOOL_ITERATION_LIMIT: 409,
    wire.BYOK_KEY_REJECTED: 502,
    wire.INSUFFICIENT_CREDITS: 402,
    wire.CREDITS_EXHAUSTED: 402,
    wire.BILLING_UNAVAILABLE: 503,
}
"""Failures of a run that are answered with an error status instead of `failed`.

One of the vendor's SDKs sends a request again on 5xx (section 1.6); so once a step has completed,
such a failure is an ordinary answer (section 18.10).
"""


class ExecuteRoute:
    """Serves `/execute`."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def post(self, request: Request) -> Response:
        """Answer `POST …/execute`.

        Raises:
            Refusal: Everything that can be found wrong before the flow runs, and the failures of
                a run that have a status of their own.
        """
        body = await json_body(request, self._services.max_body)
        asked = read_request(ExecuteRequest, body)
        resolved = await resolve(self._services.flows, request, version_of(request))
        check_tools(resolved, range(len(resolved.plan)), asked.tools, asked.tool_choice)
        index = 0
        if asked.resumes:
            start, play, index = await self._resumed(asked, resolved)
        else:
            tag = session_of(request)
            start, play = fresh_run(self._services, asked, resolved, "execute", tag)
        call = await begun(self._services.runs, start)
        work = self._played(call, play, index)
        try:
            return await while_connected(request, self._services.stopping, work)
        except Refusal as refusal:
            if refusal.code != SERVER_STOPPING or not play.outputs:
                raise
            return json_answer(_failed(call.run_id, resolved, refusal.detail))

    async def _resumed(
        self, asked: ExecuteRequest, resolved: Resolved
    ) -> tuple[RunStart, Play, int]:
        """How a run goes on after a pause, what it is played with, and from which entry on."""
        assert asked.execution_id is not None
        record = await self._services.runs.find(resolved.flow_id, asked.execution_id)
        if record is None:
            raise Refusal(
                400, wire.EXECUTION_ID_INVALID, "This flow has no run with that `executionId`."
            )
        ids = [entry.step_id for entry in resolved.plan]
        waits_at = record.pending.get("stepId") if record.pending else None
        if waits_at is None or waits_at != asked.paused_at_step or waits_at not in ids:
            where = f"waits at `{waits_at}`" if waits_at else "does not wait for tool results"
            message = f"The run {where}, so it cannot go on at `{asked.paused_at_step}`."
            raise Refusal(400, wire.PAUSED_STEP_INVALID, message)
        check_outputs(resolved, asked.accumulated_outputs)
        asked = with_tools_of(asked, record.pending)
        play = Play(
            resolved,
            flow_inputs(resolved, record.initial, first=False),
            outputs=dict(asked.accumulated_outputs),
            block_overrides=asked.block_overrides,
            tools=asked.tools,
            tool_choice=asked.tool_choice,
            resume=resume_state(asked.tool_call_messages, asked.iterations_used, record.pending),
        )
        index = ids.index(waits_at)
        check_entry(self._services, play, index)
        start = RunStart(
            resolved,
            record.trigger,
            record.initial,
            run_id=record.id,
            after=record,
            full_capture=asked.trace or record.capture == "full",
        )
        return start, play, index

    async def _played(self, call: Call, play: Play, start: int) -> Response:
        try:
            index, stopped = await play_rest(self._services, call, play, start)
        except EngineError as wrong:  # a later entry cannot be run
            error = {"code": wrong.code, "message": str(wrong)}
            await call.close("failed", error=error)
            return json_answer(_failed(call.run_id, play.resolved, error))
        except Exception:
            error = {"code": INTERNAL_ERROR, "message": "The server met a fault of its own."}
            await call.close("failed", error=error)
            if not play.outputs:
                raise
            logger.exception("a run failed inside the server", extra={"run_id": call.run_id})
            return json_answer(_failed(call.run_id, play.resolved, error))
        if isinstance(stopped, EntryPaused):
            stopped = over_the_limit(stopped) or stopped
        if stopped is None:
            await call.close("completed")
            return json_answer({"status": "completed", "result": play.result, **_ids(call, play)})
        step_id = play.resolved.plan[index].step_id
        if isinstance(stopped, EntryPaused):
            await call.close(
                "paused", pending=pending_of(stopped, step_id, play.tools, play.tool_choice)
            )
            return json_answer(_paused(call, play, step_id, stopped))
        return await _fail(call, play, step_id, stopped)


async def _fail(call: Call, play: Play, step_id: str, failure: EntryFailed) -> Response:
    """The answer to a run that failed: 200, but for the failures with a status of their own."""
    error = {**wire_error(failure.error), "stepId": step_id}
    await call.close("failed", error=error)
    status = _STATUS_OF_FAILURE.get(str(error["code"]), 200)
    if status == 200 or (status >= 500 and play.outputs):
        return json_answer(_failed(call.run_id, play.resolved, error))
    code, message = str(error["code"]), str(error["message"])
    raise Refusal(status, code, message, executionId=call.run_id, stepId=step_id)


def _failed(run_id: str, resolved: Resolved, error: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "status": "failed",
        "result": str(error["message"]),
        "executionId": run_id,
        "flowId": resolved.flow_id,
        "blockCount": block_count(resolved),
        "error": error,
    }


def _ids(call: Call, play: Play) -> dict[str, Any]:
    return {
        "executionId": call.run_id,
        "flowId": play.resolved.flow_id,
        "blockCount": block_count(play.resolved),
    }


def _paused(call: Call, play: Play, step_id: str, paused: EntryPaused) -> dict[str, Any]:
    return {
        "status": wire.TOOL_CALLS_REQUIRED,
        **_ids(call, play),
        "pausedAtStep": step_id,
        "iterationsUsed": paused.iterations_used,
        "toolCallMessages": messages_json(paused.messages),
        "toolCalls": list(paused.tool_calls),
        "accumulatedOutputs": play.outputs,
    }


def block_count(resolved: Resolved) -> int:
    """How many blocks a flow has, those inside containers included."""
    return sum(
        not isinstance(node, Container) for step in resolved.definition.steps for node in walk(step)
    )
