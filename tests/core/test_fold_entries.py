"""Each kind of entry changes the session in its own fields, to what it carries, and in no other."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from flowdbg.core.entries import (
    BlockEdited,
    Body,
    BreakpointSet,
    CommandGiven,
    Entry,
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
from flowdbg.core.events import (
    Event,
    RunStarted,
    StepOutput,
    StepPaused,
    StepStarted,
    ToolCallsRequested,
)
from flowdbg.core.fold import apply, apply_all
from flowdbg.core.json_text import JsonText
from flowdbg.core.plan import Plan
from flowdbg.core.session import (
    Breakpoint,
    Execution,
    Given,
    Session,
    StalePlan,
    Status,
    Totals,
    Turn,
)
from flowdbg.core.trail import Trail
from tests.core.streams import PLAN, changes, entries, honest_step, opening, received, turn

MINE, OTHER = JsonText('"mine"'), JsonText('"other"')
OPENED = SessionOpened(
    "s2", "dialect", "http://y", "a/b/c", 4, "m", MINE, "[1]", '"auto"', "[2]", True, "f.yaml"
)
STOP = Stopped(StopReason.ERROR, "d", "a")
NEW = Plan(version=2)
STEPPED = apply_all(Session(), [*opening(), *turn(1, 0, honest_step("a", '"x"'), Outcome.PAUSED)])
FULL = apply_all(
    STEPPED,
    entries(
        OutputEdited("a", MINE), BlockEdited("a", {"prompt": MINE}), BreakpointSet("a"),
        PlanWentStale(NEW, "old"),
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (OPENED, {
            "id": "s2", "dialect": "dialect", "url": "http://y", "address": "a/b/c", "pinned": 4,
            "message": "m", "parameters": MINE, "tools": "[1]", "tool_choice": '"auto"',
            "attachments": "[2]", "trace": True, "file": "f.yaml"}),
        (InputsGiven("m", MINE), {"message": "m", "parameters": MINE}),
        (PlanLoaded(NEW), {"plan": NEW, "stale": None}),
        (PlanWentStale(Plan(), "why"), {"stale": StalePlan(PLAN, Plan(), "why")}),
        (VersionPinned(3), {"pinned": 3}),
        (CommandGiven("run to", "c"), {"verb": "run to"}),
        (STOP, {"stop": STOP}),
        (OutputEdited("b", OTHER), {"output_edits": {"a": MINE, "b": OTHER}}),
        (OutputEdited("a", OTHER), {"output_edits": {"a": OTHER}}),
        (OutputEditCleared("a"), {"output_edits": {}}),
        (OutputEditCleared("b"), {}),
        (BlockEdited("b", {"x": OTHER}), {"block_edits": {"a": {"prompt": MINE},
                                                          "b": {"x": OTHER}}}),
        (BlockEdited("a", {"x": OTHER}), {"block_edits": {"a": {"x": OTHER}}}),
        (BlockEdited("a", {}), {"block_edits": {}}),
        (BreakpointSet("b"), {"breakpoints": {"a": Breakpoint("a"), "b": Breakpoint("b")}}),
        (BreakpointSet("a", False), {"breakpoints": {"a": Breakpoint("a", False)}}),
        (BreakpointSet("a", None), {"breakpoints": {}}),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, dict) else "",
)  # fmt: skip
def test_an_entry_changes_its_own_fields_and_nothing_else(
    body: Body, expected: dict[str, Any]
) -> None:
    assert changes(FULL, apply(FULL, Entry(5.0, 0, body))) == expected


def test_a_stop_ends_the_verb_that_ran() -> None:
    running = apply_all(STEPPED, entries(CommandGiven("step")))
    assert changes(running, apply_all(running, entries(STOP))) == {"verb": "", "stop": STOP}


def on_branch(body: Body) -> dict[str, Any]:
    """What an entry changes on the current branch; it changes nothing else."""
    before = STEPPED
    after = apply(before, Entry(5.0, 0, body))
    assert list(changes(before, after)) == ["branches"]
    return changes(before.branch, after.branch)


def test_what_happens_on_a_branch_stays_there() -> None:
    answer = ToolAnswered("c1", "one")
    assert on_branch(answer) == {"answers": {"c1": answer}}
    assert on_branch(ExecutionLost("run-1")) == {"execution_id": ""}
    assert on_branch(StepSkipped("b")) == {"cursor": 2, "skipped": frozenset({"b"})}
    asks = ToolCallsRequested("b", ({"id": "c1"},), JsonText("[]"))
    waits = apply_all(STEPPED, turn(2, 1, [RunStarted("run-1"), asks], Outcome.TOOL_CALLS))
    waits = apply_all(waits, entries(answer))
    skipped = apply_all(waits, entries(StepSkipped("b"))).branch
    assert (skipped.pending, skipped.answers) == (None, {})


def test_a_branch_knows_which_steps_before_it_were_skipped() -> None:
    skipped = apply_all(STEPPED, entries(StepSkipped("b")))
    for index, known in ((1, set()), (2, {"b"})):
        session = apply_all(skipped, entries(Forked(1, 0, index, ForkReason.FORK, fresh=False)))
        assert session.branch.skipped == known


def test_a_further_attempt_that_breaks_leaves_the_earlier_ones() -> None:
    forked = apply_all(two_steps(), entries(Forked(1, 0, 1, ForkReason.RETRY, fresh=False)))
    session = apply_all(forked, turn(3, 1, [StepStarted("b")], Outcome.UNKNOWN))
    assert [one.status for one in session.attempts("b")] == [Status.DONE, Status.UNKNOWN]


def test_a_turn_keeps_what_it_was_asked_and_how_it_ended() -> None:
    started = TurnStarted(2, 1, True, "/step", ("body",))
    begun = apply(FULL, Entry(7.0, 0, started))
    given = Given(PLAN, "hi", JsonText("{}"), {"a": MINE}, {"a": {"prompt": MINE}})
    running = Turn(2, 0, 1, True, "/step", ("body",), 7.0, given)
    assert changes(FULL, begun) == {"running": running}
    ended = TurnEnded(2, Outcome.UNKNOWN, 1.5, "what", "next", "CODE", "tail")
    over = apply(begun, Entry(9.0, 0, ended))
    last = dataclasses.replace(
        running, outcome=Outcome.UNKNOWN, elapsed=1.5, what="what", next_step="next", code="CODE",
        tail="tail",
    )  # fmt: skip
    assert changes(begun, over) == {
        "running": None,
        "turns": Trail([*FULL.turns, last]),
        "totals": dataclasses.replace(FULL.totals, elapsed=2.0),
    }
    assert FULL.totals == Totals(FULL.totals.tokens, FULL.totals.cost, 0.5)


def test_a_turn_that_begins_within_another_leaves_that_one_unknown() -> None:
    log = entries(TurnStarted(2, 1, False, "/step", ()), *received(2, [StepStarted("b")]))
    session = apply_all(STEPPED, [*log, *entries(TurnStarted(3, 1, False, "/step", ()))])
    assert session.running is not None
    assert (session.running.number, session.turns[-1].number) == (3, 2)
    assert session.turns[-1].outcome is Outcome.UNKNOWN
    begun = session.execution("b")
    assert begun is not None
    assert begun.status is Status.UNKNOWN


@pytest.mark.parametrize("running", [True, False])
def test_the_end_of_a_turn_that_does_not_run_is_an_anomaly(running: bool) -> None:
    log = entries(TurnStarted(2, 1, False, "/step", ())) if running else []
    before = apply_all(STEPPED, log)
    after = apply_all(before, entries(TurnEnded(7, Outcome.PAUSED, 3.0)))
    assert list(changes(before, after)) == ["anomalies"]
    assert after.anomalies[-1].what == "a turn ended that was not running"
    assert after.anomalies[-1].turn == 7


def two_steps() -> Session:
    """Two steps that ran, and a retry of the second that failed."""
    log = turn(2, 1, honest_step("b", '"y"'), Outcome.PAUSED)
    return apply_all(STEPPED, log)


@pytest.mark.parametrize(
    ("index", "reason", "kept", "attempts"),
    [
        (0, ForkReason.RESTART, [], []),
        (1, ForkReason.FORK, ["a"], ["a"]),
        (0, ForkReason.RETRY, [], ["a"]),
        (1, ForkReason.RETRY, ["a"], ["a", "b"]),
        (2, ForkReason.FORK, ["a", "b"], ["a", "b"]),
    ],
)
def test_a_branch_begins_with_what_lies_before_it(
    index: int, reason: ForkReason, kept: list[str], attempts: list[str]
) -> None:
    before = two_steps()
    after = apply(before, Entry(5.0, 0, Forked(1, 0, index, reason, reason is ForkReason.RESTART)))
    assert list(changes(before, after)) == ["branches", "current"]
    branch = after.branch
    assert (branch.number, branch.parent, branch.forked_at, branch.cursor, branch.reason) == (
        1, 0, index, index, reason,
    )  # fmt: skip
    assert (list(branch.outputs), list(branch.executions)) == (kept, attempts)
    assert branch.execution_id == ("" if reason is ForkReason.RESTART else "run-1")
    assert after.branches[0] == before.branch


def test_a_branch_of_a_branch_that_is_not_there_leaves_the_nearest_one() -> None:
    forked = apply_all(two_steps(), entries(Forked(1, 0, 1, ForkReason.FORK, fresh=False)))
    for parent, found in ((-5, 0), (0, 0), (1, 1), (2, 1), (99, 1)):
        session = apply_all(forked, entries(Forked(2, parent, 1, ForkReason.FORK, fresh=False)))
        assert session.branch.parent == found


def test_what_happens_on_a_later_branch_leaves_the_earlier_ones_alone() -> None:
    forked = apply_all(two_steps(), entries(Forked(1, 0, 1, ForkReason.FORK, fresh=False)))
    forked = apply_all(forked, entries(Forked(2, 0, 1, ForkReason.FORK, fresh=False)))
    session = apply_all(forked, turn(3, 1, honest_step("b", '"z"'), Outcome.PAUSED))
    assert session.branches[:2] == forked.branches[:2]
    assert session.branch.outputs["b"] == JsonText('"z"')
    assert len(session.branches) == 3


def test_chunks_of_several_executions_at_once_each_find_their_own() -> None:
    begun: list[Event] = [
        RunStarted("run-1", 3, 1, "h1"), StepStarted("b"), StepStarted("b", "L", ("l",)),
    ]  # fmt: skip
    chunks: list[Event] = [
        StepOutput("b", JsonText('"1"')), StepOutput("b", JsonText('"2"')),
        StepOutput("b", JsonText('"l"'), ("l",)), StepOutput("b", JsonText('"3"')),
    ]  # fmt: skip
    log = [
        *entries(TurnStarted(2, 1, False, "/step", ())),
        *entries(*received(2, [*begun, *chunks])),
    ]
    session = apply_all(STEPPED, log)
    one_by_one = STEPPED
    for entry in log:
        one_by_one = apply(one_by_one, entry)
    assert session == one_by_one
    one: Execution | None = session.execution("b")
    assert one is not None
    assert (one.text, one.children["l",].text) == ("123", "l")
    late = apply_all(session, entries(*received(2, chunks[:1]), *received(1, chunks[:1])))
    again = late.execution("b")
    assert again is not None
    assert again.text == "1231"
    assert len(late.anomalies) == len(session.anomalies) + 1


def test_chunks_behind_the_end_of_a_turn_are_kept_as_events_alone() -> None:
    log: list[Event] = [RunStarted("run-1", 3, 1, "h1"), StepStarted("b"), StepPaused("b")]
    before = apply_all(STEPPED, entries(TurnStarted(2, 1, False, "/step", ()), *received(2, log)))
    after = apply_all(before, entries(*received(2, [StepOutput("b", MINE)] * 3)))
    assert list(changes(before, after)) == ["events", "anomalies"]
    assert len(after.anomalies) == len(before.anomalies) + 3
