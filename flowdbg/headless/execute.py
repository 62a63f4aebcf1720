"""Run a whole flow from a script: one call, the tools that the model asks for, and what came out.

Nothing is repeated by itself. A run that waits for tools nobody answers is kept, so that a person
can answer and go on where it stands.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from flowdbg.core.json_text import JsonText
from flowdbg.core.tool_calls import ToolCall, result_message
from flowdbg.dialects.versions import version_name
from flowdbg.dialects.whole_runs import Executor, Finished, Paused, RunRequest
from flowdbg.errors import TargetError, UsageError
from flowdbg.headless.execute_report import ExecuteReport, Outcome, resume_command
from flowdbg.headless.exit_codes import ExitCode, code_of_run
from flowdbg.headless.interruption import StoppedByPerson, unless_stopped
from flowdbg.headless.progress import Progress
from flowdbg.headless.tools import ToolHandler


@dataclass(frozen=True, slots=True)
class ExecuteOptions:
    """How a whole run goes."""

    request: RunRequest
    version: int | None = None
    """None for production, 0 for the draft."""
    handler: ToolHandler | None = None
    """What answers tool calls; None leaves them to a person."""
    max_rounds: int = 10
    """How often the handler is asked before the run is left paused."""
    paused: Paused | None = None
    """A run to go on with, in place of a new one."""
    results: Mapping[str, JsonText] = field(default_factory=dict)
    """A person's answers to the calls of `paused`, by call id."""
    keep: Callable[[Paused], str] | None = None
    """Keeps a run that is left waiting; gives the name under which it can be answered later."""


async def execute(
    remote: Executor, options: ExecuteOptions, report: ExecuteReport, progress: Progress
) -> ExitCode:
    """Run a flow and report what it asks for and how it ends.

    A run that still waits for tool results is kept, whatever ended the command.

    Raises:
        UsageError: The results of a person do not answer the calls.
        TargetError: The server refused, or it is not known what became of the run.
        NotSaved: A run that is left waiting could not be kept.
    """
    began = time.monotonic()
    driver = _Driver(remote, options, report, progress)
    code = ExitCode.STOPPED
    answer: Finished | Paused | None
    try:
        async with progress:
            answer = await unless_stopped(driver.run())
    except StoppedByPerson:
        code, answer = ExitCode.INTERRUPTED, driver.waiting
    except TargetError as error:
        if driver.answered and (name := _kept(driver.answered, options)):
            error.next_step += f" Should the run still wait: {resume_command(name)}"
        raise
    if answer is None:
        report.interrupted()
        return code
    resume = ""
    if isinstance(answer, Finished):
        code = code_of_run(answer.status)
    else:
        resume = _kept(answer, options)
    limited = driver.rounds >= options.max_rounds and isinstance(answer, Paused)
    report.end(Outcome(answer, time.monotonic() - began, code, limited, resume))
    return code


def _kept(paused: Paused, options: ExecuteOptions) -> str:
    return options.keep(paused) if options.keep else ""


class _Driver:
    """Calls, answers tools, calls again, until the run ends or nobody answers."""

    def __init__(
        self,
        remote: Executor,
        options: ExecuteOptions,
        report: ExecuteReport,
        progress: Progress,
    ) -> None:
        self._remote = remote
        self._options = options
        self._report = report
        self._progress = progress
        self.waiting = options.paused
        """The pause that the run stands at; None when it may run."""
        self.answered: Paused | None = None
        """The pause whose results were sent last."""
        self.rounds = 0
        """How often the handler was asked."""

    async def run(self) -> Finished | Paused:
        """Drive the run."""
        options = self._options
        where = f"{self._remote.address} ({version_name(options.version)})"
        self._progress.say(f"running {where}")
        answer: Finished | Paused
        if options.paused is None:
            answer = await self._remote.execute(options.version, options.request)
        elif options.handler is None or options.results:
            self._progress.clear()
            results = _by_hand(options.paused, options.results, self._report)
            answer = await self._go_on(options.paused, results)
        else:
            answer = options.paused
        while isinstance(answer, Paused):
            self.waiting = answer
            self._progress.clear()
            self._report.asked(answer)
            if options.handler is None or self.rounds >= options.max_rounds:
                break
            self.rounds += 1
            results = [await self._answered(call, options.handler) for call in answer.calls]
            self._progress.say(f"running on after {answer.step_id}")
            answer = await self._go_on(answer, results)
        return answer

    async def _go_on(
        self, paused: Paused, results: Sequence[Mapping[str, object]]
    ) -> Finished | Paused:
        options = self._options
        self.waiting, self.answered = None, paused
        return await self._remote.go_on(options.version, options.request, paused, results)

    async def _answered(self, call: ToolCall, handler: ToolHandler) -> Mapping[str, object]:
        self._progress.say(f"tool {call.name}")
        result = await handler(call)
        self._progress.clear()
        self._report.answered(call, result)
        return result_message(call, result)


def _by_hand(
    paused: Paused, results: Mapping[str, JsonText], report: ExecuteReport
) -> Sequence[Mapping[str, object]]:
    """The messages that answer every call of a pause with what a person gave."""
    known = [call.id for call in paused.calls]
    missing = [call_id for call_id in known if call_id not in results]
    foreign = [call_id for call_id in results if call_id not in known]
    if missing or foreign:
        what = f"does not ask for {foreign[0]}" if foreign else f"also asks for {missing[0]}"
        raise UsageError(
            f"The run {what}.", f"Give --tool-result ID=JSON for each of: {', '.join(known)}."
        )
    for call in paused.calls:
        report.answered(call, results[call.id])
    return [result_message(call, results[call.id]) for call in paused.calls]
