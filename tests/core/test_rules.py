"""Which verbs a session allows, which step runs again, and which are taken one by one."""

from __future__ import annotations

import pytest

from flowdbg.core.entries import (
    Body,
    CommandGiven,
    Forked,
    ForkReason,
    Outcome,
    OutputEdited,
    PlanWentStale,
    StepSkipped,
    Stopped,
    StopReason,
    TurnEnded,
    TurnStarted,
)
from flowdbg.core.events import Event, RunStarted, StepPaused, StepStarted, ToolCallsRequested
from flowdbg.core.fold import apply_all
from flowdbg.core.json_text import JsonText
from flowdbg.core.plan import Plan
from flowdbg.core.rules import FORWARD, blind_edits, fork_refusal, refusal, retry_index
from flowdbg.core.session import Session
from tests.core.streams import PLAN, entries, honest_step, opening, received, turn

MINE = JsonText('"mine"')
LOST = Stopped(StopReason.UNKNOWN)


def after(session: Session, *bodies: Body) -> Session:
    """The session after some entries."""
    return apply_all(session, entries(*bodies))


def opened(plan: Plan = PLAN) -> Session:
    """A session before its first step."""
    return apply_all(Session(), opening(plan))


def stepped(session: Session, number: int, step_id: str, *, last: bool = False) -> Session:
    """The session after a turn that ran a step."""
    outcome = Outcome.COMPLETED if last else Outcome.PAUSED
    events = honest_step(step_id, '"x"', last=last)
    return apply_all(session, turn(number, session.cursor, events, outcome))


def lost(session: Session, number: int, events: list[Event], *, all_: bool = False) -> Session:
    """The session after a turn whose stream broke behind some events."""
    started = TurnStarted(number, session.cursor, all_, "/step", ())
    ended = TurnEnded(number, Outcome.UNKNOWN)
    return after(session, started, *received(number, events), ended, LOST)


ONE_STEP = stepped(opened(), 1, "a")
AT_END = stepped(stepped(ONE_STEP, 2, "b"), 3, "c", last=True)
ASKS = ToolCallsRequested("b", ({"id": "c1"},), JsonText("[]"))
WAITS = apply_all(ONE_STEP, turn(2, 1, [RunStarted("run-1"), ASKS], Outcome.TOOL_CALLS))
STALE = after(ONE_STEP, PlanWentStale(PLAN, "changed"))
BEGUN: list[Event] = [RunStarted("run-1"), StepStarted("b")]
UNKNOWN = lost(ONE_STEP, 2, BEGUN)
NOT_PAUSED = lost(ONE_STEP, 2, honest_step("b", '"x"')[:-1])
SOME_OF_ALL = lost(ONE_STEP, 2, honest_step("b", '"x"')[:-1], all_=True)
UNTOLD = opened(Plan())


@pytest.mark.parametrize(
    ("session", "forward", "retry", "skip", "fork"),
    [
        (opened(), "", "nothing has run yet", "'a' has no output of yours", ""),
        (after(opened(), OutputEdited("a", MINE)), "", "nothing has run yet", "", ""),
        (ONE_STEP, "", "", "'b' has no output of yours", ""),
        (AT_END, "at its end", "", "at its end", ""),
        (WAITS, "tool calls wait", "", "'b' has no output of yours", ""),
        (STALE, *["the plan is stale"] * 4),
        (UNKNOWN, "not known whether the step ran", "", "'b' has no output of yours", ""),
        (NOT_PAUSED, "", "", "'c' has no output of yours", ""),
        (SOME_OF_ALL, "not known whether the step ran", "", "'c' has no output of yours", ""),
        (UNTOLD, "", "nothing has run yet", "tells no plan", ""),
    ],
    ids=["new", "edited", "stepped", "at the end", "asked for tools", "stale", "unknown",
         "ended without a pause", "lost in a call of all", "no plan told"],
)  # fmt: skip
def test_each_state_allows_some_verbs_and_says_why_not_the_others(
    session: Session, forward: str, retry: str, skip: str, fork: str
) -> None:
    expected = dict.fromkeys(FORWARD, forward) | {"retry": retry, "skip": skip, "fork": fork}
    for verb, why in expected.items():
        assert (why in refusal(session, verb)) if why else refusal(session, verb) == "", verb
    assert refusal(session, "cancel") == "nothing is running"
    assert refusal(session, "restart") == refusal(session, "pin") == ""


def test_beside_a_running_verb_only_cancel_is_allowed() -> None:
    given = after(ONE_STEP, CommandGiven("continue"))
    sending = after(ONE_STEP, TurnStarted(2, 1, False, "/step", ()))
    for session, name in ((given, "continue"), (sending, "step")):
        for verb in (*FORWARD, "retry", "restart", "pin", "fork", "skip"):
            assert refusal(session, verb).startswith(f"'{name}' is running")
        assert refusal(session, "cancel") == ""
        assert fork_refusal(session, 0).startswith(f"'{name}' is running")


def test_a_skipped_step_without_its_output_stands_before_every_forward_verb() -> None:
    skipped = after(opened(), OutputEdited("a", MINE), StepSkipped("a"))
    assert refusal(skipped, "step") == ""
    bare = after(opened(), StepSkipped("a"))
    assert "'a' was skipped and has no output" in refusal(bare, "step")


def test_a_branch_leaves_from_a_step_that_was_reached_there() -> None:
    assert [fork_refusal(ONE_STEP, index) == "" for index in (-1, 0, 1, 2)] == [
        False, True, True, False,
    ]  # fmt: skip
    forked = after(ONE_STEP, Forked(1, 0, 0, ForkReason.FORK, fresh=False))
    assert "step 2 was not reached on branch #1" in fork_refusal(forked, 1)
    assert fork_refusal(forked, 1, 0) == ""


def test_what_was_left_open_runs_again_in_place_and_else_the_last_step_that_ended() -> None:
    assert retry_index(opened()) is None
    assert retry_index(ONE_STEP) == 0
    assert retry_index(AT_END) == 2
    assert retry_index(WAITS) == 1
    assert retry_index(UNKNOWN) == 1
    assert retry_index(NOT_PAUSED) == 1
    assert retry_index(SOME_OF_ALL) == 2
    assert retry_index(lost(opened(), 1, [])) == 0
    not_ended = turn(2, 1, [RunStarted("run-1"), StepStarted("b"), StepPaused("b")], Outcome.PAUSED)
    assert retry_index(apply_all(ONE_STEP, not_ended)) == 1


def test_a_turn_of_another_branch_says_nothing_of_what_runs_again() -> None:
    failed = lost(stepped(ONE_STEP, 2, "b"), 3, [])
    assert retry_index(failed) == 2
    forked = after(failed, Forked(1, 0, 1, ForkReason.FORK, fresh=False))
    assert retry_index(forked) == 0
    never_left = after(failed, Forked(1, 0, 1, ForkReason.RETRY, fresh=False))
    assert retry_index(never_left) == 1
    again = stepped(never_left, 4, "b")
    assert retry_index(again) == 1


def test_a_skipped_step_runs_again_until_a_later_one_was_tried() -> None:
    skipped = after(ONE_STEP, OutputEdited("b", MINE), StepSkipped("b"))
    assert retry_index(skipped) == 1
    assert retry_index(stepped(skipped, 2, "c", last=True)) == 2
    assert retry_index(lost(skipped, 2, [])) == 2
    failed = after(UNKNOWN, OutputEdited("b", MINE), StepSkipped("b"))
    assert retry_index(failed) == 1
    assert retry_index(lost(failed, 3, [])) == 2
    first = after(opened(), OutputEdited("a", MINE), StepSkipped("a"))
    assert retry_index(first) == 0


@pytest.mark.parametrize(
    ("session", "edited", "singly"),
    [
        (opened(), "", 0), (opened(), "a", 1), (opened(), "b", 2), (opened(), "c", 0),
        (opened(), "ab", 2), (opened(), "ba", 2), (opened(), "z", 0), (opened(), "az", 1),
        (ONE_STEP, "a", 0), (ONE_STEP, "b", 1), (ONE_STEP, "c", 0), (ONE_STEP, "abc", 1),
        (stepped(ONE_STEP, 2, "b"), "a", 0),
    ],
)  # fmt: skip
def test_steps_up_to_the_last_edited_one_are_taken_singly(
    session: Session, edited: str, singly: int
) -> None:
    assert blind_edits(after(session, *(OutputEdited(name, MINE) for name in edited))) == singly
