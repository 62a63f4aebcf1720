"""A run's trace as text: a table of the steps, then what was captured of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from flowdbg.core.json_text import JsonText
from flowdbg.dialects.traces import RunSummary, StepTrace, Trace
from flowdbg.present import formats
from flowdbg.present.json_pretty import pretty
from flowdbg.present.safe_text import safe_line, safe_text

MOST_LINES = 30
"""Lines of one input or output that a whole trace shows."""

_GLYPHS = {"completed": "✓", "failed": "✗", "skipped": "-", "running": "▶"}
_HEADINGS = ("step", "status", "time", "tokens", "cost", "in", "out", "model")
_CAPTURED = {
    "full": "inputs and outputs were captured whole",
    "redacted": "inputs and outputs were captured, redacted",
    "metadata_only": "no inputs and outputs were captured, only times, tokens, cost and sizes",
    "off": "nothing was captured of the steps",
}


def trace_lines(trace: Trace) -> Iterator[str]:
    """A whole trace: the run, its steps as a table, and their captured contexts, cut."""
    yield from run_lines(trace.run, trace.steps)
    yield ""
    yield from table([_HEADINGS, *(_cells(step) for step in trace.steps)])
    yield ""
    yield _capture_line(trace)
    for step in trace.steps:
        contexts = list(context_lines(step, MOST_LINES))
        if contexts:
            yield ""
            yield safe_line(f"── {place_of(step)}")
            yield from contexts


def attempt_lines(attempts: Sequence[StepTrace]) -> Iterator[str]:
    """Executions of one step, each with all that was captured of it."""
    yield from table([_HEADINGS, *(_cells(step) for step in attempts)])
    for step in attempts:
        contexts = list(context_lines(step))
        yield ""
        yield safe_line(f"── {place_of(step)}")
        yield from contexts or ["  nothing was captured; a run with --trace keeps it"]


def run_lines(run: RunSummary, steps: Sequence[StepTrace] = ()) -> Iterator[str]:
    """A run in two or three lines."""
    where = run.address or f"flow {run.flow_id}"
    parts = [run.status.upper(), where]
    if run.version is not None:
        parts.append(f"version {run.version}")
    if run.trigger:
        parts.append(run.trigger)
    if run.duration_ms is not None:
        parts.append(formats.duration(run.duration_ms))
    entries = [step for step in steps if not step.path]
    parts.append(formats.plural(run.step_count or len(entries), "step"))
    parts.append(formats.tokens(sum(step.tokens.total for step in entries if step.tokens)))
    costs = [step.cost for step in entries if step.cost is not None]
    parts.append(formats.cost(sum(costs)) if costs else "")
    yield safe_line(" · ".join(part for part in parts if part))
    yield safe_line(f"run {run.id}, started {when(run.started_at) or 'at an unknown time'}")
    if run.error:
        yield safe_line(run.error)


def run_rows(runs: Sequence[RunSummary]) -> Iterator[str]:
    """A list of runs as a table."""
    rows: list[Sequence[str]] = [("run", "status", "trigger", "version", "started", "time")]
    for run in runs:
        version = "" if run.version is None else f"v{run.version}"
        took = formats.duration(run.duration_ms)
        rows.append((run.id, run.status, run.trigger, version, when(run.started_at), took))
    yield from table(rows)


def place_of(step: StepTrace) -> str:
    """Where in the run an execution stands: `each / 2 / shout, attempt 3`."""
    inside = [str(part + 1) if isinstance(part, int) else part for part in step.path]
    words = " / ".join([step.entry_id, *inside]) if inside else step.step_id
    if not inside and step.loop_index is not None:
        words += f" / {step.loop_index + 1}"
    return f"{words}, attempt {step.attempt}" if step.attempt > 1 else words


def context_lines(step: StepTrace, most: int = 0) -> Iterator[str]:
    """What was captured of an execution; `most` cuts each part, 0 does not."""
    error = JsonText.of(step.error) if step.error else None
    prompt = JsonText.of(step.prompt) if step.prompt else None
    parts = {"input": step.input, "prompt": prompt, "output": step.output, "error": error}
    for name, value in parts.items():
        if value is None:
            continue
        shown = value.value if isinstance(value.value, str) else pretty(value.text)
        lines = safe_text(shown).split("\n")
        yield f"  {name}:"
        yield from (f"    {line}" for line in lines[: most or None])
        if most and len(lines) > most:
            left = formats.plural(len(lines) - most, "line")
            yield f"    … {left} more: --step {safe_line(step.step_id)} shows all"
    if step.truncated:
        yield "  (the server cut what it kept)"


def when(text: str) -> str:
    """A time of the wire in local time; the text itself when it is none."""
    try:
        return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError):
        return text


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows in columns; columns in which nothing stands are left out."""
    safe = [[safe_line(cell, 60) for cell in row] for row in rows]
    widths = [max(len(row[at]) for row in safe) for at in range(len(safe[0]))]
    used = [at for at in range(len(widths)) if any(row[at] for row in safe[1:])]
    for row in safe:
        yield "  ".join(row[at].ljust(widths[at]) for at in used).rstrip()


def _cells(step: StepTrace) -> Sequence[str]:
    indent = "  " if step.path or step.loop_index is not None else ""
    return (
        f"{indent}{place_of(step)}",
        f"{_GLYPHS.get(step.status, '?')} {step.status}",
        formats.duration(step.duration_ms),
        f"{step.tokens.total:,}" if step.tokens and step.tokens.total else "",
        formats.cost(step.cost),
        _size(step.input_bytes),
        _size(step.output_bytes),
        step.model,
    )


def _size(number: int | None) -> str:
    return "" if number is None else formats.size(number)


def _capture_line(trace: Trace) -> str:
    mode = trace.run.capture or ("full" if trace.captured else "metadata_only")
    said = _CAPTURED.get(mode, f"the capture mode is '{mode}'")
    how = "" if trace.captured else "; a run with --trace keeps inputs and outputs"
    return safe_line(f"{said[0].upper()}{said[1:]}{how}.")
