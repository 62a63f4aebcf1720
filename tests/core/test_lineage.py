"""What a branch came from and what its turns were asked with is known for good."""

from __future__ import annotations

from dataclasses import replace

from flowdbg.core.entries import (
    BlockEdited,
    Body,
    Forked,
    ForkReason,
    InputsGiven,
    Outcome,
    OutputEditCleared,
    OutputEdited,
    PlanLoaded,
)
from flowdbg.core.fold import apply, apply_all
from flowdbg.core.json_text import JsonText
from flowdbg.core.lineage import first_given, last_given, lineage, other_plan, turns_of
from flowdbg.core.rules import fork_refusal
from flowdbg.core.session import Session
from tests.core.streams import PLAN, entries, honest_step, opening, turn

EDIT = JsonText('"mine"')


def after(session: Session, *bodies: Body) -> Session:
    """The session after some things that a person did."""
    return apply_all(session, entries(*bodies))


def stepped(session: Session, number: int, index: int) -> Session:
    """The session after a turn that ran one step."""
    step = PLAN.steps[index].id
    return apply_all(session, turn(number, index, honest_step(step, '"x"'), Outcome.PAUSED))


def three_branches() -> Session:
    """`#0` ran a step with an edit; `#1` is a restart with other inputs, `#2` a fork of `#1`."""
    session = after(apply_all(Session(), opening()), OutputEdited("a", EDIT))
    session = stepped(session, 1, 0)
    session = after(session, OutputEditCleared("a"), InputsGiven("new", JsonText("{}")))
    session = after(session, Forked(1, 0, 0, ForkReason.RESTART, True))
    session = stepped(session, 2, 0)
    session = after(session, InputsGiven("newer", JsonText("{}")))
    session = after(session, Forked(2, 1, 1, ForkReason.FORK, False))
    session = after(session, BlockEdited("b", {"prompt": EDIT}))
    return stepped(session, 3, 1)


def test_a_fork_grows_from_its_parent_and_a_restart_from_nothing() -> None:
    session = three_branches()
    assert lineage(session, 2) == (2, 1)
    assert lineage(session, 0) == (0,)
    assert [turn.number for turn in turns_of(session, 1)] == [2]


def test_each_turn_knows_the_edits_that_were_in_force() -> None:
    session = three_branches()
    assert last_given(session, 0).output_edits == {"a": EDIT}
    assert last_given(session, 1).output_edits == {}
    assert session.turns[2].given.block_edits == {"b": {"prompt": EDIT}}
    assert session.turns[1].given.block_edits == {}


def test_the_current_branch_would_be_asked_with_what_is_given_now() -> None:
    session = after(three_branches(), OutputEdited("a", JsonText("2")))
    assert last_given(session, 2).output_edits == {"a": JsonText("2")}


def test_a_run_keeps_the_inputs_that_it_was_begun_with() -> None:
    session = three_branches()
    assert first_given(session, 2).message == "new"
    assert first_given(session, 0).message != "new"


def test_a_branch_without_turns_has_what_its_parent_had() -> None:
    session = after(three_branches(), Forked(3, 0, 0, ForkReason.FORK, False))
    session = after(session, Forked(4, 2, 1, ForkReason.FORK, False))
    assert last_given(session, 3).output_edits == {"a": EDIT}
    assert first_given(session, 4).message == "new"


def test_a_branch_of_another_plan_is_told_and_not_forked_from() -> None:
    session = three_branches()
    assert other_plan(session, 0) is None
    newer = replace(PLAN, version=99, hash="other")
    session = apply(session, entries(PlanLoaded(newer))[0])
    assert other_plan(session, 0) == PLAN
    assert "ran on version" in fork_refusal(session, 0, 0)


def test_a_plan_that_tells_neither_hash_nor_version_is_not_held_against_a_branch() -> None:
    session = after(three_branches(), PlanLoaded(replace(PLAN, version=None, hash="")))
    assert other_plan(session, 0) is None
    assert fork_refusal(session, 0, 0) == ""
    assert "not reached on branch #0" in fork_refusal(session, 2, 0)
