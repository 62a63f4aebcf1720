"""What happens inside a step, and what comes after its end: kept, closed, and never overwritten."""

from __future__ import annotations

import pytest

from flowdbg.core.entries import Outcome, TurnEnded, TurnStarted
from flowdbg.core.events import (
    Event,
    Path,
    RunStarted,
    StepCompleted,
    StepFailed,
    StepInput,
    StepOutput,
    StepPaused,
    StepStarted,
    ToolCallsRequested,
)
from flowdbg.core.fold import apply_all
from flowdbg.core.json_text import JsonText
from flowdbg.core.session import Execution, Session, Status
from tests.core.streams import entries, honest_step, opening, received, turn

LEFT: Path = ("left",)
RIGHT: Path = ("right",)
TEXT = JsonText('"t"')
CALLS = ToolCallsRequested("a", ({"id": "1"},), JsonText("[]"), 1, 0)
BEGUN: list[Event] = [
    RunStarted("run-1", 3, 1, "h1"),
    StepStarted("a", "A"),
    StepStarted("a", "L", LEFT),
    StepStarted("a", "R", RIGHT),
    StepOutput("a", TEXT, RIGHT),
]


def after(*events: Event, end: Outcome | None = None) -> Session:
    """A session after the first turn's events, and after its end when there is one."""
    session = apply_all(Session(), [*opening(), *entries(TurnStarted(1, 0, False, "/s", ()))])
    session = apply_all(session, entries(*received(1, events)))
    return apply_all(session, entries(TurnEnded(1, end))) if end else session


def step(session: Session) -> Execution:
    execution = session.execution("a")
    assert execution is not None
    return execution


def children(session: Session) -> dict[Path, Status]:
    return {path: child.status for path, child in step(session).children.items()}


@pytest.mark.parametrize(
    ("last", "end", "left", "right"),
    [
        (StepFailed("a", {"message": "no"}, path=LEFT), Outcome.FAILED,
         Status.FAILED, Status.UNKNOWN),
        (StepFailed("a", {"message": "no"}), Outcome.FAILED, Status.UNKNOWN, Status.UNKNOWN),
        (StepCompleted("a", TEXT), Outcome.PAUSED, Status.UNKNOWN, Status.UNKNOWN),
        (CALLS, Outcome.TOOL_CALLS, Status.WAITING, Status.WAITING),
        (StepPaused("a"), Outcome.PAUSED, Status.UNKNOWN, Status.UNKNOWN),
        (StepInput("a", TEXT), Outcome.CANCELLED, Status.CANCELLED, Status.CANCELLED),
        (StepInput("a", TEXT), Outcome.UNKNOWN, Status.UNKNOWN, Status.UNKNOWN),
    ],
)  # fmt: skip
def test_what_ran_inside_a_step_does_not_run_on_behind_its_end(
    last: Event, end: Outcome, left: Status, right: Status
) -> None:
    session = after(*BEGUN, last, end=end)
    assert children(session) == {LEFT: left, RIGHT: right}
    assert all(child.ended_at is not None for child in step(session).children.values())


LATE: list[Event] = [
    StepInput("a", JsonText('"late"')),
    StepOutput("a", JsonText('"late"')),
    StepCompleted("a", JsonText('"late"')),
    StepStarted("a", "late"),
    StepStarted("a", "late", LEFT),
    StepStarted("a", "late", ("new",)),
    StepInput("a", JsonText('"late"'), LEFT),
    StepOutput("a", JsonText('"late"'), LEFT),
    StepOutput("a", JsonText('"late"'), ("new",)),
    StepCompleted("a", JsonText('"late"'), path=LEFT),
    StepCompleted("a", JsonText('"late"'), path=("new",)),
    CALLS,
]


@pytest.mark.parametrize("late", LATE, ids=lambda event: f"{type(event).__name__}{event.path}"
                         if hasattr(event, "path") else type(event).__name__)  # fmt: skip
def test_what_comes_behind_the_end_of_a_step_is_an_anomaly_and_changes_nothing(late: Event) -> None:
    before = after(*BEGUN, StepCompleted("a", TEXT))
    session = apply_all(before, entries(*received(1, [late])))
    assert session.branches == before.branches
    assert session.running == before.running
    assert len(session.events) == len(before.events) + 1
    assert len(session.anomalies) == len(before.anomalies) + 1


def test_something_inside_a_step_that_begins_twice_keeps_what_it_said() -> None:
    before = after(*BEGUN)
    session = apply_all(before, entries(*received(1, [StepStarted("a", "R", RIGHT)])))
    assert session.branches == before.branches
    assert [anomaly.what for anomaly in session.anomalies] == ["'a' began twice at right"]


def test_tool_calls_of_a_step_that_ended_earlier_ask_nobody() -> None:
    session = apply_all(Session(), opening())
    session = apply_all(session, turn(1, 0, honest_step("a", '"one"'), Outcome.PAUSED))
    session = apply_all(session, entries(TurnStarted(2, 1, False, "/s", ())))
    session = apply_all(session, entries(*received(2, [StepStarted("b"), CALLS])))
    assert session.branch.pending is None
    assert len(session.attempts("a")) == 1
    assert len(session.anomalies) == 1


def test_tool_calls_that_no_start_announced_are_no_anomaly() -> None:
    session = after(RunStarted("run-1", 3, 1, "h1"), CALLS)
    assert step(session).status is Status.WAITING
    assert session.branch.pending == CALLS
    assert len(session.anomalies) == 0


def test_tool_calls_of_another_plan_ask_nobody() -> None:
    session = after(RunStarted("run-1", 3, 2, "h2"), CALLS, end=Outcome.STALE)
    assert session.branch.pending is None
