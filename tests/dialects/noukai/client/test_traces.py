"""Traces: read as they come, and made into the log of a session whatever they lack."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdbg.core.entries import (
    Entry,
    Outcome,
    SessionOpened,
    Stopped,
    StopReason,
)
from flowdbg.core.events import Tokens
from flowdbg.core.fold import apply_all
from flowdbg.core.json_text import JsonText
from flowdbg.core.plan import Plan, Step
from flowdbg.core.recording import from_record, to_record
from flowdbg.core.session import Session, State, Status
from flowdbg.dialects.noukai.client.trace_entries import Opened, entries_from_trace, inputs_of
from flowdbg.dialects.noukai.client.traces import read_attempts, read_step_trace, read_trace
from flowdbg.dialects.noukai.decode import decode
from flowdbg.errors import ProtocolViolation

PLAN = Plan(
    (
        Step("one", "One"),
        Step("loop", "Loop", kind="loop", children=(Step("inner", "Inner"),)),
        Step("last", "Last"),
    ),
    version=3,
    told=True,
)
WHERE = Opened("s1", "http://server/api/v1", "a/b/c", 3)


def step(step_id: str, **more: Any) -> dict[str, Any]:
    output = {"from": step_id}
    return {
        **{"stepId": step_id, "attempt": 1, "status": "completed", "durationMs": 5},
        **{"inputContext": {"message": "hi", "n": 1}, "outputContext": output, **more},
    }


def trace(*steps: dict[str, Any], **run: Any) -> str:
    summary = {"id": "r1", "flowId": "f1", "status": "completed", "durationMs": 1500, **run}
    return json.dumps({"flowRun": summary, "steps": list(steps)})


def opened(text: str, plan: Plan | None = PLAN) -> Session:
    """The session that a trace makes, after it was on disk."""
    bodies = entries_from_trace(read_trace(text), plan, WHERE)
    records = [to_record(Entry(float(at), 0, body)) for at, body in enumerate(bodies)]
    return apply_all(Session(), [from_record(record, decode) for record in records])


def test_values_keep_their_text_and_prompts_are_no_part_of_an_output() -> None:
    text = (
        '{"stepId":"a","attempt":2,"loopIndex":4,"status":"failed","startedAt":"t","modelUsed":"m",'
        '"tokens":{"prompt":1,"completion":2,"total":3},"costUsd":0.10,"durationMs":7.0,'
        '"inputContext":{"n": 1.10}, "outputContext": {"x": 1E+2, "__rendered_prompt__": "say", '
        '"big": 123456789012345678901},"errorContext":{"code":"C"},"truncated":true}'
    )
    read = read_step_trace(text)
    assert (read.attempt, read.loop_index, read.status, read.model) == (2, 4, "failed", "m")
    assert (read.tokens, read.cost, read.duration_ms) == (Tokens(1, 2, 3), Decimal("0.1"), 7)
    assert read.input == JsonText('{"n": 1.10}')
    assert read.output == JsonText('{"x":1E+2,"big":123456789012345678901}')
    assert (read.prompt, read.error, read.truncated) == ("say", {"code": "C"}, True)


@pytest.mark.parametrize(
    ("context", "wrapped", "output"),
    [
        ('{"value": [1.10]}', "true", "[1.10]"),
        ('{"value": [1.10]}', "false", '{"value": [1.10]}'),
        ("[1]", "null", "[1]"),
        ('"bare"', "true", '"bare"'),
    ],
)
def test_an_output_that_was_wrapped_is_unwrapped(context: str, wrapped: str, output: str) -> None:
    read = read_step_trace(f'{{"stepId":"a","outputContext":{context},"wrapped":{wrapped}}}')
    assert read.output == JsonText(output)


def test_attempts_come_alone_or_as_a_list() -> None:
    one = json.dumps(step("a"))
    assert [read.step_id for read in read_attempts(one)] == ["a"]
    many = f'{{"stepId":"a","attempts":[ {one} ,{one}]}}'
    assert len(read_attempts(many)) == 2
    assert read_attempts('{"stepId":"a","attempts":[]}') == []


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"flowRun":{},"steps":[]}', '{"flowRun":{"id":"r"},"steps":{}}',
     '{"flowRun":{"id":"r"},"steps":[1]}', '{"flowRun":{"id":"r"},"steps":[{"attempt":1}]}'],
)  # fmt: skip
def test_what_is_no_trace_is_a_violation(text: str) -> None:
    with pytest.raises(ProtocolViolation):
        read_trace(text)


def test_a_run_without_any_of_our_extras_opens_by_the_plan() -> None:
    inner = [step("inner", loopIndex=at) for at in range(2)]
    session = opened(trace(step("one"), *inner, step("loop"), step("last"), triggerType="job"))
    assert (session.state, session.cursor, session.stop.reason) == (State.DONE, 3, StopReason.END)
    assert [output.value for output in session.branch.outputs.values()] == [
        {"from": "one"},
        {"from": "loop"},
        {"from": "last"},
    ]
    assert (session.message, session.parameters.value) == ("hi", {"n": 1})
    assert session.branch.execution_id == ""
    assert session.totals.elapsed == 1.5
    assert (session.pinned, session.plan) == (3, PLAN)
    assert not session.anomalies


def test_a_server_that_tells_no_plan_gives_one_by_its_trace() -> None:
    steps = [step("one"), step("inner", loopIndex=0), step("last")]
    session = opened(trace(*steps, stepCount=2), None)
    assert [entry.id for entry in session.plan.steps] == ["one", "last"]
    assert (session.plan.told, session.plan.count, session.state) == (False, 2, State.DONE)
    assert "another one now" not in session.stop.detail


@pytest.mark.parametrize(
    ("plan", "run"),
    [
        (Plan((Step("new", "New"),), told=True), {}),
        (PLAN, {"version": 2}),
        (Plan(PLAN.steps, 3, "hash-now", told=True), {"planHash": "hash-then"}),
    ],
)
def test_a_plan_that_is_another_one_now_is_not_used(plan: Plan, run: dict[str, Any]) -> None:
    session = opened(trace(step("one"), step("loop"), step("last"), **run), plan)
    assert [entry.id for entry in session.plan.steps] == ["one", "loop", "last"]
    assert "put together from the trace" in session.stop.detail
    assert session.plan.hash == run.get("planHash", "")


@pytest.mark.parametrize(
    "missing", [{"outputContext": None}, {"outputContext": {"cut": 1}, "truncated": True}]
)
def test_the_session_stands_before_the_first_output_that_is_not_whole(
    missing: dict[str, Any],
) -> None:
    session = opened(trace(step("one"), step("loop", **missing), step("last")))
    assert (session.state, session.cursor, session.stop.step_id) == (State.PAUSED, 1, "loop")
    assert list(session.branch.outputs) == ["one"]
    assert "'loop' is not whole" in session.stop.detail
    assert list(session.branches[0].executions) == ["one", "loop", "last"]


def test_what_a_server_redacted_is_said() -> None:
    steps = [step("one"), step("loop"), step("last")]
    session = opened(trace(*steps, traceCaptureMode="redacted"))
    assert session.state is State.DONE
    assert "redacted they would be sent on" in session.stop.detail


@pytest.mark.parametrize("error", [{"message": "why", "code": "C"}, None])
def test_a_failed_run_can_be_gone_on_with_at_its_step(error: dict[str, str] | None) -> None:
    failed = step("loop", status="failed", outputContext=None, errorContext=error)
    session = opened(trace(step("one"), failed, status="failed"))
    assert (session.state, session.cursor, session.stop.step_id) == (State.FAILED, 1, "loop")
    loop = session.execution("loop")
    assert loop is not None
    assert loop.status is Status.FAILED
    assert ("why" if error else "not captured") in session.stop.detail


@pytest.mark.parametrize("status", ["running", "cancelled"])
def test_a_run_that_is_not_over_stands_where_it_is(status: str) -> None:
    going = step("loop", status="running", outputContext=None)
    session = opened(trace(step("one"), going, status=status))
    assert (session.state, session.cursor, session.stop.step_id) == (State.PAUSED, 1, "loop")
    assert f"'{status}' and came this far" in session.stop.detail
    expected = Outcome.CANCELLED if status == "cancelled" else Outcome.PAUSED
    assert session.turns[-1].outcome is expected


def test_a_step_that_was_left_out_has_its_output_all_the_same() -> None:
    session = opened(trace(step("one"), step("loop", status="skipped"), step("last")))
    loop = session.execution("loop")
    assert loop is not None
    assert loop.status is Status.SKIPPED
    assert session.branch.outputs["loop"].value == {"from": "loop"}


@pytest.mark.parametrize(
    ("run", "steps", "expected"),
    [
        ({"initial": {"message": "m", "parameters": {"a": 1}}}, [], ("m", {"a": 1}, True)),
        ({"initial": {}}, [step("one")], (None, {}, True)),
        ({}, [step("one", inputContext={"a": 1, "attachments": []})], (None, {"a": 1}, True)),
        ({}, [step("one", inputContext={"message": 5})], (None, {"message": 5}, True)),
        ({}, [step("one", inputContext=None)], (None, {}, False)),
        ({}, [], (None, {}, False)),
    ],
)
def test_inputs_are_those_told_or_those_that_the_first_step_read(
    run: dict[str, Any], steps: list[dict[str, Any]], expected: tuple[Any, ...]
) -> None:
    assert tuple(inputs_of(read_trace(trace(*steps, **run)), PLAN))[:3] == expected


def test_inputs_are_those_of_the_plans_first_step_in_whatever_order_a_trace_tells() -> None:
    again = step("one", inputContext={"message": "first"}, attempt=2)
    session = opened(trace(step("loop", inputContext={"message": "second"}), again, step("last")))
    assert session.message == "first"


def test_steps_are_in_the_order_they_began_where_no_plan_says_it() -> None:
    times = ("2026-01-01T10:00:03Z", "2026-01-01T10:00:01Z", "2026-01-01T10:00:02Z")
    steps = [step(name, startedAt=at) for name, at in zip("cab", times, strict=True)]
    session = opened(trace(*steps), None)
    assert list(session.branch.outputs) == ["a", "b", "c"]


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_a_run_of_which_nothing_was_kept_says_so(status: str) -> None:
    session = opened(trace(status=status, traceCaptureMode="off"))
    assert (session.state, session.cursor) == (State.PAUSED, 0)
    assert f"The run is '{status}'. Its steps were not captured (capture mode off)." in (
        session.stop.detail
    )


def test_what_failed_inside_a_container_is_told_with_its_place() -> None:
    inner = [
        step("inner", path=[0, "inner"], entryId="loop"),
        step("inner", path=[1, "inner"], entryId="loop", status="failed", outputContext=None),
    ]
    failed = step("loop", status="failed", outputContext=None, errorContext={"message": "why"})
    session = opened(trace(step("one"), *inner, failed, status="failed"))
    loop = session.execution("loop")
    assert loop is not None
    assert {path: child.status for path, child in loop.children.items()} == {
        (0, "inner"): Status.DONE,
        (1, "inner"): Status.FAILED,
    }
    assert loop.children[1, "inner"].error == {"message": "why"}
    assert not session.anomalies


def test_attachments_go_along_and_a_conversation_is_said_to_be_lost() -> None:
    images = [{"kind": "url", "url": "https://a.example/b.png", "mime_type": "image/png"}]
    initial = {"message": "last", "attachments": images, "messages": [{"role": "user"}]}
    text = trace(step("one"), initial=initial)
    bodies = entries_from_trace(read_trace(text), None, WHERE)
    assert isinstance(bodies[0], SessionOpened)
    assert json.loads(bodies[0].attachments) == images
    assert isinstance(bodies[-1], Stopped)
    assert "began with a conversation" in bodies[-1].detail


step_ids = st.sampled_from(["one", "loop", "inner", "last", "else", ""])
anything = (
    st.none() | st.integers(-2, 3) | st.text(max_size=3) | st.just({"value": 1, "message": 2})
)
steps_at_random = st.fixed_dictionaries(
    {"stepId": step_ids},
    optional={
        "status": st.sampled_from(["completed", "failed", "running", "skipped", "odd"]),
        "attempt": anything,
        "loopIndex": anything,
        "path": st.lists(st.sampled_from(["inner", 0, 1, None]), max_size=2),
        "entryId": step_ids,
        "inputContext": anything,
        "outputContext": anything,
        "errorContext": anything,
        "truncated": anything,
        "wrapped": st.booleans(),
        "tokens": anything,
        "costUsd": anything,
    },
)


@given(
    steps=st.lists(steps_at_random, max_size=6),
    status=st.sampled_from(["completed", "failed", "running", "", "odd"]),
    plan=st.sampled_from([PLAN, None, Plan()]),
)
def test_whatever_a_trace_holds_a_session_comes_of_it_that_can_go_on(
    steps: list[dict[str, Any]], status: str, plan: Plan | None
) -> None:
    with suppress(ProtocolViolation):
        session = opened(trace(*steps, status=status), plan)
        assert not session.verb
        assert session.running is None
        assert session.turns[0].surprise == ""
        assert session.stop.detail.startswith("Opened from the trace of run r1.")
        assert list(session.branch.outputs) == [
            entry.id for entry in session.plan.steps[: len(session.branch.outputs)]
        ]
        assert session.cursor == len(session.branch.outputs)
        assert isinstance(session.stop, Stopped)
