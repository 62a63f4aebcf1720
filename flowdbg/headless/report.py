"""What a headless run prints: JSON lines, or text for people. Nothing else writes to stdout."""

from __future__ import annotations

from typing import TextIO

from flowdbg.core.entries import EventReceived, PlanLoaded, PlanWentStale, StepSkipped
from flowdbg.core.events import (
    Event,
    RunStarted,
    StepCompleted,
    StepFailed,
    StepOutput,
    StepStarted,
)
from flowdbg.core.plan import Plan, compare_plans
from flowdbg.core.session import Session
from flowdbg.debugger import Change
from flowdbg.errors import FlowdbgError
from flowdbg.headless.exit_codes import ExitCode
from flowdbg.headless.lines import (
    Line,
    failed_line,
    line_of,
    outcome_line,
    stands_before,
    write_line,
)
from flowdbg.present import formats
from flowdbg.present.safe_text import safe_text


class JsonReport:
    """One JSON object per line; the last one is the outcome."""

    def __init__(self, out: TextIO, plan: Plan) -> None:
        self._out = out
        self._plan = plan
        self._run = ""

    def show(self, change: Change) -> None:
        """Print what an observer was told."""
        for entry in change.entries:
            line = line_of(entry, self._plan)
            if line and not self._is_known_run(line):
                write_line(self._out, line)
            if isinstance(entry.body, PlanLoaded):
                self._plan = entry.body.plan

    def _is_known_run(self, line: Line) -> bool:
        """Whether a line only says again that the run it belongs to goes on."""
        if line["event"] != "run_started":
            return False
        known = bool(line["execution_id"] == self._run)
        self._run = line["execution_id"]
        return known

    def end(self, session: Session, code: ExitCode, error: FlowdbgError | None = None) -> None:
        """Print the outcome: that of the session, or of an error that ended the run."""
        line = failed_line(session, error, code) if error else outcome_line(session, code)
        write_line(self._out, line)


class TextReport:
    """A run as a person reads it: steps, what they stream, and how it ended."""

    def __init__(self, out: TextIO, plan: Plan) -> None:
        self._out = out
        self._plan = plan
        self._streamed: list[str] = []
        self._streaming: tuple[str | int, ...] | None = None

    def show(self, change: Change) -> None:
        """Print what an observer was told."""
        for entry in change.entries:
            match entry.body:
                case EventReceived(_, received):
                    self._event(received.event, change.session)
                case PlanWentStale(plan, detail):
                    self._line(f"! the plan is stale: {detail}")
                    for fate in compare_plans(self._plan, plan):
                        self._line(f"    {fate.change:8} {fate.id}")
                case StepSkipped(step_id):
                    self._line(f"- {step_id} skipped, the output given stands in for it")
                case PlanLoaded(plan):
                    self._plan = plan
                case _:
                    pass
        self._out.flush()

    def end(self, session: Session, code: ExitCode, error: FlowdbgError | None = None) -> None:
        """Print how it ended and the last output; an error is for stderr."""
        result = session.branch.result
        if session.branch.done and result is not None:
            value = result.value
            text = value.get("text") if isinstance(value, dict) and len(value) == 1 else None
            self._line("")
            self._line(text if isinstance(text, str) else result.text)
        totals = session.totals
        parts = [session.state.value.upper(), session.address]
        if session.version is not None:
            parts.append(f"version {session.version}")
        parts.append(f"{totals.tokens.total} tokens")
        if totals.cost:
            parts.append(formats.cost(totals.cost))
        parts.append(formats.duration(totals.elapsed * 1000))
        self._line("")
        self._line(" · ".join(parts))
        if session.stop.detail:
            self._line(session.stop.detail)
        if code is ExitCode.STOPPED and (step_id := stands_before(session)):
            self._line(f"stopped before {step_id}")
        self._line(f"session {session.id}")
        self._out.flush()

    def _event(self, event: Event, session: Session) -> None:
        match event:
            case RunStarted(_, _, version, _) if version is not None and not session.turns:
                self._line(f"running {session.address} version {version}")
            case StepStarted(step_id, _, ()):
                index = self._plan.index_of(step_id)
                number = "" if index is None else f"{index + 1}/{self._plan.length} "
                self._line(f"▶ {number}{step_id}")
            case StepOutput(_, delta, path):
                value = delta.value
                self._stream(value if isinstance(value, str) else f"{delta.text}\n", path)
            case StepCompleted(step_id, path=(), skipped=True):
                self._line(f"- {step_id} skipped")
            case StepCompleted(step_id, output, path=()):
                self._line(f"✓ {step_id} {formats.duration(event.duration_ms)}")
                if output.value != {"text": "".join(self._streamed)}:
                    self._line(f"  {output.text}")
                self._streamed.clear()
            case StepFailed(step_id, error):
                self._line(f"✗ {step_id}: {error.get('message', '')}")
            case _:
                pass

    def _stream(self, text: str, path: tuple[str | int, ...]) -> None:
        if self._streaming not in (None, path):
            self._out.write("\n")
        self._streaming = path
        self._streamed.append(text)
        self._out.write(safe_text(text))

    def _line(self, text: str) -> None:
        if self._streaming is not None:
            self._out.write("\n")
            self._streaming = None
        self._out.write(f"{safe_text(text)}\n")


Report = JsonReport | TextReport


def never_began(out: TextIO, address: str, error: FlowdbgError, code: ExitCode) -> None:
    """Print the outcome, as JSON, of a run that ended before there was a session."""
    write_line(out, failed_line(Session(address=address), error, code))
