"""What each event and each entry of the log says in one line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flowdbg.core.entries import (
    BlockEdited,
    Body,
    BreakpointSet,
    CommandGiven,
    Entry,
    EventReceived,
    ExecutionLost,
    Forked,
    InputsGiven,
    OutputEditCleared,
    OutputEdited,
    PlanLoaded,
    PlanWentStale,
    StepSkipped,
    Stopped,
    StopReason,
    ToolAnswered,
    TurnEnded,
    TurnStarted,
    VersionPinned,
)
from flowdbg.core.events import (
    RunCompleted,
    RunStarted,
    StepCompleted,
    StepFailed,
    StepInput,
    StepOutput,
    StepPaused,
    StepProgress,
    StepStarted,
    ToolCallsRequested,
    UnknownEvent,
)
from flowdbg.core.json_text import JsonText, join
from flowdbg.core.session import LoggedEvent
from flowdbg.present import formats
from flowdbg.present.event_rows import EventItem, EventLine, shown
from flowdbg.present.looks import Tone

_CUT = 120
SHOWN = {
    EventReceived, CommandGiven, TurnStarted, TurnEnded, Stopped, PlanWentStale, PlanLoaded,
    InputsGiven, VersionPinned, Forked, ExecutionLost, OutputEdited, OutputEditCleared, BlockEdited,
    BreakpointSet, ToolAnswered, StepSkipped,
}  # fmt: skip


def items_of(entries: Iterable[Entry]) -> list[EventItem]:
    """Return an item for each entry of the log that is worth a row."""
    return [item_of(entry.at, entry.body) for entry in entries if type(entry.body) in SHOWN]


def logged_items(events: Iterable[LoggedEvent]) -> list[EventItem]:
    """Return an item for each event of a session that was read from its store."""
    return [item_of(event.at, EventReceived(event.turn, event.received)) for event in events]


def item_of(at: float, body: Body) -> EventItem:
    """Return the item of one entry's body."""
    if isinstance(body, EventReceived) and isinstance(body.received.event, StepOutput):
        event = body.received.event
        return EventItem(at, body, event.step_id, max(len(event.delta.text) - 2, 1))
    return EventItem(at, body)


def describe(body: Body) -> EventLine:
    """Say in one line what an entry of the log is about."""
    if not isinstance(body, EventReceived):
        return EventLine(*(_told(body) or (type(body).__name__,)))
    step, text, tone = _says(body.received.event)
    raw = join(body.received.data)
    return EventLine(shown(body.received.name, 40), shown(step, 60), text, tone, raw)


def _told(body: Body) -> tuple[str, str, str, Tone] | None:
    match body:
        case CommandGiven(verb, step_id):
            return verb, shown(step_id), "", "accent"
        case TurnStarted(turn, index, run_remaining):
            rest = " and all that follow" if run_remaining else ""
            return "request sent", "", f"turn {turn}: step {index + 1}{rest}", "muted"
        case TurnEnded(turn, outcome, elapsed, what):
            said = f": {shown(what)}" if what else ""
            return "turn ended", "", f"{outcome} after {formats.clock(elapsed)}{said}", "muted"
        case Stopped(reason, detail, step_id):
            bad = reason in (StopReason.ERROR, StopReason.SERVER, StopReason.UNKNOWN)
            return "stopped", shown(step_id), _reason(reason, detail), "bad" if bad else "accent"
        case PlanWentStale(_, detail):
            return "plan changed", "", shown(detail), "warning"
        case PlanLoaded(plan):
            version = f" of version {plan.version}" if plan.version is not None else ""
            return "plan", "", f"{formats.plural(len(plan.steps), 'step')}{version}", "muted"
        case InputsGiven():
            return "inputs given", "", "they go out with the next fresh run", "edit"
        case VersionPinned(version):
            return "pinned" if version else "unpinned", "", f"version {version or ''}", "accent"
        case Forked(branch, _, index, reason):
            return str(reason), "", f"branch #{branch} from step {index + 1}", "accent"
        case StepSkipped(step_id):
            return "skipped", shown(step_id), "your output stands in for it", "edit"
        case ExecutionLost(execution_id):
            return "run forgotten", "", shown(execution_id), "warning"
        case _:
            return _edited(body)


def _edited(body: Body) -> tuple[str, str, str, Tone] | None:
    match body:
        case OutputEdited(step_id, value):
            return "output edited", shown(step_id), shown(value.text, _CUT), "edit"
        case OutputEditCleared(step_id):
            return "edit taken back", shown(step_id), "its output", "edit"
        case BlockEdited(step_id, fields):
            if not fields:
                return "edit taken back", shown(step_id), "its block", "edit"
            return "block edited", shown(step_id), shown(", ".join(fields), _CUT), "edit"
        case ToolAnswered(call_id=call_id, content=content):
            return "tool answered", shown(call_id), shown(content, _CUT), "edit"
        case BreakpointSet(step_id, enabled):
            said = {True: "on", False: "off", None: "removed"}[enabled]
            return "breakpoint", shown(step_id), said, "accent"
        case _:
            return None


def _says(event: Any) -> tuple[str, str, Tone]:
    match event:
        case RunStarted(execution_id=execution_id, version=version):
            which = f" version {version}" if version is not None else ""
            return "", shown(f"run {execution_id}{which}"), "plain"
        case StepStarted(step_id=step_id, path=path):
            return step_id, _place(path), "running"
        case StepInput(step_id, value, path):
            return step_id, _place(path, value), "plain"
        case StepOutput(step_id, delta, path):
            return step_id, _place(path, delta), "muted"
        case StepCompleted(
            step_id=step_id,
            output=output,
            duration_ms=took,
            tokens=tokens,
            cost=cost,
            path=path,
            skipped=skipped,
        ):
            spent = (
                "skipped" if skipped else "",
                formats.duration(took) if took is not None else "",
                formats.tokens(tokens.total) if tokens else "",
                formats.cost(cost),
            )
            said = "  ".join(part for part in spent if part)
            return step_id, f"{_place(path)} {said}  {shown(output.text, _CUT)}".strip(), "good"
        case StepFailed(step_id=step_id, error=error, path=path):
            return step_id, f"{_place(path)} {shown(str(error.get('message', '')))}".strip(), "bad"
        case StepProgress(step_id, path):
            return step_id, _place(path), "muted"
        case StepPaused(step_id):
            return step_id, "", "accent"
        case ToolCallsRequested(step_id, calls):
            return step_id, formats.plural(len(calls), "tool call"), "warning"
        case RunCompleted(result):
            return "", shown(result.text, _CUT) if result else "", "good"
        case UnknownEvent(problem):
            return "", shown(problem), "warning"
        case _:
            return "", "", "plain"


def _place(path: tuple[str | int, ...], value: JsonText | None = None) -> str:
    where = " › ".join(str(step + 1 if isinstance(step, int) else step) for step in path)
    said = shown(value.text, _CUT) if value else ""
    return shown(f"{where}  {said}".strip())


def _reason(reason: StopReason, detail: str) -> str:
    return f"{reason}: {shown(detail)}" if detail else str(reason)
