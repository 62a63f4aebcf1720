"""How entries go to disk, as records, and come back byte for byte.

Events are read again from their raw text, by the dialect that received them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from enum import StrEnum
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
    ForkReason,
    InputsGiven,
    Outcome,
    OutputEditCleared,
    OutputEdited,
    PlanLoaded,
    PlanWentStale,
    SessionOpened,
    StepSkipped,
    Stopped,
    StopReason,
    ToolAnswered,
    TurnEnded,
    TurnStarted,
    VersionPinned,
)
from flowdbg.core.events import Received
from flowdbg.core.json_text import JsonText, Segments, join
from flowdbg.core.plan import Plan
from flowdbg.core.records import Record

_KINDS: dict[str, type[Any]] = {
    "session_opened": SessionOpened,
    "inputs_given": InputsGiven,
    "plan_loaded": PlanLoaded,
    "plan_went_stale": PlanWentStale,
    "version_pinned": VersionPinned,
    "command_given": CommandGiven,
    "turn_started": TurnStarted,
    "event_received": EventReceived,
    "turn_ended": TurnEnded,
    "stopped": Stopped,
    "output_edited": OutputEdited,
    "output_edit_cleared": OutputEditCleared,
    "block_edited": BlockEdited,
    "breakpoint_set": BreakpointSet,
    "tool_answered": ToolAnswered,
    "forked": Forked,
    "step_skipped": StepSkipped,
    "execution_lost": ExecutionLost,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}
_ENUMS: dict[str, type[StrEnum]] = {
    "turn_ended.outcome": Outcome,
    "stopped.reason": StopReason,
    "forked.reason": ForkReason,
}

Decode = Callable[[str, str], Received]
"""How a dialect reads an event: its name and its raw text; never raises."""


def to_record(entry: Entry) -> Record:
    """What goes to disk for an entry."""
    body = entry.body
    kind = _NAMES[type(body)]
    text: Segments = ()
    meta: dict[str, Any]
    match body:
        case EventReceived(turn, received):
            meta, text = {"turn": turn, "name": received.name}, received.data
        case TurnStarted():
            meta, text = _fields(body, "body"), body.body
        case OutputEdited(step_id, value):
            meta, text = {"step_id": step_id}, (value,)
        case BlockEdited(step_id, fields):
            meta = {"step_id": step_id, "names": list(fields)}
            text = (_object_text(fields),)
        case SessionOpened() | InputsGiven():
            meta, text = _fields(body, "parameters"), (body.parameters,)
        case PlanLoaded(plan):
            meta, text = {}, (JsonText.of(plan.to_json()),)
        case PlanWentStale(plan, detail):
            meta, text = {"detail": detail}, (JsonText.of(plan.to_json()),)
        case _:
            meta = _fields(body)
    return Record(kind, entry.branch, entry.at, meta, text)


def from_record(record: Record, decode: Decode) -> Entry:
    """The entry that a record was made from.

    Raises:
        ValueError: The record's kind or fields are not known; the message names the kind.
    """
    kind = _KINDS.get(record.kind)
    if kind is None:
        raise ValueError(f"the kind '{record.kind}' is not known")
    meta = dict(record.meta)
    try:
        return Entry(record.at, record.branch, _body(record, kind, meta, decode))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"'{record.kind}' has another shape: {error}") from error


def _body(record: Record, kind: type[Any], meta: dict[str, Any], decode: Decode) -> Body:
    if kind is EventReceived:
        return EventReceived(meta["turn"], decode(meta["name"], join(record.body)))
    if kind is TurnStarted:
        return TurnStarted(**meta, body=record.body)
    if kind is OutputEdited:
        return OutputEdited(meta["step_id"], JsonText(join(record.body)))
    if kind is BlockEdited:
        texts = JsonText(join(record.body)).value
        return BlockEdited(meta["step_id"], {name: JsonText(texts[name]) for name in meta["names"]})
    if kind in (SessionOpened, InputsGiven):
        opened: Body = kind(**meta, parameters=JsonText(join(record.body)))
        return opened
    if kind is PlanLoaded:
        return PlanLoaded(Plan.from_json(JsonText(join(record.body)).value))
    if kind is PlanWentStale:
        return PlanWentStale(Plan.from_json(JsonText(join(record.body)).value), meta["detail"])
    for name, value in meta.items():
        enum = _ENUMS.get(f"{record.kind}.{name}")
        if enum:
            meta[name] = enum(value)
    plain: Body = kind(**meta)
    return plain


def _fields(body: Any, *without: str) -> dict[str, Any]:
    return {
        field.name: getattr(body, field.name)
        for field in dataclasses.fields(body)
        if field.name not in without
    }


def _object_text(fields: Mapping[str, JsonText]) -> JsonText:
    """A JSON object from names to the *texts* of their values, so that they come back verbatim."""
    return JsonText.of({name: value.text for name, value in fields.items()})
