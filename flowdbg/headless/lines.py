"""A session's log as JSON lines: what each entry of the log is called outside."""

from __future__ import annotations

import json
import math
from typing import Any, TextIO

from flowdbg.core.entries import Entry, EventReceived, PlanWentStale, StepSkipped
from flowdbg.core.events import (
    Event,
    RunStarted,
    StepCompleted,
    StepFailed,
    StepInput,
    StepOutput,
    StepStarted,
)
from flowdbg.core.json_text import JsonText
from flowdbg.core.plan import Plan, StepChange, compare_plans
from flowdbg.core.session import Session, State
from flowdbg.errors import FlowdbgError

Line = dict[str, Any]


def line_of(entry: Entry, plan: Plan) -> Line | None:
    """The line for an entry, given the plan that the session went by; most entries have none."""
    match entry.body:
        case EventReceived(_, received):
            return _event_line(received.event)
        case StepSkipped(step_id):
            return {"event": "step_skipped", "step_id": step_id}
        case PlanWentStale(new, detail):
            return {
                "event": "plan_stale",
                "detail": detail,
                "version": new.version,
                "was_version": plan.version,
                "steps": [_change_line(change) for change in compare_plans(plan, new)],
            }
        case _:
            return None


def outcome_line(session: Session, exit_code: int) -> Line:
    """The last line: how it ended, with every output and the edits that stand in for some."""
    done = session.state is State.DONE
    line: Line = {
        "event": "run_completed" if done else "stopped",
        "reason": session.stop.reason,
        "detail": session.stop.detail,
        "state": session.state,
        "exit_code": exit_code,
        "session": session.id or None,
        "flow": session.address or None,
        "version": session.version,
        "execution_id": session.branch.execution_id,
        "cursor": session.cursor,
        "outputs": {name: json_value(value) for name, value in session.branch.outputs.items()},
        "tokens": session.totals.tokens.total,
        "cost_usd": None if session.totals.cost is None else str(session.totals.cost),
    }
    if session.output_edits:
        edits = session.output_edits.items()
        line["output_overrides"] = {name: json_value(value) for name, value in edits}
    if done:
        line["result"] = json_value(session.branch.result)
    elif step_id := stands_before(session):
        line["step_id"] = step_id
    return line


def stands_before(session: Session) -> str:
    """The step that runs next, as far as it is known."""
    step = session.plan.at(session.cursor)
    return session.stop.step_id or (step.id if step else "")


def failed_line(session: Session, error: FlowdbgError, exit_code: int) -> Line:
    """The last line of a run that an error ended; of an empty session when it never began."""
    line = outcome_line(session, exit_code)
    reason = _REASONS.get(exit_code, "usage")
    return {**line, "event": "stopped", "reason": reason, "detail": str(error)}


_REASONS = {4: "server trouble", 5: "stale plan", 6: "not saved", 130: "user"}


def write_line(out: TextIO, line: Line) -> None:
    """Write a line, so that whoever reads them has it at once."""
    out.write(f"{dump(line)}\n")
    out.flush()


def dump(line: Line) -> str:
    """A line as JSON in ASCII: safe on any terminal, and valid JSON whatever the values are."""
    try:
        return json.dumps(line, allow_nan=False)
    except RecursionError:
        return json.dumps({name: _shallow(value) for name, value in line.items()})
    except ValueError:
        return json.dumps(_finite(line), allow_nan=False)


def json_value(value: JsonText | None) -> Any:
    """A value for a line; text that has no value is shown as the text it is."""
    return None if value is None else value.value_or_text


def _shallow(value: Any) -> Any:
    """The value, or a word in place of one that is nested too deep to write inside a line."""
    return "nested too deep to show" if isinstance(value, dict | list) else value


def _finite(value: Any) -> Any:
    """The value with numbers that JSON does not have (NaN, infinities) written as text."""
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _event_line(event: Event) -> Line | None:
    match event:
        case RunStarted(execution_id, step_count, version, _):
            return {
                "event": "run_started",
                "execution_id": execution_id,
                "step_count": step_count,
                "version": version,
            }
        case StepStarted(step_id, name, path):
            return _at({"event": "step_started", "step_id": step_id, "name": name}, path)
        case StepInput(step_id, value, path):
            return _at(
                {"event": "step_input", "step_id": step_id, "input": json_value(value)}, path
            )
        case StepOutput(step_id, delta, path):
            return _at(
                {"event": "step_output", "step_id": step_id, "delta": json_value(delta)}, path
            )
        case StepCompleted():
            return _at(
                {
                    "event": "step_completed",
                    "step_id": event.step_id,
                    "name": event.name or None,
                    "output": json_value(event.output),
                    "duration_ms": event.duration_ms,
                    "tokens": event.tokens.total if event.tokens else None,
                    "cost_usd": None if event.cost is None else str(event.cost),
                    "skipped": event.skipped,
                },
                event.path,
            )
        case StepFailed(step_id, error, name, path):
            line = {
                "event": "step_failed",
                "step_id": step_id,
                "name": name or None,
                "error": dict(error),
            }
            return _at(line, path)
        case _:
            return None


def _at(line: Line, path: tuple[str | int, ...]) -> Line:
    return {**line, "path": list(path)} if path else line


def _change_line(change: StepChange) -> Line:
    return {
        "step_id": change.id,
        "change": change.change,
        "index": change.new_index,
        "was_index": change.old_index,
    }
