"""What each event of a server changes: its own part of the session, exactly, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from flowdbg.core.entries import CommandGiven, Entry, Outcome, ToolAnswered, TurnStarted
from flowdbg.core.events import (
    Event,
    Path,
    RunCompleted,
    RunStarted,
    StepCompleted,
    StepFailed,
    StepInput,
    StepPaused,
    StepProgress,
    StepStarted,
    Tokens,
    ToolCallsRequested,
    UnknownEvent,
)
from flowdbg.core.fold import apply, apply_all
from flowdbg.core.json_text import JsonText
from flowdbg.core.plan import Plan
from flowdbg.core.session import Execution, Session, Status, Turn
from tests.core.streams import PLAN, changes, entries, honest_step, opening, received, turn

X, Y = JsonText('"x"'), JsonText('"y"')
INSIDE: Path = (0, "inner")
ASKED = ToolCallsRequested("b", ({"id": "c1"},), JsonText("[]"), 1)
WAITED = turn(2, 1, [RunStarted("run-1", 3, 1, "h1"), StepStarted("b", "B"), ASKED],
              Outcome.TOOL_CALLS)  # fmt: skip
BEFORE = apply_all(
    Session(),
    [
        *opening(), *turn(1, 0, honest_step("a", '"x"'), Outcome.PAUSED), *WAITED,
        *entries(ToolAnswered("c1", "one")),
    ],
)  # fmt: skip


def running(*events: Event, plan: Plan | None = None) -> Session:
    """The third turn, on the second step, after some events; they came at second 50."""
    session = BEFORE if plan is None else BEFORE.replace(plan=plan)
    log = entries(CommandGiven("step"), TurnStarted(3, 1, False, "/step", ()))
    return apply_all(session, [*log, *entries(*received(3, events), at=50.0)])


def then(session: Session, event: Event) -> tuple[Session, list[str]]:
    """The session after one more event, at second 60, and what it noted as odd."""
    (body,) = received(3, [event])
    after = apply(session, Entry(60.0, 0, body))
    assert len(after.events) == len(session.events) + 1
    return after, [anomaly.what for anomaly in after.anomalies[len(session.anomalies) :]]


def told(before: Session, after: Session) -> dict[str, Any]:
    """What changed of the branch and of the running turn, by field."""
    assert before.running is not None
    assert after.running is not None
    outer = {*changes(before, after)} - {"events", "branches", "running", "anomalies"}
    branch = changes(before.branch, after.branch)
    branch.pop("executions", None)
    whole = {name: getattr(after, name) for name in outer}
    return whole | branch | changes(before.running, after.running)


def step(session: Session, step_id: str = "b") -> Execution:
    execution = session.execution(step_id)
    assert execution is not None
    return execution


BEGUN = running(RunStarted("run-1", 3, 1, "h1"), StepStarted("b", "Bee"))


def test_the_start_of_a_run_names_it_and_its_version() -> None:
    before = running()
    after, odd = then(before, RunStarted("run-1", 3, 1, "h1"))
    assert (told(before, after), odd) == ({"version": 1, "plan_hash": "h1"}, [])
    after, odd = then(before, RunStarted("run-9", 3, 1, "h1"))
    assert "execution_id" not in told(before, after)
    assert odd == ["the run's id changed from run-1 to run-9"]
    named, _ = then(
        apply_all(Session(), [*opening(), *entries(TurnStarted(3, 0, False, "/s", ()))]),
        RunStarted("run-7"),
    )
    assert named.branch.execution_id == "run-7"


def test_the_first_surprise_of_a_turn_is_the_one_that_counts() -> None:
    first = "the server runs version 2, not version 1"
    before = running(RunStarted("run-1", 3, 2))
    for event in (RunStarted("run-1", 9, 1), StepStarted("zz"), StepCompleted("zz", X)):
        after, _ = then(before, event)
        assert isinstance(after.running, Turn)
        assert after.running.surprise == first
        assert (after.plan, after.cursor, after.branch.outputs) == (PLAN, 1, {"a": X})


def test_a_step_that_begins_is_a_further_attempt() -> None:
    execution = step(BEGUN)
    assert (execution.attempt, execution.name, execution.turn, execution.started_at) == (
        2, "Bee", 3, 50.0,
    )  # fmt: skip
    assert told(running(), BEGUN) == {"version": 1, "plan_hash": "h1"}


def test_a_plan_that_nobody_told_grows_at_the_place_of_the_turn() -> None:
    untold = replace(PLAN, told=False, steps=PLAN.steps[:1])
    begun = running(StepStarted("b", "Bee"), plan=untold)
    assert [step.id for step in begun.plan.steps] == ["a", "b"]
    at_once = running(StepCompleted("b", Y), StepCompleted("c", Y), plan=untold)
    assert [step.id for step in at_once.plan.steps] == ["a", "b", "c"]
    elsewhere = running(RunStarted("run-1", None, 2), StepStarted("b"), plan=untold)
    assert elsewhere.plan.steps == untold.steps


def test_an_input_is_that_of_its_execution() -> None:
    after, odd = then(BEGUN, StepInput("b", Y))
    assert (told(BEGUN, after), odd) == ({}, [])
    assert changes(step(BEGUN), step(after)) == {"input": Y}


def test_a_step_that_ends_leaves_output_counts_and_the_cursor_behind_it() -> None:
    done = StepCompleted("b", Y, "Other", 12, Tokens(1, 2, 3), Decimal("0.5"))
    after, odd = then(BEGUN, done)
    assert odd == []
    assert changes(step(BEGUN), step(after)) == {
        "status": Status.DONE, "ended_at": 60.0, "output": Y, "duration_ms": 12,
        "tokens": Tokens(1, 2, 3), "cost": Decimal("0.5"),
    }  # fmt: skip
    assert told(BEGUN, after) == {
        "outputs": {"a": X, "b": Y}, "cursor": 2, "pending": None, "answers": {}, "completed": 1,
        "totals": replace(BEGUN.totals, tokens=Tokens(2, 4, 6), cost=Decimal("0.6")),
    }  # fmt: skip
    skipped, _ = then(BEGUN, replace(done, skipped=True, tokens=None, cost=None))
    assert step(skipped).status is Status.SKIPPED
    assert skipped.totals == BEGUN.totals


def test_a_step_that_nobody_announced_takes_its_name_from_its_end() -> None:
    before = running(RunStarted("run-1", 3, 1, "h1"))
    after, odd = then(before, StepCompleted("b", Y, "Bee"))
    assert (step(after).name, odd) == ("Bee", ["'b' had not begun"])
    assert after.cursor == 2


def test_what_ends_inside_a_step_moves_nothing_outside() -> None:
    before = running(StepStarted("b"), StepStarted("b", "Inner", INSIDE))
    after, odd = then(before, StepCompleted("b", Y, tokens=Tokens(9, 9, 9), path=INSIDE))
    assert (told(before, after), odd) == ({}, [])
    assert step(after).children[INSIDE].output == Y
    elsewhere, odd = then(before, StepCompleted("zz", Y, path=INSIDE))
    assert told(before, elsewhere) == {}
    assert odd == ["'zz' had not begun"]


def test_a_step_out_of_turn_ends_nothing_and_surprises_only_where_none_ran() -> None:
    says = "'c' ended where the plan has 'b'"
    for before, event, surprise in (
        (running(), StepCompleted("c", Y), says),
        (BEGUN, StepCompleted("c", Y), ""),
        (running(), StepCompleted("a", Y), ""),
    ):
        after, odd = then(before, event)
        assert told(before, after) == ({"surprise": surprise} if surprise else {})
        assert odd == [says.replace("c", event.step_id, 1)]
    untold = replace(PLAN, told=False, steps=PLAN.steps[:1])
    before = running(plan=untold)
    after, odd = then(before, StepCompleted("a", Y))
    assert (told(before, after), odd) == ({}, ["'a' ended in an earlier turn"])


def test_a_step_that_fails_ends_its_turn_and_what_it_asked_for() -> None:
    failed = StepFailed("b", {"message": "no", "code": "X"}, "Other")
    after, odd = then(BEGUN, failed)
    assert odd == []
    assert changes(step(BEGUN), step(after)) == {
        "status": Status.FAILED, "ended_at": 60.0, "error": {"message": "no", "code": "X"},
    }  # fmt: skip
    assert told(BEGUN, after) == {
        "pending": None, "answers": {}, "terminal": Outcome.FAILED, "failure": "no",
    }  # fmt: skip
    inside, _ = then(running(StepStarted("b"), StepStarted("b", "I", INSIDE)),
                     replace(failed, path=INSIDE))  # fmt: skip
    assert step(inside).children[INSIDE].error == {"message": "no", "code": "X"}


def test_a_failure_that_names_no_step_is_that_of_the_one_whose_turn_it_is() -> None:
    after, odd = then(running(), StepFailed("", {}, "Bee"))
    assert (step(after).status, step(after).name, odd) == (
        Status.FAILED, "Bee", ["'b' had not begun"],
    )  # fmt: skip
    ended = running(StepStarted("b"), StepCompleted("b", Y))
    after, odd = then(ended, StepFailed("b", {"message": "late"}))
    assert odd == ["'b' ended twice"]
    assert (step(after).status, after.branch) == (Status.DONE, ended.branch)
    assert told(ended, after) == {"terminal": Outcome.FAILED, "failure": "late"}


def test_progress_changes_nothing_and_an_unknown_event_is_odd() -> None:
    after, odd = then(BEGUN, StepProgress("b"))
    assert (told(BEGUN, after), odd) == ({}, [])
    after, odd = then(BEGUN, UnknownEvent("what is this"))
    assert (told(BEGUN, after), odd) == ({}, ["what is this"])


def test_a_pause_ends_the_turn_where_both_sides_count_the_same() -> None:
    done = running(StepStarted("b"), StepCompleted("b", Y))
    for index in (None, 2):
        after, odd = then(done, StepPaused("b", index))
        assert (told(done, after), odd) == ({"terminal": Outcome.PAUSED}, [])
    for index in (0, 1, 3):
        after, odd = then(done, StepPaused("b", index))
        assert told(done, after) == {"terminal": Outcome.PAUSED}
        assert odd == [f"the server's cursor is {index}, ours 2"]


def test_a_servers_cursor_is_believed_only_ahead_and_within_the_plan() -> None:
    before = running()
    for index, cursor in ((-1, 1), (0, 1), (2, 2), (3, 3), (4, 1)):
        after, _ = then(before, StepPaused("", index))
        assert (index, after.cursor) == (index, cursor)
    untold = running(plan=replace(PLAN, told=False, steps=PLAN.steps[:1]))
    assert then(untold, StepPaused("", 7))[0].cursor == 7


def test_tool_calls_wait_for_answers_in_place_of_earlier_ones() -> None:
    asks = ToolCallsRequested("b", ({"id": "c2"},), JsonText("[1]"), 2)
    after, odd = then(BEGUN, asks)
    assert odd == []
    assert changes(step(BEGUN), step(after)) == {"status": Status.WAITING, "ended_at": 60.0}
    assert told(BEGUN, after) == {
        "pending": asks, "answers": {}, "terminal": Outcome.TOOL_CALLS,
    }  # fmt: skip
    unannounced, odd = then(running(), asks)
    assert (step(unannounced).name, odd) == ("B", [])
    elsewhere, odd = then(running(), replace(asks, step_id="c"))
    assert (elsewhere.branch.pending, odd) == (replace(asks, step_id="c"), ["'c' had not begun"])


def test_the_end_of_the_flow_is_final_and_odd_when_it_comes_early() -> None:
    last = BEGUN.replace(plan=replace(PLAN, steps=PLAN.steps[:2]))
    done, _ = then(last, StepCompleted("b", Y))
    after, odd = then(done, RunCompleted(Y))
    assert (told(done, after), odd) == (
        {"done": True, "result": Y, "terminal": Outcome.COMPLETED}, [],
    )  # fmt: skip
    assert then(after, RunCompleted(X))[0].branch.result == Y
    early, odd = then(BEGUN, RunCompleted())
    assert (early.cursor, early.branch.done) == (1, True)
    assert odd == ["the flow ended after 1 of 3 steps"]
    _, odd = then(running(StepPaused("b")), RunCompleted(X))
    assert odd == ["an event came after the end of its turn"]


def test_a_turn_on_another_plan_ends_and_moves_nothing() -> None:
    moved = running(RunStarted("run-1", 3, 2))
    for event, outcome in (
        (StepPaused("", 3), Outcome.PAUSED),
        (replace(ASKED, step_id="c"), Outcome.TOOL_CALLS),
        (RunCompleted(X), Outcome.COMPLETED),
    ):
        after, odd = then(moved, event)
        assert (told(moved, after), odd) == ({"terminal": outcome}, [])
