"""Runs, steps and events of a trace as JSON lines."""

from __future__ import annotations

from flowdbg.core.entries import Entry, EventReceived
from flowdbg.core.events import Received
from flowdbg.core.json_text import JsonText, join
from flowdbg.core.plan import Plan
from flowdbg.dialects.traces import RunSummary, StepTrace
from flowdbg.headless.lines import Line, json_value, line_of


def event_record(received: Received) -> Line:
    """An event as a JSON line; one without a name of ours keeps the server's."""
    line = line_of(Entry(0.0, 0, EventReceived(0, received)), Plan())
    if line is not None:
        return line
    data = JsonText(join(received.data))
    return {"event": "other", "name": received.name, "data": json_value(data)}


def run_record(run: RunSummary) -> Line:
    """A run as a JSON line."""
    return {
        "event": "run",
        "execution_id": run.id,
        "flow_id": run.flow_id,
        "flow": run.address or None,
        "version": run.version,
        "status": run.status,
        "trigger": run.trigger or None,
        "started_at": run.started_at or None,
        "completed_at": run.completed_at or None,
        "duration_ms": run.duration_ms,
        "step_count": run.step_count,
        "capture": run.capture or None,
        "error": run.error or None,
    }


def step_record(step: StepTrace) -> Line:
    """An execution of a step as a JSON line."""
    return {
        "event": "step",
        "step_id": step.step_id,
        "name": step.name or None,
        "entry_id": step.entry_id or None,
        "path": list(step.path),
        "attempt": step.attempt,
        "loop_index": step.loop_index,
        "status": step.status,
        "started_at": step.started_at or None,
        "completed_at": step.completed_at or None,
        "duration_ms": step.duration_ms,
        "model": step.model or None,
        "tokens": step.tokens.total if step.tokens else None,
        "cost_usd": None if step.cost is None else str(step.cost),
        "input": json_value(step.input),
        "output": json_value(step.output),
        "error": dict(step.error) if step.error else None,
        "prompt": step.prompt or None,
        "input_bytes": step.input_bytes,
        "output_bytes": step.output_bytes,
        "truncated": step.truncated,
    }
