"""What the plan, the status line, the event log and the command twin say about a session."""

from __future__ import annotations

import shlex
from dataclasses import replace
from itertools import pairwise
from pathlib import Path as FilePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdbg.core.entries import (
    BlockEdited,
    BreakpointSet,
    CommandGiven,
    Entry,
    Forked,
    ForkReason,
    InputsGiven,
    Outcome,
    OutputEditCleared,
    OutputEdited,
    PlanLoaded,
    PlanWentStale,
    Stopped,
    StopReason,
    TurnEnded,
    TurnStarted,
    VersionPinned,
)
from flowdbg.core.events import (
    StepCompleted,
    StepStarted,
    ToolCallsRequested,
)
from flowdbg.core.fold import apply_all
from flowdbg.core.json_text import JsonText
from flowdbg.core.plan import Plan, Step, compare_plans
from flowdbg.present.command_twin import command_twin
from flowdbg.present.edit_rows import edit_rows
from flowdbg.present.history import (
    as_of,
    branch_label,
    flow_title,
    newest_step,
    seen_after,
    seen_on,
    step_of,
    turn_label,
)
from flowdbg.present.looks import RUN_LOOKS, RunState, StepState
from flowdbg.present.plan_change import change_rows
from flowdbg.present.plan_rows import PlanRow, plan_rows, row_index, summary
from flowdbg.present.session_rows import SessionRow, heading, session_row
from flowdbg.present.skeleton import first_output
from flowdbg.present.status_line import Part, fitted, look, status_parts
from flowdbg.present.step_view import step_view
from flowdbg.present.tips import Tip, current_tip
from flowdbg.store import SessionSummary
from tests.present.sessions import PLAN, START, received, session_of, step_taken


def words(session_parts: list[Part]) -> str:
    return "  ".join(part.text for part in session_parts)


def test_before_the_first_step_the_plan_stands_waiting() -> None:
    rows = plan_rows(session_of())
    assert [(row.number, row.name, row.state) for row in rows] == [
        (1, "Fetch", StepState.NEXT),
        (2, "Classify", StepState.PENDING),
        (3, "Each document", StepState.PENDING),
        (0, "Note", StepState.PENDING),
        (4, "Final", StepState.PENDING),
    ]
    assert summary(rows) == "4 left"


def test_the_count_of_steps_fits_a_narrow_pane() -> None:
    def rows(*states: StepState) -> tuple[PlanRow, ...]:
        return tuple(PlanRow("s", "S", "llm", state, 1) for state in states)

    done, pending = [StepState.DONE] * 30, [StepState.PENDING] * 99
    assert summary(rows(*done, StepState.NEXT, *pending)) == "30 done · 100 left"
    assert summary(rows(*done, StepState.FAILED, *pending)) == "30 done · 1 failed"


def test_a_step_that_ran_is_done_and_the_next_one_is_next() -> None:
    rows = plan_rows(session_of(*step_taken(1, 0)))
    assert [row.state for row in rows[:3]] == [
        StepState.DONE,
        StepState.NEXT,
        StepState.PENDING,
    ]
    assert rows[0].note == "1.2s"


def test_edits_breakpoints_and_drafts_stand_beside_their_step() -> None:
    session = session_of(
        *step_taken(1, 0),
        OutputEdited("fetch", JsonText('"other"')),
        BlockEdited("classify", {"prompt": JsonText('"x"'), "model": JsonText('"y"')}),
        BreakpointSet("final"),
        BreakpointSet("classify", False),
    )
    rows = plan_rows(session, drafts={"final"})
    assert [row.edits for row in rows] == [1, 2, 0, 0, 0]
    assert [row.breakpoint for row in rows] == [None, False, None, None, True]
    assert [row.draft for row in rows] == [False, False, False, False, True]


def test_a_folded_container_hides_what_it_holds() -> None:
    rows = plan_rows(session_of(), folded={"each"})
    assert [row.step_id for row in rows] == ["fetch", "classify", "each", "final"]
    assert row_index(rows, "final") == 3
    assert row_index(rows, "note") is None


def test_iterations_of_a_running_loop_are_counted() -> None:
    inner = (0, "note")
    session = session_of(
        *step_taken(1, 0),
        *step_taken(2, 1),
        CommandGiven("step"),
        TurnStarted(3, 2, False, "/step", ("{}",)),
        received(3, StepStarted("each", "Each document")),
        received(3, StepStarted("each", "Note", inner)),
        received(3, StepCompleted("each", JsonText('"a"'), path=inner)),
        received(3, StepStarted("each", "Note", (1, "note"))),
    )
    rows = plan_rows(session)
    assert (rows[2].state, rows[2].note) == (StepState.RUNNING, "1 done")
    assert (rows[3].state, rows[3].note) == (StepState.RUNNING, "1/2")


def test_a_failed_an_unknown_and_a_repeated_step_say_so() -> None:
    session = session_of(
        CommandGiven("step"),
        TurnStarted(1, 0, False, "/step", ("{}",)),
        received(1, StepStarted("fetch", "Fetch")),
        TurnEnded(1, Outcome.UNKNOWN, 1.0),
        Stopped(StopReason.UNKNOWN, "cut", "fetch"),
    )
    assert plan_rows(session)[0].state is StepState.UNKNOWN
    assert look(session).word == "OUTCOME UNKNOWN"


def test_the_status_line_says_the_state_in_words() -> None:
    session = session_of(*step_taken(1, 0))
    parts = status_parts(session, elapsed=session.totals.elapsed)
    assert words(parts) == ("PAUSED  before 2/4 Classify  triage@3  0:01.5  7 tok  $0.001  run-1")


def test_a_pinned_an_edited_and_an_unsaved_session_say_so() -> None:
    session = session_of(VersionPinned(3), OutputEdited("fetch", JsonText("1")))
    said = words(status_parts(session, elapsed=0, unsaved=True, read_only=True, viewing="turn 2"))
    assert "triage@3 pinned" in said
    assert "±1" in said
    assert "NOT SAVED" in said
    assert "READ ONLY" in said
    assert "turn 2" in said


def test_a_running_and_a_stale_session_say_so() -> None:
    running = session_of(CommandGiven("step"), TurnStarted(1, 0, False, "/step", ("{}",)))
    assert words(status_parts(running, elapsed=3)).startswith("RUNNING  1/4 Fetch")
    stale = session_of(PlanWentStale(PLAN, "the flow changed"))
    assert words(status_parts(stale, elapsed=0)).startswith("PLAN CHANGED  at step 1/4")


@given(
    st.lists(st.tuples(st.text("x", min_size=1, max_size=20), st.integers(0, 99))),
    st.integers(1, 80),
)
def test_what_is_fitted_fits_and_keeps_its_order(
    given_parts: list[tuple[str, int]], width: int
) -> None:
    parts = [Part(text, weight=weight) for text, weight in given_parts]
    kept = fitted(parts, width)
    length = sum(len(part.text) + 2 for part in kept) - 2
    assert len(kept) <= 1 or length <= width
    positions = [next(at for at, part in enumerate(parts) if part is one) for one in kept]
    assert all(one < other for one, other in pairwise(positions))


def test_the_state_is_never_dropped() -> None:
    session = session_of(*step_taken(1, 0))
    assert fitted(status_parts(session, elapsed=1), 8)[0].text == "PAUSED"


def test_the_twin_is_one_command_that_a_shell_reads_back() -> None:
    session = session_of(
        InputsGiven("it's late", JsonText('{"tier":"gold","n":3}')),
        OutputEdited("fetch", JsonText('{"a": 1}')),
        BlockEdited("classify", {"prompt": JsonText('"Say \\"hi\\""')}),
    )
    assert shlex.split(command_twin(session)) == [
        "flowdbg", "run", "acme/support/triage@3", "--url", "http://localhost:8080/api/v1",
        "-m", "it's late", "-p", "tier=gold", "-p", "n=3",
        "--override-output", 'fetch={"a": 1}',
        "--override-block", 'classify.prompt=Say "hi"',
    ]  # fmt: skip


def test_the_twin_of_a_session_on_a_file_names_the_file() -> None:
    edited = BlockEdited("classify", {"temperature": JsonText("0.5"), "model": JsonText('"m"')})
    session = session_of(edited).replace(file="mail.flow.yaml")
    assert shlex.split(command_twin(session)) == [
        "flowdbg", "run", "mail.flow.yaml",
        "--override-block", "classify.temperature=0.5", "--override-block", "classify.model=m",
    ]  # fmt: skip


def test_a_step_waiting_for_tools_names_its_calls() -> None:
    call = {"id": "c1", "function": {"name": "lookup", "arguments": '{"id": 7}'}}
    session = session_of(
        CommandGiven("step"),
        TurnStarted(1, 0, False, "/step", ("{}",)),
        received(1, StepStarted("fetch", "Fetch")),
        received(1, ToolCallsRequested("fetch", (call,), JsonText("{}"))),
        TurnEnded(1, Outcome.TOOL_CALLS, 1.0),
        Stopped(StopReason.TOOL_CALL, "", "fetch"),
    )
    view = step_view(session, "fetch")
    assert view is not None
    assert 'lookup({"id": 7})' in view.note
    assert plan_rows(session)[0].state is StepState.WAITING
    assert look(session).word == "TOOLS"


def test_an_output_begins_as_its_schema_asks() -> None:
    schema = {
        "type": "object",
        "properties": {
            "kind": {"enum": ["a", "b"]},
            "n": {"type": "integer"},
            "tags": {"type": "array"},
            "deep": {"type": "object", "properties": {"on": {"type": "boolean"}}},
        },
    }
    step = Step("s", "S", "llm", {"output_schema": schema})
    assert first_output(step).value == {"kind": "a", "n": 0, "tags": [], "deep": {"on": False}}
    assert first_output(Step("s", "S", "llm")).value == {"text": ""}
    assert first_output(Step("s", "S", "code")).value == {}
    assert first_output(None).value == ""


def test_a_session_can_be_looked_at_as_it_stood_after_an_earlier_turn() -> None:
    session = session_of(*step_taken(1, 0), *step_taken(2, 1))
    turn = session.turns[0]
    branch = as_of(session, turn)
    assert (branch.cursor, list(branch.outputs)) == (1, ["fetch"])
    rows = plan_rows(seen_after(session, turn))
    assert [row.state for row in rows[:3]] == [
        StepState.DONE, StepState.NEXT, StepState.PENDING,
    ]  # fmt: skip
    assert turn_label(session, turn) == "turn 1 of 2"
    assert step_of(session, turn) == "fetch"
    assert newest_step(session) == "classify"
    assert newest_step(session_of()) == ""


def test_what_is_looked_at_has_the_plan_and_the_edits_of_then() -> None:
    edit = OutputEdited("fetch", JsonText('"mine"'))
    session = session_of(edit, *step_taken(1, 0), OutputEditCleared("fetch"))
    newer = replace(PLAN, steps=PLAN.steps[:2], version=4, hash="h4")
    session = apply_all(
        session,
        [
            Entry(START, 0, PlanLoaded(newer)),
            Entry(START, 0, Forked(1, 0, 0, ForkReason.RESTART, True)),
            Entry(START, 1, Forked(2, 1, 0, ForkReason.FORK, False)),
        ],
    )
    seen = seen_after(session, session.turns[0])
    assert (seen.plan, seen.current, seen.cursor) == (PLAN, 0, 1)
    assert seen.output_edits == {"fetch": edit.value}
    shown = status_parts(seen, elapsed=0, viewing=turn_label(session, session.turns[0]))
    assert [part.text for part in shown][:3] == [
        "VIEWING", "before 2/4 Classify", "turn 1 of 1, branch #0",
    ]  # fmt: skip
    bare = seen_on(session, 1)
    assert (bare.current, bare.plan.version, bare.output_edits) == (1, 4, {})
    assert flow_title(bare) == "1 Flow  #1 as it was"
    assert branch_label(session, 1) == "restart #1, nothing ran on it"
    assert turn_label(session, session.turns[0]) == "turn 1 of 1, branch #0"


def test_a_turn_that_failed_is_looked_at_in_its_step() -> None:
    begun = [*step_taken(1, 0), TurnStarted(2, 1, False, "/step", ("{}",))]
    session = session_of(*begun, TurnEnded(2, Outcome.FAILED))
    seen = seen_after(session, session.turns[1])
    said = [part.text for part in status_parts(seen, elapsed=0, viewing="turn 2 of 2")]
    assert said[1] == "in 2/4 Classify"


def test_a_plan_change_names_what_became_of_each_step() -> None:
    new = Plan(
        (
            PLAN.steps[0],
            Step("check", "Check"),
            replace(PLAN.steps[1], name="Sort", config={"prompt": "x", "model": "m"}),
            PLAN.steps[3],
        ),
        4,
        "h4",
        told=True,
    )
    rows = change_rows(compare_plans(PLAN, new))
    assert [(row.old, row.new, row.word, row.detail) for row in rows] == [
        ("1 Fetch", "1 Fetch", "same", ""),
        ("", "2 Check", "new", ""),
        ("2 Classify", "3 Sort", "changed", "renamed, prompt"),
        ("4 Final", "4 Final", "same", ""),
        ("3 Each document", "", "gone", ""),
    ]


def test_the_first_tip_that_holds_is_shown() -> None:
    tips = [
        Tip("edit it", done=("fetch",), edited=False),
        Tip("go on", edited=True),
        Tip("step", missing=("fetch",), state="paused"),
    ]
    assert current_tip(tips, session_of()) == tips[2]
    stepped = step_taken(1, 0)
    assert current_tip(tips, session_of(*stepped)) == tips[0]
    edited = OutputEdited("fetch", JsonText("1"))
    assert current_tip(tips, session_of(*stepped, edited)) == tips[1]
    assert current_tip(tips[2:], session_of(*stepped)) is None


def test_a_stored_session_is_one_row() -> None:
    meta = {"address": "a/b/c", "version": 3, "state": "running", "cursor": 2, "length": 5}
    stored = SessionSummary(FilePath("x.flowdbg"), "20260921-x", 1000.0, 10, meta, 4, "", "")
    row = session_row(stored, 1300.0)
    assert (row.flow, row.look.word, row.place, row.when) == (
        "a/b/c@3", "OUTCOME UNKNOWN", "2/5", "5 min ago",
    )  # fmt: skip
    broken = SessionSummary(FilePath("y.flowdbg"), "y\x1b", 0.0, 10, {}, 0, "", "not a session\x1b")
    assert session_row(broken, 0.0).problem == "not a session\\x1b"
    here = session_row(broken, 0.0, here="y\x1b")
    assert (here.is_here, here.problem) == (True, "")


def test_edits_and_breakpoints_are_listed_with_what_they_change() -> None:
    session = session_of(
        *step_taken(1, 0),
        OutputEdited("fetch", JsonText('"one three"')),
        BlockEdited("classify", {"prompt": JsonText('"x"')}),
        BreakpointSet("final", False),
    )
    rows = edit_rows(session, {"each": "not applied yet"})
    assert [(row.kind, row.label, row.value) for row in rows] == [
        ("output", "Fetch output", '"one three"'),
        ("block", "Classify.prompt", '"x"'),
        ("breakpoint", "before Final", "off"),
        ("draft", "Each document", "not applied yet"),
    ]


@pytest.mark.parametrize("width", [42, 50, 62, 100])
def test_the_columns_of_a_session_fit_and_say_when(width: int) -> None:
    done, flow = RUN_LOOKS[RunState.DONE], "acme/support/a-long-name@3"
    row = SessionRow(FilePath("x"), "2026-8a1c16", flow, done, "12/12", "12 days ago", "812 KB")
    name, rest = row.columns(width)
    assert len(name + rest) <= width
    assert "12 days ago" in rest
    assert len(heading(width)) <= width + 18
