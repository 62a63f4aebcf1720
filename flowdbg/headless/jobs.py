"""Queued runs from a script: submit one, ask how it stands, wait for it.

Waiting only asks: a job is never touched, and a question that fails is asked again for a while.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Final, TextIO

from flowdbg.dialects.whole_runs import Accepted, JobState, Queue
from flowdbg.errors import (
    ConnectionFailed,
    FlowNotFound,
    Interrupted,
    RateLimited,
    Refused,
    RequestTimedOut,
    ServerFailed,
    TargetError,
)
from flowdbg.headless.execute_report import readable
from flowdbg.headless.exit_codes import ExitCode, code_of_run
from flowdbg.headless.interruption import StoppedByPerson, unless_stopped
from flowdbg.headless.lines import json_value, write_line
from flowdbg.headless.progress import Progress
from flowdbg.present.safe_text import safe_line, safe_text

GRACE: Final = 5.0
"""Seconds after submission in which a job that the server does not know yet is pending
(the noukai protocol, section 7)."""

_ENDED = {"completed", "failed", "cancelled", "canceled", "interrupted"}
"""What ends a job; the vendor's servers know the first two."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How a job is waited for; all in seconds."""

    first: float = 0.2
    """Between the first two questions."""
    longest: float = 2.0
    """Between two questions, at last."""
    trouble: float = 60.0
    """How long the server may be away."""
    total: float | None = None
    """How long to wait at all; None for ever."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a job that has not ended."""

    status: str = ""
    """What the server said last; empty when it said nothing."""
    trouble: str = ""
    """Why it cannot be asked; empty when it answers."""

    @property
    def words(self) -> str:
        """What is known, as a sentence."""
        if self.status and not self.trouble:
            return "The job goes on."
        if self.status:
            return f"It was {self.status} when the server answered last ({self.trouble})."
        return f"How the job stands is not known: {self.trouble or 'nobody answered yet.'}"


class JobReport:
    """What the commands print about a job."""

    def __init__(self, out: TextIO, err: TextIO, address: str, *, as_json: bool) -> None:
        self._out = out
        self._err = err
        self._address = address
        self._as_json = as_json

    def submitted(self, accepted: Accepted, come_back: str) -> None:
        """Print the id at once, alone on stdout, and on stderr how to come back to it."""
        if self._as_json:
            line = {"event": "job_submitted", **self._ids(accepted.execution_id)}
            more = {"flow_id": accepted.flow_id, "block_count": accepted.block_count}
            write_line(self._out, {**line, "status": accepted.status, **more})
        else:
            self._print(safe_line(accepted.execution_id))
            self._say(f"Wait for it: {come_back}")

    def status(self, state: JobState) -> ExitCode:
        """Print how it stands, with its result when it has one; the exit code that this means."""
        code = code_of_run(state.status)
        if self._as_json:
            event = f"run_{state.status}" if state.status in _ENDED else "job_status"
            line = {"event": event, **self._ids(state.execution_id), "status": state.status}
            result = {"result": json_value(state.result), "error": state.error or None}
            result = result if state.status in _ENDED else {}
            write_line(self._out, {**line, "exit_code": int(code), **result})
            return code
        self._print(safe_line(state.status))
        if state.error:
            self._print(safe_text(state.error))
        if state.result.text != "null":
            self._print(safe_text(readable(state.result)))
        return code

    def left_alone(
        self, run: str, why: str, stands: Standing, come_back: str, code: ExitCode
    ) -> None:
        """Say that nobody waits any more, what is known of the job, and how to come back to it."""
        if self._as_json:
            line = {"event": "job_left", **self._ids(run), "status": stands.status or None}
            write_line(self._out, {**line, "exit_code": int(code)})
        self._say(f"{why} {stands.words} Come back with: {come_back}")

    def _ids(self, execution_id: str) -> dict[str, str]:
        return {"flow": self._address, "execution_id": execution_id}

    def _print(self, text: str) -> None:
        self._out.write(f"{text}\n")
        self._out.flush()

    def _say(self, text: str) -> None:
        self._err.write(f"{safe_line(text)}\n")
        self._err.flush()


async def show_status(remote: Queue, execution_id: str, report: JobReport) -> ExitCode:
    """Ask once and print the answer.

    Raises:
        TargetError: The server could not be asked, or does not know the job.
    """
    state = await remote.job(execution_id)
    return report.status(state)


async def wait(
    remote: Queue,
    execution_id: str,
    report: JobReport,
    progress: Progress,
    *,
    come_back: str,
    patience: Patience = Patience(),
) -> ExitCode:
    """Wait until a job has ended, and print its result; Ctrl-C leaves it alone.

    Raises:
        TargetError: The server does not know the job, or was away for too long.
    """
    asking = _Asking(remote, execution_id, progress, patience)
    try:
        async with progress:
            state = await unless_stopped(asking.until_ended())
        why = f"It has not ended within {patience.total or 0:g} seconds."
        code = ExitCode.STOPPED if asking.stands.status else ExitCode.TROUBLE
    except StoppedByPerson:
        state, why, code = None, "Stopped waiting.", ExitCode.INTERRUPTED
    except FlowNotFound:
        raise
    except TargetError as error:
        error.next_step += f" Come back to the job with: {come_back}"
        raise
    if state is None:
        report.left_alone(execution_id, why, asking.stands, come_back, code)
        return code
    return report.status(state)


class _Asking:
    """Asks for a job again and again."""

    def __init__(
        self, remote: Queue, execution_id: str, progress: Progress, patience: Patience
    ) -> None:
        self._remote = remote
        self._id = execution_id
        self._progress = progress
        self._patience = patience
        self._began = time.monotonic()
        self._reached = self._began
        """When the server answered last."""
        self.stands = Standing()

    async def until_ended(self) -> JobState | None:
        """The job's end; None when the time is over.

        Raises:
            TargetError: The server does not know the job, or was away for too long.
        """
        pause = self._patience.first
        while True:
            state, wait_for = await self._ask()
            if state is not None and state.status in _ENDED:
                return state
            pause = max(pause, wait_for)
            total = self._patience.total
            if total is not None and time.monotonic() + pause > self._began + total:
                return None
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, self._patience.longest)

    async def _ask(self) -> tuple[JobState | None, float]:
        """How the job stands, None when nobody says; and how long the server wants to be left."""
        try:
            state = await self._remote.job(self._id)
        except FlowNotFound as error:
            if time.monotonic() - self._began > GRACE:
                raise
            self._reached = time.monotonic()
            self._stand("pending", Standing(trouble=error.what))
            return None, 0.0
        except (ConnectionFailed, Interrupted, RequestTimedOut, RateLimited, ServerFailed) as error:
            if time.monotonic() - self._reached > self._patience.trouble:
                raise
            stands = Standing(self.stands.status, error.what)
            self._stand(f"asking again, because: {error.what}", stands)
            wait_for = error.retry_after if isinstance(error, Refused) else None
            return None, wait_for or 0.0
        self._reached = time.monotonic()
        self._stand(state.status, Standing(state.status))
        return state, 0.0

    def _stand(self, words: str, stands: Standing) -> None:
        self.stands = stands
        self._progress.say(f"job {self._id}: {words}")
