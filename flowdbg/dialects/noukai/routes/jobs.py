"""Queued runs: `POST …[/v{n}]/jobs` and `GET …/jobs/{executionId}` (protocol section 7)."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import Response

from flowdbg.dialects.bodies import json_body
from flowdbg.dialects.noukai import wire
from flowdbg.dialects.noukai.routes.execute import block_count
from flowdbg.dialects.noukai.routes.fresh import fresh_run
from flowdbg.dialects.noukai.routes.requests import (
    WholeRunRequest,
    address_of,
    read_request,
    session_of,
    version_of,
)
from flowdbg.dialects.noukai.routes.resolving import resolve
from flowdbg.dialects.noukai.routes.traces import status_of
from flowdbg.dialects.operations import Refusal, json_answer
from flowdbg.dialects.services import Services


class JobRoutes:
    """Serves the queue."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def submit(self, request: Request) -> Response:
        """Answer `POST …/jobs`; the run is queued durably when this answers 202."""
        body = await json_body(request, self._services.max_body)
        asked = read_request(WholeRunRequest, body)
        if asked.tools:
            raise Refusal(
                400,
                wire.TOOLS_REQUIRE_SYNC_EXECUTE,
                "A queued run has nobody to answer tool calls. Use /execute or /step.",
            )
        resolved = await resolve(self._services.flows, request, version_of(request))
        start, _ = fresh_run(self._services, asked, resolved, "job", session_of(request))
        run_id = await self._services.jobs.submit(start, asked.block_overrides)
        return json_answer(
            {
                "executionId": run_id,
                "status": "started",
                "flowId": resolved.flow_id,
                "blockCount": block_count(resolved),
            },
            202,
        )

    async def poll(self, request: Request) -> Response:
        """Answer `GET …/jobs/{executionId}`."""
        found = await self._services.history.run(request.path_params["executionId"])
        if found is None or found[0].trigger != "job" or found[1] != address_of(request):
            raise Refusal(404, wire.JOB_NOT_FOUND, "This flow has no such job.")
        run = found[0]
        status = status_of(run)
        error = None if run.error is None else str(run.error.get("message") or run.error)
        return json_answer(
            {
                "executionId": run.id,
                "status": "failed" if status == "cancelled" else status,
                "result": None if run.result is None else json.loads(run.result),
                "error": error,
            }
        )
