"""Logs for the fold's tests: an honest stream, and strategies for hostile ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from flowdbg.core.entries import (
    Body,
    CommandGiven,
    Entry,
    EventReceived,
    Outcome,
    PlanLoaded,
    SessionOpened,
    Stopped,
    StopReason,
    TurnEnded,
    TurnStarted,
)
from flowdbg.core.events import (
    Event,
    Received,
    RunCompleted,
    RunStarted,
    StepCompleted,
    StepFailed,
    StepInput,
    StepOutput,
    StepPaused,
    StepProgress,
    StepStarted,
    Tokens,
    ToolCallsRequested,
    UnknownEvent,
)
from flowdbg.core.json_text import JsonText
from flowdbg.core.plan import Plan, Step

PLAN = Plan(
    tuple(Step(name, name.title(), "llm", {"prompt": f"{name}?"}) for name in ("a", "b", "c")),
    version=1,
    hash="h1",
    told=True,
)


def entries(*bodies: Body, at: float = 1000.0) -> list[Entry]:
    """Log entries of the first branch."""
    return [Entry(at, 0, body) for body in bodies]


def opening(plan: Plan = PLAN) -> list[Entry]:
    """A session that was just opened."""
    opened = SessionOpened("s1", "noukai", "http://x", "o/p/f", message="hi")
    return entries(opened, PlanLoaded(plan), Stopped(StopReason.START))


def received(turn: int, events: Iterable[Event]) -> list[Body]:
    """Events as log entries."""
    return [EventReceived(turn, Received(type(event).__name__, (), event)) for event in events]


def honest_step(step_id: str, output: str, *, last: bool = False) -> list[Event]:
    """What an honest server sends for one step."""
    end: list[Event] = [RunCompleted(JsonText(output))] if last else [StepPaused(step_id)]
    return [
        RunStarted("run-1", 3, 1, "h1"),
        StepStarted(step_id, step_id.title()),
        StepInput(step_id, JsonText('{"x":1}')),
        StepOutput(step_id, JsonText('"to"')),
        StepOutput(step_id, JsonText('"ken"')),
        StepCompleted(step_id, JsonText(output), "", 12, Tokens(1, 2, 3), Decimal("0.1")),
        *end,
    ]


def turn(number: int, index: int, events: Sequence[Event], outcome: Outcome) -> list[Entry]:
    """A whole turn: command, request, events, end, stop."""
    return entries(
        CommandGiven("step"),
        TurnStarted(number, index, False, "/step", ()),
        *received(number, events),
        TurnEnded(number, outcome, 0.5),
        Stopped(StopReason.STEP),
    )


def changes(before: Any, after: Any) -> dict[str, Any]:
    """The fields in which two values differ, as they are afterwards."""
    return {
        field.name: getattr(after, field.name)
        for field in dataclasses.fields(before)
        if getattr(before, field.name) != getattr(after, field.name)
    }


_step_ids = st.sampled_from(["a", "b", "c", "zz", ""])
_json = st.sampled_from(['{"k":1}', '"text"', "null", "[1e999]", '"\\ud800"', "[[[[", ""])
_texts = st.builds(JsonText, _json)
_paths = st.sampled_from([(), (0,), (0, "x"), ("x",)])
_indexes = st.none() | st.integers(-3, 9)

hostile_events: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        RunStarted,
        st.sampled_from(["", "run-1", "run-2"]),
        _indexes,
        st.none() | st.integers(0, 3),
        st.sampled_from(["", "h1", "h2"]),
    ),
    st.builds(StepStarted, _step_ids, st.text(max_size=3), _paths),
    st.builds(StepInput, _step_ids, _texts, _paths),
    st.builds(StepOutput, _step_ids, _texts, _paths),
    st.builds(StepCompleted, _step_ids, _texts, path=_paths),
    st.builds(StepFailed, _step_ids, st.just({"message": "no"}), path=_paths),
    st.builds(StepProgress, _step_ids, _paths),
    st.builds(StepPaused, _step_ids, _indexes),
    st.builds(ToolCallsRequested, _step_ids, st.just(({"id": "c1"},)), _texts, st.just(1)),
    st.builds(RunCompleted, st.none() | _texts),
    st.builds(UnknownEvent, st.text(max_size=5)),
)
