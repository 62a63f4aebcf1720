"""What a whole run prints: JSON lines, or text for people."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TextIO

from flowdbg.core.json_text import JsonText
from flowdbg.core.tool_calls import ToolCall
from flowdbg.dialects.whole_runs import Finished, Paused
from flowdbg.headless.exit_codes import ExitCode
from flowdbg.headless.lines import Line, json_value, write_line
from flowdbg.present import formats
from flowdbg.present.json_pretty import compact, pretty
from flowdbg.present.safe_text import safe_line, safe_text

_LONGEST_LINE = 400
"""Characters of arguments and of tool results that text for people shows."""
_TEXTS = ("text", "content", "message")
"""Names under which a result's only value is shown as bare text."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended, or why it stands."""

    answer: Finished | Paused
    elapsed: float
    """Seconds that the command took."""
    code: ExitCode
    limited: bool = False
    """Whether it stands because a handler was asked often enough."""
    resume: str = ""
    """The name under which a waiting run was kept; empty when it was not."""


class JsonExecuteReport:
    """One JSON object per line; the last one is the outcome."""

    def __init__(self, out: TextIO, address: str) -> None:
        self._out = out
        self._address = address

    def asked(self, paused: Paused) -> None:
        """Print the calls."""
        line = {"event": "tool_calls", "step_id": paused.step_id}
        self._print({**line, "calls": [call.to_json() for call in paused.calls]})

    def answered(self, call: ToolCall, result: JsonText) -> None:
        """Print one result."""
        line = {"event": "tool_result", "call_id": call.id, "name": call.name}
        self._print({**line, "result": json_value(result)})

    def end(self, outcome: Outcome) -> None:
        """Print the outcome."""
        answer = outcome.answer
        line: Line = {
            "event": "tool_calls_required",
            "exit_code": int(outcome.code),
            "flow": self._address,
            "execution_id": answer.execution_id,
            "flow_id": answer.flow_id,
            "block_count": answer.block_count,
            "elapsed": round(outcome.elapsed, 3),
        }
        if isinstance(answer, Finished):
            line["event"] = f"run_{answer.status}"
            line["result"] = json_value(answer.result)
            line["error"] = dict(answer.error) if answer.error else None
        else:
            line["step_id"] = answer.step_id
            line["calls"] = [call.to_json() for call in answer.calls]
            line["iterations_used"] = answer.iterations_used
            line["resume"] = outcome.resume or None
        self._print(line)

    def interrupted(self) -> None:
        """Print that nobody waits any more."""
        code = int(ExitCode.INTERRUPTED)
        self._print({"event": "interrupted", "exit_code": code, "flow": self._address})

    def _print(self, line: Line) -> None:
        write_line(self._out, line)


class TextExecuteReport:
    """A run as a person reads it."""

    def __init__(self, out: TextIO, address: str, runs: str = "") -> None:
        self._out = out
        self._address = address
        self._runs = runs
        """The command that lists the flow's runs; empty when its server ends with this one."""

    def asked(self, paused: Paused) -> None:
        """Print the calls."""
        self._line(f"{paused.step_id} asks for {formats.plural(len(paused.calls), 'tool call')}:")
        for call in paused.calls:
            arguments = compact(call.arguments.text)
            self._line(f"  {call.id}  {call.name} {arguments}", _LONGEST_LINE)

    def answered(self, call: ToolCall, result: JsonText) -> None:
        """Print one result."""
        self._line(f"  {call.id}  → {result.text}", _LONGEST_LINE)

    def end(self, outcome: Outcome) -> None:
        """Print the result and how the run ended."""
        answer = outcome.answer
        if isinstance(answer, Finished):
            self._out.write(f"{safe_text(readable(answer.result))}\n\n")
            word = "DONE" if answer.completed else answer.status.upper()
            if answer.error and answer.error.get("stepId"):
                word = f"{word} at {answer.error['stepId']}"
        else:
            word = "WAITING FOR TOOLS"
        parts = [word, self._address]
        if answer.block_count is not None:
            parts.append(formats.plural(answer.block_count, "block"))
        parts.append(formats.duration(outcome.elapsed * 1000))
        self._line(" · ".join(parts))
        if answer.execution_id:
            self._line(f"run {answer.execution_id}")
        if isinstance(answer, Paused):
            self._how_to_go_on(answer, outcome)
        self._out.flush()

    def _how_to_go_on(self, paused: Paused, outcome: Outcome) -> None:
        if outcome.limited:
            self._line("The handler was asked as often as --max-tool-rounds allows.")
        if not outcome.resume:
            self._line(
                "Let a handler answer: --tool-exec COMMAND or --tool-handler MODULE:FUNCTION."
            )
            return
        resume = resume_command(outcome.resume)
        results = " ".join(
            f"--tool-result {shlex.quote(f'{call.id}=JSON')}" for call in paused.calls
        )
        self._line("Answer by hand and go on where it stands:")
        self._line(f"  {resume} {results}")
        self._line("or let a handler answer:")
        self._line(f"  {resume} --tool-exec COMMAND")

    def interrupted(self) -> None:
        """Say that nobody waits any more."""
        self._line("Stopped waiting.")
        if self._runs:
            self._line("Whether the server stopped, too, is not confirmed; its runs tell:")
            self._line(f"  {self._runs}")

    def _line(self, text: str, limit: int = 0) -> None:
        self._out.write(f"{safe_line(text, limit)}\n")
        self._out.flush()


ExecuteReport = JsonExecuteReport | TextExecuteReport


def resume_command(name: str) -> str:
    """The command that goes on with a run that waits; the name is a server's word, so quoted."""
    return f"flowdbg execute --resume {shlex.quote(name)}"


def readable(value: JsonText) -> str:
    """A result as a person reads it: bare text where it is one, else JSON over lines."""
    inside = value.value
    if isinstance(inside, dict) and len(inside) == 1:
        inside = next((inside[name] for name in _TEXTS if name in inside), inside)
    return inside if isinstance(inside, str) else pretty(value.text)
