"""Looking at a run: its whole trace, one step's executions, or its events while they happen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from flowdbg.core.events import (
    Event,
    Path,
    Received,
    RunStarted,
    StepCompleted,
    StepFailed,
    StepInput,
    StepOutput,
    StepProgress,
    StepStarted,
)
from flowdbg.dialects.traces import Archive, Trace
from flowdbg.headless.exit_codes import ExitCode, code_of_run
from flowdbg.headless.interruption import StoppedByPerson, unless_stopped
from flowdbg.headless.lines import Line, write_line
from flowdbg.headless.trace_records import event_record, run_record, step_record
from flowdbg.headless.trace_text import attempt_lines, run_lines, run_rows, trace_lines
from flowdbg.present import formats
from flowdbg.present.safe_text import safe_line, safe_text


@dataclass(frozen=True, slots=True)
class Printer:
    """Where and how runs are printed."""

    out: TextIO
    as_json: bool = False

    def lines(self, lines: Sequence[str]) -> None:
        """Print lines that are safe already."""
        self.out.write("".join(f"{line}\n" for line in lines))
        self.out.flush()

    def records(self, *records: Line) -> None:
        """Print one JSON object per line."""
        for record in records:
            write_line(self.out, record)


async def show_trace(remote: Archive, run_id: str, printer: Printer) -> ExitCode:
    """Print a whole trace.

    Raises:
        TargetError: The server could not be asked, or does not know the run.
    """
    trace = await remote.trace(run_id)
    if printer.as_json:
        printer.records(run_record(trace.run), *map(step_record, trace.steps))
    else:
        printer.lines(list(trace_lines(trace)))
    return ExitCode.END


async def show_step(
    remote: Archive,
    run_id: str,
    step_id: str,
    printer: Printer,
    *,
    attempt: str = "",
    loop_index: int | None = None,
) -> ExitCode:
    """Print one step's executions: the latest, a numbered one, or all.

    Raises:
        TargetError: The server could not be asked, or does not know the run or the step.
    """
    attempts = await remote.step_trace(run_id, step_id, attempt=attempt, loop_index=loop_index)
    if printer.as_json:
        printer.records(*map(step_record, attempts))
    else:
        printer.lines(list(attempt_lines(attempts)))
    return ExitCode.END


async def show_runs(
    remote: Archive, flow_id: str, printer: Printer, *, status: str, limit: int
) -> ExitCode:
    """Print the newest runs of a flow.

    Raises:
        TargetError: The server could not be asked.
    """
    runs = await remote.runs(flow_id, status=status, limit=limit)
    if printer.as_json:
        printer.records(*map(run_record, runs))
    elif runs:
        printer.lines(list(run_rows(runs)))
    else:
        printer.lines([f"No {status} runs." if status else "No runs."])
    return ExitCode.END


async def follow(remote: Archive, run_id: str, printer: Printer, err: TextIO) -> ExitCode:
    """Print a run's events as they happen, then how it ended; Ctrl-C leaves the run alone.

    Raises:
        TargetError: The server could not be asked, or the stream broke.
    """
    tail = _Tail(printer)
    try:
        run = await unless_stopped(_followed(remote, run_id, tail))
    except StoppedByPerson:
        err.write("Stopped looking. The run goes on.\n")
        return ExitCode.INTERRUPTED
    code = code_of_run(run.run.status)
    if printer.as_json:
        printer.records({**run_record(run.run), "exit_code": int(code)})
    else:
        tail.end_line()
        printer.lines(["", *run_lines(run.run, run.steps)])
    return code


async def _followed(remote: Archive, run_id: str, tail: _Tail) -> Trace:
    async with remote.follow(run_id) as batches:
        async for batch in batches:
            for received in batch:
                tail.show(received)
    return await remote.trace(run_id)


class _Tail:
    """Prints events."""

    def __init__(self, printer: Printer) -> None:
        self._printer = printer
        self._streaming = False

    def show(self, received: Received) -> None:
        """Print one event; what has no line of its own is shown in JSON only."""
        if self._printer.as_json:
            self._printer.records(event_record(received))
            return
        event = received.event
        if isinstance(event, StepOutput):
            value = event.delta.value
            self._stream(value if isinstance(value, str) else f"{event.delta.text}\n")
        elif text := _event_text(event):
            self.end_line()
            self._printer.lines([safe_line(text, 2000)])

    def end_line(self) -> None:
        """Begin a new line when a stream left one open."""
        if self._streaming:
            self._printer.lines([""])
        self._streaming = False

    def _stream(self, text: str) -> None:
        self._streaming = not text.endswith("\n")
        self._printer.out.write(safe_text(text))
        self._printer.out.flush()


def _event_text(event: Event) -> str:
    match event:
        case RunStarted(execution_id, count, version):
            of_version = "" if version is None else f" of version {version}"
            return f"run {execution_id}{of_version}, {formats.plural(count or 0, 'step')}"
        case StepStarted(step_id, _, path):
            return f"{_indent(path)}▶ {_place(step_id, path)}"
        case StepInput(step_id, value, path):
            return f"{_indent(path)}  reads {value.text}"
        case StepCompleted(step_id=step_id, output=output, path=path, skipped=skipped):
            mark = "-" if skipped else "✓"
            took = formats.duration(event.duration_ms) if event.duration_ms is not None else ""
            told = "" if output.text == "null" else output.text
            return f"{_indent(path)}{mark} {_place(step_id, path)} {took} {told}".rstrip()
        case StepFailed(step_id, error, _, path):
            return f"{_indent(path)}✗ {_place(step_id, path)}: {error.get('message', '')}"
        case StepProgress(step_id, path, detail) if detail.get("phase") == "retried":
            failed = detail.get("error")
            why = str(failed.get("message", "")) if isinstance(failed, Mapping) else ""
            return f"{_indent(path)}✗ {_place(step_id, path)}, tried again: {why}"
        case _:
            return ""


def _place(step_id: str, path: Path) -> str:
    parts = [str(part + 1) if isinstance(part, int) else part for part in path]
    return " / ".join([step_id, *parts])


def _indent(path: Path) -> str:
    return "  " * bool(path)
