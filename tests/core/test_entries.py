"""Every entry of a log comes back from its record as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdbg.core.entries import (
    BlockEdited,
    Body,
    BreakpointSet,
    CommandGiven,
    Entry,
    EventReceived,
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
from flowdbg.core.json_text import JsonText, join
from flowdbg.core.recording import from_record, to_record
from flowdbg.core.records import Record
from flowdbg.dialects.noukai.decode import decode
from tests.core.streams import PLAN

_event = decode(
    "step_completed",
    '{"stepId":"a","output":{"n":12345678901234567890,"n":NaN},"costUsd":"0.1"}',
)
BODIES: list[Body] = [
    SessionOpened("s", "noukai", "http://x", "o/p/f", 3, "hi", JsonText('{"a": 1}')),
    InputsGiven(None, JsonText('{"b":[]}')),
    PlanLoaded(PLAN),
    PlanWentStale(PLAN, "why"),
    VersionPinned(None),
    CommandGiven("run to", "c"),
    TurnStarted(1, 0, True, "/step", ('{"x":', JsonText('{"y":1}'), "}")),
    EventReceived(1, _event),
    TurnEnded(1, Outcome.UNKNOWN, 1.5, "what", "next", "CODE", "data: {"),
    Stopped(StopReason.STALE_PLAN, "d", "a"),
    OutputEdited("a", JsonText('"\\ud800"')),
    OutputEditCleared("a"),
    BlockEdited("b", {"prompt": JsonText('"\\u0000"'), "temperature": JsonText("1e400")}),
    BreakpointSet("b", None),
    Forked(1, 0, 2, ForkReason.RETRY, True),
    ExecutionLost("run"),
    ToolAnswered("c1", "{}", "handler"),
    StepSkipped("b"),
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_an_entry_comes_back_as_it_was(body: Body) -> None:
    entry = Entry(12.5, 2, body)
    again = from_record(to_record(entry), decode)
    if isinstance(body, TurnStarted):
        assert isinstance(again.body, TurnStarted)
        assert join(again.body.body) == join(body.body)
    else:
        assert again == entry


@given(st.text(), st.text())
def test_an_events_text_comes_back_byte_for_byte(name: str, data: str) -> None:
    entry = Entry(0.0, 0, EventReceived(1, decode(name, data)))
    record = to_record(entry)
    assert join(record.body) == data
    assert from_record(record, decode) == entry


@pytest.mark.parametrize(
    "record",
    [
        Record("from_the_future", 0, 0.0),
        Record("stopped", 0, 0.0),
        Record("stopped", 0, 0.0, {"x": 1}),
    ],
)
def test_a_record_that_this_version_does_not_know_is_a_value_error(record: Record) -> None:
    with pytest.raises(ValueError, match=r"known|shape"):
        from_record(record, decode)
