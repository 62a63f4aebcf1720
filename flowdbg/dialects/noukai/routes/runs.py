"""Runs, traces and recorded sessions, in both families of addresses (sections 8 and 9)."""

from __future__ import annotations

import uuid

from starlette.requests import Request
from starlette.responses import Response

from flowdbg.dialects.noukai import wire
from flowdbg.dialects.noukai.routes.follow import TraceStream
from flowdbg.dialects.noukai.routes.requests import address_of
from flowdbg.dialects.noukai.routes.traces import (
    FILTERS,
    execution_json,
    run_json,
    step_json,
    trace_json,
)
from flowdbg.dialects.operations import INVALID_REQUEST, Refusal, caller_of, json_answer
from flowdbg.dialects.records import RunRecord, StepRecord
from flowdbg.dialects.services import Address, Services
from flowdbg.dialects.streams import EventStream

_MOST_RUNS = 100
_LARGEST = 2**31 - 1


class RunRoutes:
    """Serves what runs left behind."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def summary(self, request: Request) -> Response:
        """Answer `GET …/runs/{executionId}`."""
        run, address = await self._run(request)
        return json_answer(run_json(run, address))

    async def trace(self, request: Request) -> Response:
        """Answer `GET …/trace`."""
        run, address = await self._run(request)
        return json_answer(trace_json(run, address, await self._services.history.steps(run.id)))

    async def step_trace(self, request: Request) -> Response:
        """Answer `GET …/steps/{stepId}/trace`, for one attempt or all (section 8.4)."""
        run, _ = await self._run(request)
        step_id = request.path_params["stepId"]
        index = _whole_number(request, "loop_index")
        attempt = request.query_params.get("attempt")
        found = [
            record
            for record in await self._services.history.steps(run.id)
            if record.note.step_id == step_id and index in (None, record.note.loop_index)
        ]
        if attempt == "all":
            attempts = [step_json(run, record) for record in found]
            if not attempts:
                raise _no_step(step_id)
            return json_answer({"stepId": step_id, "attempts": attempts})
        number = _whole_number(request, "attempt")
        found = [record for record in found if number in (None, record.attempt)]
        if not found:
            raise _no_step(step_id)
        return json_answer(step_json(run, max(found, key=_newest)))

    async def stream(self, request: Request) -> EventStream:
        """Answer `GET …/trace/stream`."""
        run, address = await self._run(request)
        trace = TraceStream(run, address, self._services.history.follow(run.id))
        return EventStream(
            trace.produce,
            stopping=self._services.stopping,
            heartbeat=self._services.heartbeat,
            ping=wire.PING,
        )

    async def listing(self, request: Request) -> Response:
        """Answer `GET /flow-runs`, newest first (section 8.1)."""
        named = request.query_params.get("flow_id")
        if not named:
            message = "`flow_id` is needed: a flow's id, or org/project/flow."
            raise Refusal(400, INVALID_REQUEST, message)
        address, flow_id = await self._flow(named)
        caller_of(request).need(address.org, address.project)
        wanted = request.query_params.get("status")
        if wanted is not None and wanted not in FILTERS:
            raise Refusal(400, INVALID_REQUEST, f"`status` must be one of {', '.join(FILTERS)}.")
        limit = _whole_number(request, "limit")
        if limit is not None and not 1 <= limit <= _MOST_RUNS:
            raise Refusal(400, INVALID_REQUEST, f"`limit` must be 1 to {_MOST_RUNS}.")
        statuses = FILTERS[wanted] if wanted else ()
        runs = await self._services.history.runs(flow_id, statuses, limit or 20)
        return json_answer({"runs": [run_json(run, address) for run in runs]})

    async def session(self, request: Request) -> Response:
        """Answer `GET /seq/sessions/{sessionId}` (section 9)."""
        session_id = request.path_params["sessionId"]
        try:
            uuid.UUID(session_id)
        except ValueError as error:
            message = "A session's id must be a UUID."
            raise Refusal(400, wire.SESSION_ID_INVALID, message) from error
        runs = await self._services.history.session(session_id)
        if not runs:
            raise Refusal(404, wire.SESSION_NOT_FOUND, "No run carries that session's tag.")
        for _, address in runs:
            caller_of(request).need(address.org, address.project)
        executions = [
            execution_json(run, address, await self._services.history.steps(run.id))
            for run, address in runs
        ]
        return json_answer({"sessionId": session_id, "executions": executions})

    async def _run(self, request: Request) -> tuple[RunRecord, Address]:
        """The run that a path names, if the caller may see it.

        Raises:
            Refusal: 404 `RUN_NOT_FOUND`, 403 when it belongs to another project.
        """
        found = await self._services.history.run(request.path_params["executionId"])
        in_flow = "flow" in request.path_params
        if found is None or (in_flow and found[1] != address_of(request)):
            raise Refusal(404, wire.RUN_NOT_FOUND, "There is no such run.")
        caller_of(request).need(found[1].org, found[1].project)
        return found

    async def _flow(self, name: str) -> tuple[Address, str]:
        """A flow by its id, or by `org/project/flow`."""
        parts = name.split("/")
        if len(parts) == 3:
            flow_id = await self._services.history.flow_id(Address(*parts))
            if flow_id is not None:
                return Address(*parts), flow_id
        address = await self._services.history.address(name)
        if address is None:
            raise Refusal(404, wire.FLOW_NOT_FOUND, "There is no flow with that `flow_id`.")
        return address, name


def _newest(record: StepRecord) -> tuple[int, int]:
    return record.attempt, record.ordinal


def _no_step(step_id: str) -> Refusal:
    message = f"The run has no such record of a step `{step_id}`."
    return Refusal(404, wire.STEP_NOT_FOUND, message)


def _whole_number(request: Request, name: str) -> int | None:
    """A query parameter as a number; None when it is absent.

    Raises:
        Refusal: 400, it is no whole number.
    """
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 10 or int(text) > _LARGEST:
        raise Refusal(400, INVALID_REQUEST, f"`{name}` must be a whole number.")
    return int(text)
