"""Nothing a server sends can corrupt a session, and edits never change originals."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flowdbg.core.entries import (
    BlockEdited,
    Body,
    EventReceived,
    ExecutionLost,
    Forked,
    ForkReason,
    Outcome,
    OutputEditCleared,
    OutputEdited,
    PlanLoaded,
    PlanWentStale,
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
    StepOutput,
    StepPaused,
    StepStarted,
    ToolCallsRequested,
)
from flowdbg.core.fold import apply, apply_all
from flowdbg.core.json_text import JsonText
from flowdbg.core.plan import Plan, Step
from flowdbg.core.session import Session, State, Status
from tests.core.streams import (
    PLAN,
    entries,
    honest_step,
    hostile_events,
    opening,
    received,
    turn,
)

OUT = '{"text":"one"}'


def two_steps() -> Session:
    session = apply_all(Session(), opening())
    session = apply_all(session, turn(1, 0, honest_step("a", OUT), Outcome.PAUSED))
    return apply_all(session, turn(2, 1, honest_step("b", '"two"'), Outcome.PAUSED))


def test_a_new_session_is_paused_before_the_first_step() -> None:
    session = apply_all(Session(), opening())
    assert (session.state, session.cursor, session.stop.reason) == (
        State.PAUSED,
        0,
        StopReason.START,
    )


def test_a_step_moves_the_cursor_and_keeps_the_output_as_it_came() -> None:
    session = apply_all(Session(), opening())
    session = apply_all(session, turn(1, 0, honest_step("a", OUT), Outcome.PAUSED))
    execution = session.execution("a")
    assert execution is not None
    assert session.cursor == 1
    assert session.branch.execution_id == "run-1"
    assert session.branch.outputs == {"a": JsonText(OUT)}
    assert (execution.status, execution.text, execution.duration_ms) == (Status.DONE, "token", 12)
    assert session.totals.tokens.total == 3
    assert str(session.totals.cost) == "0.1"
    assert len(session.anomalies) == 0


def test_the_last_step_ends_the_flow() -> None:
    session = apply_all(
        two_steps(), turn(3, 2, honest_step("c", '"end"', last=True), Outcome.COMPLETED)
    )
    assert session.state is State.DONE
    assert session.cursor == 3
    assert session.branch.result == JsonText('"end"')


def test_both_names_of_the_end_are_one_end() -> None:
    events = [
        *honest_step("c", '"end"', last=True)[:-1],
        RunCompleted(),
        RunCompleted(JsonText("1")),
    ]
    session = apply_all(two_steps(), turn(3, 2, events, Outcome.COMPLETED))
    assert session.branch.result == JsonText("1")
    assert len(session.anomalies) == 0


def test_a_failed_step_keeps_the_cursor_and_its_error() -> None:
    failing: list[Event] = [
        RunStarted("run-1"),
        StepStarted("c"),
        StepFailed("c", {"code": "X", "message": "no"}),
    ]
    entries_ = turn(3, 2, failing, Outcome.FAILED)
    entries_[-1:] = entries(Stopped(StopReason.ERROR, "no", "c"))
    session = apply_all(two_steps(), entries_)
    execution = session.execution("c")
    assert execution is not None
    assert (session.cursor, session.state) == (2, State.FAILED)
    assert execution.error == {"code": "X", "message": "no"}


def test_a_stream_that_breaks_leaves_the_step_unknown_and_what_came() -> None:
    broken: list[Event] = [
        RunStarted("run-1"),
        StepStarted("c"),
        StepOutput("c", JsonText('"par"')),
    ]
    session = apply_all(two_steps(), turn(3, 2, broken, Outcome.UNKNOWN))
    execution = session.execution("c")
    assert execution is not None
    assert (execution.status, execution.text, session.cursor) == (Status.UNKNOWN, "par", 2)


def test_a_repeated_completion_is_an_anomaly_and_moves_nothing() -> None:
    events = honest_step("a", OUT)
    events.insert(-1, StepCompleted("a", JsonText('"other"')))
    session = apply_all(Session(), [*opening(), *turn(1, 0, events, Outcome.PAUSED)])
    assert session.cursor == 1
    assert session.branch.outputs == {"a": JsonText(OUT)}
    assert [anomaly.what for anomaly in session.anomalies] == ["'a' ended twice"]


def test_events_outside_their_turn_and_after_its_end_are_kept_and_change_nothing() -> None:
    before = two_steps()
    late = entries(*received(2, honest_step("a", '"late"')))
    after = apply_all(before, late)
    assert after.branch == before.branch
    assert len(after.events) == len(before.events) + len(late)
    assert len(after.anomalies) == len(late)


def test_another_step_than_the_plan_promised_is_a_surprise_that_moves_nothing() -> None:
    session = apply_all(Session(), opening())
    session = apply_all(session, entries(TurnStarted(1, 0, False, "/step", ())))
    session = apply_all(session, entries(*received(1, honest_step("b", '"x"'))))
    assert session.running is not None
    assert session.running.surprise == "'b' began where the plan has 'a'"
    assert (session.cursor, session.branch.outputs) == (0, {})


def test_another_version_than_the_plan_is_a_surprise() -> None:
    session = apply_all(Session(), opening())
    session = apply_all(session, entries(TurnStarted(1, 0, False, "/step", ())))
    session = apply_all(session, entries(*received(1, [RunStarted("r", 3, 2, "h2")])))
    assert session.running is not None
    assert session.running.surprise == "the server runs version 2, not version 1"


def test_a_plan_that_nobody_told_grows_from_what_runs_and_then_promises() -> None:
    session = apply_all(Session(), opening(Plan()))
    session = apply_all(session, turn(1, 0, honest_step("a", OUT), Outcome.PAUSED))
    assert [step.id for step in session.plan.steps] == ["a"]
    assert session.plan.length == 3
    fork = Forked(1, 0, 0, ForkReason.RESTART, fresh=True)
    session = apply_all(session, entries(fork, TurnStarted(2, 0, False, "/step", ())))
    session = apply_all(session, entries(*received(2, [StepStarted("zz")])))
    assert session.running is not None
    assert session.running.surprise == "'zz' began where the plan has 'a'"


def test_edits_stand_beside_the_originals_and_are_taken_back() -> None:
    session = two_steps()
    edited = apply_all(
        session,
        entries(
            OutputEdited("a", JsonText('"lie"')),
            BlockEdited("c", {"prompt": JsonText('"other"')}),
        ),
    )
    assert edited.branch == session.branch
    assert edited.output_edits["a"] == JsonText('"lie"')
    assert edited.block_edits == {"c": {"prompt": JsonText('"other"')}}
    back = apply_all(edited, entries(OutputEditCleared("a"), BlockEdited("c", {})))
    assert back == session


def test_a_fork_keeps_the_outputs_before_it_and_the_old_branch_whole() -> None:
    session = two_steps()
    forked = apply(session, entries(Forked(1, 0, 1, ForkReason.FORK, fresh=False))[0])
    assert forked.branches[0] == session.branch
    assert (forked.cursor, dict(forked.branch.outputs)) == (1, {"a": JsonText(OUT)})
    assert forked.branch.execution_id == "run-1"


def test_a_restart_drops_id_cursor_and_outputs_and_keeps_the_edits() -> None:
    session = apply_all(two_steps(), entries(OutputEdited("a", JsonText("1"))))
    fork = Forked(1, 0, 0, ForkReason.RESTART, fresh=True)
    again = apply_all(session, entries(fork))
    assert (again.cursor, again.branch.execution_id, again.branch.outputs) == (0, "", {})
    assert again.output_edits == {"a": JsonText("1")}


def test_a_retried_step_is_a_further_attempt_beside_the_first() -> None:
    session = apply_all(two_steps(), entries(Forked(1, 0, 1, ForkReason.RETRY, fresh=False)))
    session = apply_all(session, turn(3, 1, honest_step("b", '"again"'), Outcome.PAUSED))
    assert [execution.output for execution in session.attempts("b")] == [
        JsonText('"two"'),
        JsonText('"again"'),
    ]


def test_a_lost_run_loses_nothing_but_its_id() -> None:
    session = apply_all(two_steps(), entries(ExecutionLost("run-1")))
    assert session.branch.execution_id == ""
    assert len(session.branch.outputs) == 2


def test_a_stale_plan_keeps_the_trail_and_shows_both_plans() -> None:
    new = Plan((Step("a", "A"), Step("new", "N")), 2, "h2", told=True)
    session = apply_all(two_steps(), entries(PlanWentStale(new, "re-published")))
    assert session.state is State.STALE
    assert session.plan == PLAN
    assert session.stale is not None
    assert session.stale.new == new
    assert len(session.branch.outputs) == 2
    assert apply_all(session, entries(PlanLoaded(new))).state is not State.STALE


def test_tool_calls_leave_the_step_waiting() -> None:
    events: list[Event] = [
        RunStarted("run-1"),
        StepStarted("c"),
        ToolCallsRequested("c", ({"id": "1"},), JsonText("[]"), 1, 2),
    ]
    log = turn(3, 2, events, Outcome.TOOL_CALLS)
    log[-1:] = entries(Stopped(StopReason.TOOL_CALL, "", "c"))
    session = apply_all(two_steps(), log)
    execution = session.execution("c")
    assert execution is not None
    assert (session.state, execution.status, session.cursor) == (State.TOOLS, Status.WAITING, 2)


def test_the_servers_cursor_counts_only_when_it_explains_what_we_did_not_see() -> None:
    skipped: list[Event] = [RunStarted("run-1"), StepPaused("c", 3)]
    session = apply_all(two_steps(), turn(3, 2, skipped, Outcome.PAUSED))
    assert session.cursor == 3
    backwards = [*honest_step("c", "1")[:-1], StepPaused("c", 0)]
    session = apply_all(two_steps(), turn(3, 2, backwards, Outcome.PAUSED))
    assert session.cursor == 3
    assert len(session.anomalies) == 1


@given(st.lists(st.tuples(st.integers(1, 2), hostile_events), max_size=40))
def test_no_stream_makes_the_fold_raise_or_lose_an_event(
    stream: list[tuple[int, Event]],
) -> None:
    session = apply_all(Session(), opening())
    session = apply_all(session, entries(TurnStarted(1, 0, False, "/step", ())))
    for number, event in stream:
        session = apply_all(session, entries(*received(number, [event])))
    assert len(session.events) == len(stream)
    assert 0 <= session.cursor <= len(stream) + 9
    ended = apply_all(session, entries(TurnEnded(1, Outcome.UNKNOWN), Stopped(StopReason.UNKNOWN)))
    assert ended.running is None
    open_ones = [
        execution
        for attempts in ended.branch.executions.values()
        for execution in attempts
        if execution.status is Status.RUNNING
    ]
    assert open_ones == []


@given(st.data(), st.lists(hostile_events, max_size=30))
def test_any_split_of_a_stream_gives_the_same_session(
    data: st.DataObject, stream: list[Event]
) -> None:
    begun = apply_all(Session(), [*opening(), *entries(TurnStarted(1, 0, False, "/s", ()))])
    log = entries(*received(1, [*honest_step("a", OUT)[:-1], *stream]))
    whole = apply_all(begun, log)
    split = begun
    at = 0
    while at < len(log):
        size = data.draw(st.integers(1, 7))
        split = apply_all(split, log[at : at + size])
        at += size
    one_by_one = begun
    for entry in log:
        one_by_one = apply(one_by_one, entry)
    assert split == whole
    assert one_by_one == whole


@given(
    st.lists(
        st.one_of(
            st.builds(OutputEdited, st.sampled_from("abc"), st.just(JsonText('"lie"'))),
            st.builds(OutputEditCleared, st.sampled_from("abc")),
            st.builds(BlockEdited, st.sampled_from("abc"), st.just({"prompt": JsonText('"p"')})),
        ),
        max_size=12,
    )
)
def test_edits_never_change_what_steps_produced(edits: list[Body]) -> None:
    session = two_steps()
    edited = apply_all(session, entries(*edits))
    assert edited.branches == session.branches
    assert edited.plan == session.plan
    assert edited.events == session.events


def test_old_sessions_stay_as_they_were_when_new_ones_grow() -> None:
    session = apply_all(Session(), opening())
    session = apply_all(session, entries(TurnStarted(1, 0, False, "/s", ())))
    chunk = EventReceived(1, Received("x", (), StepOutput("a", JsonText('"t"'))))
    snapshots = [session]
    for _ in range(5):
        snapshots.append(apply_all(snapshots[-1], entries(chunk)))
    assert [len(snapshot.events) for snapshot in snapshots] == [0, 1, 2, 3, 4, 5]
    twin = apply_all(snapshots[2], entries(chunk))
    assert len(twin.events) == 3
    assert len(snapshots[5].events) == 5


def test_a_completion_that_comes_late_overwrites_nothing_and_moves_nothing() -> None:
    session = apply_all(Session(), opening())
    session = apply_all(session, turn(1, 0, honest_step("a", OUT), Outcome.PAUSED))
    late: list[Event] = [
        RunStarted("run-1", 3, 1, "h1"),
        StepStarted("b"),
        StepCompleted("a", JsonText('"late"')),
        StepCompleted("b", JsonText('"two"')),
        StepPaused("b", 2),
    ]
    session = apply_all(session, turn(2, 1, late, Outcome.PAUSED))
    assert session.branch.outputs == {"a": JsonText(OUT), "b": JsonText('"two"')}
    assert session.cursor == 2
    assert len(session.anomalies) >= 1


def test_another_step_that_completes_inside_a_turn_is_an_anomaly() -> None:
    session = apply_all(Session(), opening())
    foreign: list[Event] = [
        RunStarted("run-1", 3, 1, "h1"),
        StepStarted("a"),
        StepCompleted("c", JsonText('"foreign"')),
        StepCompleted("a", JsonText(OUT)),
        StepPaused("a", 1),
    ]
    session = apply_all(session, turn(1, 0, foreign, Outcome.PAUSED))
    assert session.branch.outputs == {"a": JsonText(OUT)}
    assert session.cursor == 1


def test_a_failure_without_a_step_belongs_to_the_one_at_work() -> None:
    session = apply_all(Session(), opening())
    failing: list[Event] = [RunStarted("r"), StepStarted("a"), StepFailed("", {"message": "no"})]
    session = apply_all(session, turn(1, 0, failing, Outcome.FAILED))
    execution = session.execution("a")
    assert execution is not None
    assert (execution.status, execution.error) == (Status.FAILED, {"message": "no"})
    assert "" not in session.branch.executions
