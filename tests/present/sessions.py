"""Sessions folded from entries, as a real run leaves them."""

from __future__ import annotations

from decimal import Decimal

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
    RunStarted,
    StepCompleted,
    StepOutput,
    StepPaused,
    StepStarted,
    Tokens,
)
from flowdbg.core.fold import apply_all
from flowdbg.core.json_text import JsonText
from flowdbg.core.plan import Plan, Step
from flowdbg.core.session import Session

PLAN = Plan(
    steps=(
        Step("fetch", "Fetch", "http"),
        Step("classify", "Classify", "llm", {"prompt": "Say yes or no", "model": "m"}),
        Step("each", "Each document", "loop", children=(Step("note", "Note", "llm"),)),
        Step("final", "Final", "code"),
    ),
    version=3,
    hash="h3",
    told=True,
)

START = 1_700_000_000.0


def session_of(*bodies: Body) -> Session:
    """A session on `PLAN` after some entries, one second apart."""
    first: list[Body] = [
        SessionOpened("s1", "noukai", "http://localhost:8080/api/v1", "acme/support/triage"),
        PlanLoaded(PLAN),
        Stopped(StopReason.START),
    ]
    entries = [Entry(START + at, 0, body) for at, body in enumerate([*first, *bodies])]
    return apply_all(Session(), entries)


def received(turn: int, event: Event, name: str = "event", raw: str = "{}") -> EventReceived:
    """An event as it would come."""
    return EventReceived(turn, Received(name, (raw,), event))


def step_taken(turn: int, index: int) -> list[Body]:
    """The entries of one whole step of `PLAN` that paused after it."""
    step = PLAN.steps[index]
    return [
        CommandGiven("step"),
        TurnStarted(turn, index, False, "/step", ("{}",)),
        received(turn, RunStarted("run-1", len(PLAN.steps), 3, "h3")),
        received(turn, StepStarted(step.id, step.name)),
        received(turn, StepOutput(step.id, JsonText('"one "'))),
        received(turn, StepOutput(step.id, JsonText('"two"'))),
        received(
            turn,
            StepCompleted(
                step.id, JsonText('"one two"'), step.name, 1200, Tokens(5, 2, 7), Decimal("0.001")
            ),
        ),
        received(turn, StepPaused(step.id, index + 1)),
        TurnEnded(turn, Outcome.PAUSED, 1.5),
        Stopped(StopReason.STEP, "", PLAN.steps[index + 1].id),
    ]
