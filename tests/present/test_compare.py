"""Branches are told apart, and two runs are compared step by step with what they ran on."""

from __future__ import annotations

from typing import Any

from flowdbg.core.entries import (
    BlockEdited,
    Body,
    CommandGiven,
    Forked,
    ForkReason,
    InputsGiven,
    Outcome,
    OutputEditCleared,
    OutputEdited,
    Stopped,
    StopReason,
    TurnEnded,
    TurnStarted,
)
from flowdbg.core.events import (
    RunStarted,
    StepCompleted,
    StepFailed,
    StepInput,
    StepOutput,
    StepPaused,
    StepStarted,
    Tokens,
)
from flowdbg.core.json_text import JsonText
from flowdbg.core.session import Session
from flowdbg.present.branches import branch_look, branch_rows, branch_title, took
from flowdbg.present.compare import (
    RunsCompared,
    compare_runs,
    first_pair,
    sides_of,
    title,
)
from flowdbg.present.json_diff import MISSING
from flowdbg.present.takes import Side, take_of, takes
from tests.present.sessions import PLAN, received, session_of


def ran(turn: int, index: int, output: Any, read: Any = "in") -> list[Body]:
    """A step that said something and paused."""
    step = PLAN.steps[index]
    said = JsonText.of(output)
    return [
        CommandGiven("step"),
        TurnStarted(turn, index, False, "/step", ("{}",)),
        received(turn, RunStarted("run-1", len(PLAN.steps), 3, "h3")),
        received(turn, StepStarted(step.id, step.name)),
        received(turn, StepInput(step.id, JsonText.of(read))),
        received(turn, StepCompleted(step.id, said, step.name, 900, Tokens(5, 2, 7))),
        received(turn, StepPaused(step.id, index + 1)),
        TurnEnded(turn, Outcome.PAUSED, 1.5),
        Stopped(StopReason.STEP),
    ]


def failed(turn: int, index: int) -> list[Body]:
    """A step that failed after some words."""
    step = PLAN.steps[index]
    return [
        CommandGiven("step"),
        TurnStarted(turn, index, False, "/step", ("{}",)),
        received(turn, StepStarted(step.id, step.name)),
        received(turn, StepOutput(step.id, JsonText('"So far"'))),
        received(turn, StepFailed(step.id, {"message": "out of order"})),
        TurnEnded(turn, Outcome.FAILED, 0.5),
        Stopped(StopReason.ERROR, "out of order", step.id),
    ]


def fork(branch: int, parent: int, index: int, reason: ForkReason = ForkReason.FORK) -> Forked:
    return Forked(branch, parent, index, reason, reason is ForkReason.RESTART)


STORY: list[Body] = [
    *ran(1, 0, {"text": "one"}),
    *ran(2, 1, "yes"),
    fork(1, 0, 1, ForkReason.RETRY),
    BlockEdited("classify", {"prompt": JsonText('"Say maybe"')}),
    *ran(3, 1, "maybe"),
    BlockEdited("classify", {}),
    fork(2, 0, 1),
    OutputEdited("fetch", JsonText('{"text":"edited"}')),
    *ran(4, 1, "no", read="edited"),
    *failed(5, 2),
    OutputEditCleared("fetch"),
    InputsGiven("another message", JsonText("{}")),
    fork(3, 2, 0, ForkReason.RESTART),
    *ran(6, 0, {"text": "one"}),
]


def told() -> Session:
    return session_of(*STORY)


def compared(before: int, after: int) -> RunsCompared:
    session = told()
    return compare_runs(Side(session, before), Side(session, after))


def test_branches_stand_below_the_ones_they_left_and_say_why() -> None:
    rows = branch_rows(told())
    assert [f"{row.tree}{row.what}" for row in rows] == [
        "#0 start",
        "├ #1 retry of 2 Classify",
        "└ #2 fork before 2 Classify",
        "#3 restart",
    ]
    assert [row.look.word for row in rows] == ["PAUSED", "PAUSED", "FAILED", "PAUSED"]
    assert [row.turns for row in rows] == [2, 1, 2, 1]
    assert [row.edits for row in rows] == [0, 1, 1, 0]
    assert [row.place for row in rows] == ["2/4", "2/4", "2/4", "1/4"]
    assert [row.tokens for row in rows] == [14, 7, 7, 7]
    assert [took(row) for row in rows] == ["3.0s", "1.5s", "2.0s", "1.5s"]
    assert [row.is_current for row in rows] == [False, False, False, True]
    assert branch_title(told(), 2) == "#2 fork before 2 Classify, from #0"


def test_a_branch_unfolds_to_its_turns() -> None:
    rows = branch_rows(told(), unfolded={2})
    turns = [(f"{row.tree}{row.what}", row.look.word) for row in rows if row.turn]
    assert turns == [("    turn 4: 2 Classify", "done"), ("    turn 5: 3 Each document", "failed")]


def test_a_branch_on_which_nothing_ran_is_paused() -> None:
    session = session_of(*STORY, fork(4, 0, 2))
    assert branch_look(session, 4).word == "PAUSED"
    assert branch_rows(session)[3].turns == 0


def test_what_was_left_open_when_a_branch_was_left_is_not_called_paused() -> None:
    ended = {
        Outcome.UNKNOWN: "OUTCOME UNKNOWN",
        Outcome.CANCELLED: "CANCELLED",
        Outcome.NOT_SENT: "OFFLINE",
        Outcome.REFUSED: "PAUSED",
    }
    for outcome, word in ended.items():
        left: list[Body] = [
            TurnStarted(1, 0, False, "/step", ("{}",)),
            TurnEnded(1, outcome),
            fork(1, 0, 0),
        ]
        assert branch_look(session_of(*left), 0).word == word


def test_every_attempt_is_a_take_once_with_what_it_ran_on() -> None:
    found = takes(Side(told(), 3), "classify")
    assert [take.name for take in found] == ["#0 attempt 1", "#1 attempt 2", "#2 attempt 1"]
    assert [take.value("output") for take in found] == ["yes", "maybe", "no"]
    assert [take.value("block")["prompt"] for take in found] == [
        "Say yes or no", "Say maybe", "Say yes or no",
    ]  # fmt: skip
    assert [take.value("input") for take in found] == ["in", "in", "edited"]


def test_an_edit_that_was_in_force_is_a_take_beside_the_attempt() -> None:
    side = Side(told(), 2)
    assert [take.name for take in takes(side, "fetch")] == [
        "#0 attempt 1", "#2 edited", "#3 attempt 1",
    ]  # fmt: skip
    take = take_of(side, "fetch")
    assert take is not None
    assert take.value("output") == {"text": "edited"}


def test_a_failed_attempt_says_its_error() -> None:
    take = take_of(Side(told(), 2), "each")
    assert take is not None
    assert take.value("output") == {"error": {"message": "out of order"}}


def test_a_step_that_ran_on_one_side_was_added_there() -> None:
    found = compared(0, 2)
    step = next(one for one in found.steps if one.step_id == "each")
    assert sides_of(found, step, "output") == (MISSING, {"error": {"message": "out of order"}})
    step = next(one for one in compared(0, 3).steps if one.step_id == "classify")
    assert sides_of(compared(0, 3), step, "output") == ("yes", MISSING)


def test_a_retry_with_another_prompt_differs_in_output_and_block() -> None:
    found = compared(0, 1)
    assert [(step.name, step.verdict) for step in found.steps] == [
        ("the run", "same"),
        ("Fetch", "same"),
        ("Classify", "different"),
        ("Each document", "not run"),
        ("Final", "not run"),
    ]
    step = found.differing[0]
    assert step.said == "output 1, block 1"
    assert title(found, step, "output") == "output: #0 attempt 1 → #1 attempt 2"
    assert sides_of(found, step, "block") == (
        {"prompt": "Say yes or no", "model": "m"},
        {"prompt": "Say maybe", "model": "m"},
    )
    assert found.said == "1 of 4 steps differs"


def test_an_edit_is_why_later_steps_differ() -> None:
    found = {step.step_id: step for step in compared(0, 2).steps}
    assert found["fetch"].said == "output 1"
    assert found["classify"].said == "output 1, input 1"
    assert found["each"].verdict == "only after"


def test_other_inputs_are_a_difference_of_the_run() -> None:
    found = compared(0, 3)
    assert found.steps[0].said == "input 1"
    assert found.said == "1 of 4 steps differs, and the inputs"
    assert found.steps[2].verdict == "only before"


def test_a_run_does_not_differ_from_itself() -> None:
    found = compared(2, 2)
    assert found.differing == ()
    assert found.said == "no difference"


def test_two_sessions_are_compared_by_their_names() -> None:
    one = Side(told(), 0, "a1b2c3")
    other = Side(session_of(*ran(1, 0, {"text": "two"})), 0, "d4e5f6")
    found = compare_runs(one, other)
    assert title(found, found.steps[1], "output") == (
        "output: a1b2c3 #0 attempt 1 → d4e5f6 #0 attempt 1"
    )
    assert title(found, found.steps[2], "output") == (
        "output: a1b2c3 #0 attempt 1 → d4e5f6 #0 (did not run)"
    )


def test_first_the_branch_that_was_left_is_compared() -> None:
    assert first_pair(told()) == (2, 3)
    assert first_pair(session_of()) is None


def ran_inside(turn: int, *said: str) -> list[Body]:
    """A loop that ran once for each text, and took it up as it came."""
    each = ran(turn, 2, list(said))
    inside = [
        body
        for at, text in enumerate(said)
        for body in (
            received(turn, StepStarted("each", f"{at + 1} of {len(said)}", (at,))),
            received(turn, StepStarted("each", "Note", (at, "note"))),
            received(turn, StepInput("each", JsonText.of(at), (at, "note"))),
            received(turn, StepCompleted("each", JsonText.of(text), path=(at, "note"))),
            received(turn, StepCompleted("each", JsonText.of(text), path=(at,))),
        )
    ]
    return [*each[:5], *inside, *each[5:]]


def test_what_differs_inside_a_container_is_told_by_its_place() -> None:
    story = [
        *ran(1, 0, 1), *ran(2, 1, 2), *ran_inside(3, "a", "b", "c"),
        fork(1, 0, 2, ForkReason.RETRY), *ran_inside(4, "a", "B"),
    ]  # fmt: skip
    session = session_of(*story)
    found = compare_runs(Side(session, 0), Side(session, 1))
    step = next(one for one in found.steps if one.step_id == "each")
    assert [(one.inside, one.verdict, one.said) for one in step.inner] == [
        ("2 › Note", "different", "output 1"),
        ("3 › Note", "only before", ""),
    ]
    assert step.said == "output 2, 2 inside"
    assert found.said == "1 of 4 steps differs"
    inner = step.inner[0]
    assert title(found, inner, "output") == "output: #0 attempt 1 → #1 attempt 2"
    assert sides_of(found, inner, "output") == ("b", "B")
    assert inner.name == "Each document › 2 › Note"


def test_a_container_is_not_the_same_when_something_inside_it_differs() -> None:
    session = session_of(
        *ran(1, 0, 1), *ran(2, 1, 2), *ran_inside(3, "a"), fork(1, 0, 2), *ran_inside(4, "b")
    )
    story = compare_runs(Side(session, 0), Side(session, 1))
    assert [one.step_id for one in story.differing] == ["each"]
    assert compare_runs(Side(session, 0), Side(session, 0)).differing == ()
