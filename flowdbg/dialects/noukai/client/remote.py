"""The client of everything but `/step`: whole runs, jobs, runs and traces (sections 2, 6, 7, 8).

It implements `Executor`, `Queue` and `Archive`, which say what is raised. Each POST is sent once. A
GET changes nothing, so whoever waits may repeat one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import quote, urlencode

from flowdbg.core.address import FlowAddress, parse_address
from flowdbg.core.events import Received
from flowdbg.core.json_text import Segments
from flowdbg.dialects.noukai import wire
from flowdbg.dialects.noukai.client import answers, traces
from flowdbg.dialects.noukai.client.bodies import check_request, fresh_body, resume_body
from flowdbg.dialects.noukai.client.http import (
    batches,
    client_of,
    explain_to_commands,
    get_plan,
)
from flowdbg.dialects.noukai.client.plans import read_plan
from flowdbg.dialects.noukai.client.trace_entries import Opened, entries_from_trace
from flowdbg.dialects.traces import OpenedRun, RunSummary, StepTrace, Trace
from flowdbg.dialects.whole_runs import (
    Accepted,
    Finished,
    JobState,
    Paused,
    RunRequest,
    ToldPlan,
)
from flowdbg.errors import (
    FlowNotFound,
    Interrupted,
    RequestTimedOut,
    ServerFailed,
    UsageError,
)
from flowdbg.transport.answers import Answer
from flowdbg.transport.body import BodyEncoder

_ASK_AGAIN = "Ask again: reading changes nothing, and the run goes on without us."
_UNKNOWN = "Whether the flow runs is not known; nothing was sent again."
_POLL_TIMEOUT = 30.0
"""Seconds for one question of how a job stands."""


class NoukaiRemote:
    """One server, and one flow on it where `address` is given.

    Without an address only runs and traces can be asked for, by the addresses of section 2 that
    name no flow. `session_id` tags the runs that are begun here (section 9).
    """

    def __init__(
        self,
        url: str,
        key: Callable[[], str],
        address: FlowAddress | None = None,
        *,
        session_id: str = "",
    ) -> None:
        self.address = address
        self._url = url
        self._tag = {"X-Session-Id": session_id} if session_id else {}
        self._bodies = BodyEncoder()
        self._client = client_of(url, key, explain_to_commands)

    async def plan(self, version: int | None) -> ToldPlan | None:
        """The plan of a version; None where the server has no such route."""
        answer = await get_plan(self._client, self._flow(version))
        if answer is None:
            return None
        return ToldPlan(read_plan(answer.value), str(answer.value.get("flowId") or ""))

    def check(self, request: RunRequest) -> None:
        """Check what the server would refuse."""
        check_request(request)

    async def execute(self, version: int | None, request: RunRequest) -> Finished | Paused:
        """Run a flow to its end, or to the next pause for tool calls (section 6.1)."""
        return await self._executed(version, fresh_body(request), self._tag)

    async def go_on(
        self,
        version: int | None,
        request: RunRequest,
        paused: Paused,
        results: Sequence[Mapping[str, Any]],
    ) -> Finished | Paused:
        """Go on after a pause with the answers to its calls (section 6.2)."""
        return await self._executed(version, resume_body(request, paused, results), {})

    async def submit(self, version: int | None, request: RunRequest) -> Accepted:
        """Queue a run (section 7)."""
        path = f"{self._flow(version)}/jobs"
        answer = await self._post(path, fresh_body(request), self._tag)
        return answers.read_accepted(answer.text)

    async def job(self, execution_id: str) -> JobState:
        """How a job stands."""
        path = f"{self._flow(None)}/jobs/{quote(execution_id, safe='')}"
        return answers.read_job((await self._get(path, _POLL_TIMEOUT)).text)

    async def runs(self, flow_id: str, *, status: str = "", limit: int = 20) -> list[RunSummary]:
        """The newest runs of a flow (section 8.1)."""
        query = {"flow_id": flow_id, "limit": str(limit), **({"status": status} if status else {})}
        answer = await self._get(f"/flow-runs?{urlencode(query)}")
        return answers.read_runs(answer.text)

    async def trace(self, run_id: str) -> Trace:
        """A run's whole trace (section 8.3)."""
        return traces.read_trace((await self._get(f"{self._run(run_id)}/trace")).text)

    async def step_trace(
        self, run_id: str, step_id: str, *, attempt: str = "", loop_index: int | None = None
    ) -> list[StepTrace]:
        """One step's executions: the latest, a numbered one, or `all` of them (section 8.4)."""
        query = {"attempt": attempt} if attempt else {}
        if loop_index is not None:
            query["loop_index"] = str(loop_index)
        path = f"{self._run(run_id)}/steps/{quote(step_id, safe='')}/trace"
        answer = await self._get(f"{path}?{urlencode(query)}" if query else path)
        return traces.read_attempts(answer.text)

    @asynccontextmanager
    async def follow(self, run_id: str) -> AsyncIterator[AsyncIterator[list[Received]]]:
        """A run's events so far, then those to come (section 8.5)."""
        with _saying(_ASK_AGAIN):
            async with self._client.get_events(f"{self._run(run_id)}/trace/stream") as stream:
                yield batches(stream, _ASK_AGAIN)

    async def open_run(self, run_id: str, session_id: str) -> OpenedRun:
        """A run as the log of the session `session_id`, by the plan that it went by.

        The flow may be left out where the server tells it; further steps go to it then.
        """
        trace = await self.trace(run_id)
        if self.address is None:
            if not trace.run.address:
                raise UsageError(
                    f"The server does not tell which flow run {run_id} belongs to.",
                    "Name the flow, too: org/project/flow.",
                )
            self.address = parse_address(trace.run.address)
        version = trace.run.version
        try:
            told = await self.plan(version)
        except FlowNotFound:  # the version is gone; the trace is all that is left of it
            told = None
        opened = Opened(session_id, self._url, str(self.address), version)
        plan = told.plan if told else None
        return OpenedRun(self.address, version, entries_from_trace(trace, plan, opened))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def _executed(
        self, version: int | None, body: Segments, tag: Mapping[str, str]
    ) -> Finished | Paused:
        answer = await self._post(f"{self._flow(version)}/execute", body, tag)
        return answers.read_executed(answer.text)

    async def _get(self, path: str, timeout: float | None = None) -> Answer:
        with _saying(_ASK_AGAIN):
            try:
                return await self._client.get_json(path, timeout=timeout)
            except ServerFailed as error:
                error.next_step = "Look at the server's log, and ask again; nothing was run."
                raise

    async def _post(self, path: str, body: Segments, headers: Mapping[str, str]) -> Answer:
        with _saying(_UNKNOWN):
            return await self._client.send_json("POST", path, self._bodies.encode(body), headers)

    def _flow(self, version: int | None) -> str:
        if self.address is None:
            raise UsageError("No flow is named.", "Name it: org/project/flow.")
        return wire.flow_path(self.address, version)

    def _run(self, run_id: str) -> str:
        run = quote(run_id, safe="")
        return f"{self._flow(None)}/runs/{run}" if self.address else f"/flow-runs/{run}"


@contextmanager
def _saying(next_step: str) -> Iterator[None]:
    """Say what to do when no whole answer came, in the words of what was asked."""
    try:
        yield
    except (Interrupted, RequestTimedOut) as error:
        error.next_step = next_step
        raise
