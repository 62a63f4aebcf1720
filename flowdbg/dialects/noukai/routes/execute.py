"""`POST …[/v{n}]/execute`: run a whole flow and answer once (protocol section 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from flowdbg.dialects.bodies import json_body
from flowdbg.dialects.noukai import wire
from flowdbg.dialects.noukai.routes.attachments import check_models, read_attachments
from flowdbg.dialects.noukai.routes.chat import message_of
from flowdbg.dialects.noukai.routes.frames import wire_error
from flowdbg.dialects.noukai.routes.requests import (
    ExecuteRequest,
    read_request,
    session_of,
    version_of,
)
from flowdbg.dialects.noukai.routes.resolving import (
    check_outputs,
    flow_inputs,
    refused_by_engine,
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
from flowdbg.dialects.operations import Refusal, json_answer
from flowdbg.dialects.playing import Play, play_rest
from flowdbg.dialects.services import Call, Resolved, RunStart, Services
from flowdbg.dialects.streams import while_connected
from flowdbg.engine.errors import EngineError
from flowdbg.engine.events import EntryFailed, EntryPaused
from flowdbg.engine.nodes import Container, walk

_STATUS_OF_FAILURE = {
    wire.TOOL_ITERATION_LIMIT: 409,
    wire.BYOK_KEY_REJECTED: 502,
    wire.INSUFFICIENT_CREDITS: 402,
    wire.CREDITS_EXHAUSTED: 402,
    wire.BILLING_UNAVAILABLE: 503,
}
"""Failures of a run that are answered with an error status instead of `failed`."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A request that was found right: how the run begins, and from where it is played."""

    start: RunStart
    play: Play
    index: int


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
        if asked.resumes:
            prepared = await self._resumed(asked, resolved)
        else:
            prepared = self._fresh(asked, resolved, session_of(request))
        self._check(prepared)
        call = await begun(self._services.runs, prepared.start)
        return await while_connected(request, self._services.stopping, self._played(call, prepared))

    def _fresh(
        self, asked: ExecuteRequest, resolved: Resolved, session_id: str | None
    ) -> _Prepared:
        attachments = read_attachments(asked.attachments)
        check_models(self._services, resolved, attachments, asked.block_overrides)
        initial = {
            "message": message_of(asked.message, asked.messages),
            "parameters": asked.parameters,
            "attachments": attachments,
            "messages": asked.messages,
        }
        inputs = flow_inputs(resolved, initial, first=True)
        start = RunStart(
            resolved, "execute", initial, session_id=session_id, full_capture=asked.trace
        )
        return _Prepared(start, self._play(asked, resolved, inputs), 0)

    async def _resumed(self, asked: ExecuteRequest, resolved: Resolved) -> _Prepared:
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
        inputs = flow_inputs(resolved, record.initial, first=False)
        play = self._play(with_tools_of(asked, record.pending), resolved, inputs)
        play.outputs.update(asked.accumulated_outputs)
        play.resume = resume_state(asked.tool_call_messages, asked.iterations_used, record.pending)
        start = RunStart(
            resolved,
            record.trigger,
            record.initial,
            run_id=record.id,
            after=record,
            full_capture=asked.trace or record.capture == "full",
        )
        return _Prepared(start, play, ids.index(waits_at))

    def _play(self, asked: ExecuteRequest, resolved: Resolved, inputs: Mapping[str, Any]) -> Play:
        return Play(
            resolved,
            inputs,
            block_overrides=asked.block_overrides,
            tools=asked.tools,
            tool_choice=asked.tool_choice,
        )

    def _check(self, prepared: _Prepared) -> None:
        """Have the engine check the first entry; nothing runs."""
        play = prepared.play
        try:
            # Events that nobody asks for never come to be.
            self._services.engine.run_entry(
                play.resolved.definition,
                prepared.index,
                outputs=play.outputs,
                initial=play.inputs,
                block_overrides=play.block_overrides,
                tools=play.tools,
                tool_choice=play.tool_choice,
                resume=play.resume,
            )
        except EngineError as error:
            raise refused_by_engine(error) from error

    async def _played(self, call: Call, prepared: _Prepared) -> Response:
        play = prepared.play
        try:
            index, stopped = await play_rest(self._services, call, play, prepared.index)
        except EngineError as error:
            await call.close("failed", error={"code": error.code, "message": str(error)})
            return json_answer(_failed(call.run_id, play.resolved, error.code, str(error)))
        except Exception:
            await call.close("failed", error={"code": "INTERNAL_ERROR", "message": "A fault."})
            raise
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
    code, message = str(error["code"]), str(error["message"])
    if code in _STATUS_OF_FAILURE:
        status = _STATUS_OF_FAILURE[code]
        raise Refusal(status, code, message, executionId=call.run_id, stepId=step_id)
    answer = _failed(call.run_id, play.resolved, code, message)
    return json_answer({**answer, "error": error})


def _failed(run_id: str, resolved: Resolved, code: str, message: str) -> dict[str, Any]:
    return {
        "status": "failed",
        "result": message,
        "executionId": run_id,
        "flowId": resolved.flow_id,
        "blockCount": block_count(resolved),
        "error": {"code": code, "message": message},
    }


def _ids(call: Call, play: Play) -> dict[str, Any]:
    return {
        "executionId": call.run_id,
        "flowId": play.resolved.flow_id,
        "blockCount": block_count(play.resolved),
    }


def _paused(call: Call, play: Play, step_id: str, paused: EntryPaused) -> dict[str, Any]:
    return {
        "status": "tool_calls_required",
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
