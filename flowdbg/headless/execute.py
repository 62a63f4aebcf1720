"""Run a whole flow from a script: one call, the tools that the model asks for, and what came out.

Nothing is repeated by itself. A run that waits for tools nobody answers is kept, so that a person
can answer and go on where it stands.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from flowdbg.core.json_text import JsonText
from flowdbg.dialects.noukai.client.answers import Finished, Paused
from flowdbg.dialects.noukai.client.bodies import RunRequest, fresh_body, resume_body
from flowdbg.dialects.noukai.client.remote import NoukaiRemote
from flowdbg.dialects.noukai.client.tools import ToolCall, result_message
from flowdbg.dialects.noukai.client.versions import version_name
from flowdbg.errors import UsageError
from flowdbg.headless.execute_report import ExecuteReport, Outcome
from flowdbg.headless.exit_codes import ExitCode
from flowdbg.headless.interruption import StoppedByPerson, unless_stopped
from flowdbg.headless.progress import Progress
from flowdbg.headless.tools import ToolHandler

_CODES = {"completed": ExitCode.END, "failed": ExitCode.STEP_FAILED}


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
    remote: NoukaiRemote, options: ExecuteOptions, report: ExecuteReport, progress: Progress
) -> ExitCode:
    """Run a flow and report what it asks for and how it ends.

    Raises:
        UsageError: The results of a person do not answer the calls.
        TargetError: The server refused, or it is not known what became of the run.
        NotSaved: A run that is left waiting could not be kept.
    """
    began = time.monotonic()
    try:
        async with progress:
            answer = await unless_stopped(_drive(remote, options, report, progress))
    except StoppedByPerson:
        report.interrupted()
        return ExitCode.INTERRUPTED
    code = ExitCode.STOPPED
    resume = ""
    if isinstance(answer, Finished):
        code = _CODES.get(answer.status, code)
    elif options.keep is not None:
        resume = options.keep(answer)
    limited = options.handler is not None and isinstance(answer, Paused)
    report.end(Outcome(answer, time.monotonic() - began, code, limited, resume))
    return code


async def _drive(
    remote: NoukaiRemote, options: ExecuteOptions, report: ExecuteReport, progress: Progress
) -> Finished | Paused:
    """Call, answer tools, call again, until the run ends or nobody answers."""
    request, version = options.request, options.version
    progress.say(f"running {remote.address} ({version_name(version)})")
    answer: Finished | Paused
    if options.paused is None:
        answer = await remote.execute(version, fresh_body(request))
    elif options.handler is None or options.results:
        progress.clear()
        results = _by_hand(options.paused, options.results, report)
        body = resume_body(request, options.paused, results)
        answer = await remote.execute(version, body, fresh=False)
    else:
        answer = options.paused
    rounds = 0
    while isinstance(answer, Paused):
        progress.clear()
        report.asked(answer)
        if options.handler is None or rounds >= options.max_rounds:
            break
        rounds += 1
        results = [
            result_message(call, await _answered(call, options.handler, report, progress))
            for call in answer.calls
        ]
        progress.say(f"running on after {answer.step_id}")
        body = resume_body(request, answer, results)
        answer = await remote.execute(version, body, fresh=False)
    return answer


async def _answered(
    call: ToolCall, handler: ToolHandler, report: ExecuteReport, progress: Progress
) -> JsonText:
    progress.say(f"tool {call.name}")
    result = await handler(call)
    progress.clear()
    report.answered(call, result)
    return result


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
