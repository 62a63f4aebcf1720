"""What the log of a session shows: each event and act in a line, runs of chunks as one."""

from __future__ import annotations

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from flowdbg.core.entries import (
    BlockEdited,
    Body,
    BreakpointSet,
    Entry,
    InputsGiven,
    OutputEdited,
    PlanWentStale,
    SessionOpened,
    VersionPinned,
)
from flowdbg.core.events import (
    StepOutput,
    UnknownEvent,
)
from flowdbg.core.json_text import JsonText
from flowdbg.core.session import State, Status
from flowdbg.present.event_items import SHOWN, describe, items_of, logged_items
from flowdbg.present.event_rows import EventItem, EventLine, EventRows
from flowdbg.present.plan_rows import STEP_STATES
from flowdbg.present.status_line import STATES
from tests.present.sessions import PLAN, START, received, session_of, step_taken


def test_every_event_and_every_act_has_its_line() -> None:
    bodies = [
        *step_taken(1, 0),
        OutputEdited("fetch", JsonText('"x\\u001b"')),
        BlockEdited("classify", {"prompt": JsonText('"x"')}),
        BlockEdited("classify", {}),
        BreakpointSet("final", None),
        InputsGiven("hi", JsonText("{}")),
        VersionPinned(2),
        PlanWentStale(PLAN, "moved"),
        received(2, UnknownEvent("no such event"), "odd\x1b"),
    ]
    items = items_of([Entry(START + at, 0, body) for at, body in enumerate(bodies)])
    lines = [describe(item.source) for item in items]
    assert len(lines) == len(bodies)
    assert all(line.text or line.step or line.name for line in lines)
    assert lines[-1].name == "odd\\x1b"
    assert [line.name for line in lines[:2]] == ["step", "request sent"]
    assert lines[6].text.startswith("1.2s  7 tok  $0.001")
    from_store = logged_items(session_of(*step_taken(1, 0)).events)
    assert [describe(item.source).name for item in from_store] == ["event"] * 6


def test_every_kind_of_entry_has_a_line_or_is_known_to_have_none() -> None:
    silent = {SessionOpened}
    assert {*SHOWN, *silent} == set(get_args(Body))


def test_every_state_and_status_has_its_look() -> None:
    assert {*STATES, State.PAUSED, State.RUNNING} == set(State)
    assert set(STEP_STATES) == set(Status)


def str_line(source: object) -> EventLine:
    return EventLine("event", text=str(source))


def test_a_run_of_chunks_is_one_row_that_unfolds() -> None:
    rows = EventRows(str_line)
    chunk = EventItem(1.0, "tok", "draft", 3)
    rows.extend([EventItem(0.0, "started"), chunk, chunk])
    assert rows.extend([chunk]) == 1
    rows.extend([EventItem(2.0, "completed")])
    assert [rows.line(index).text for index in range(len(rows))] == [
        "started",
        "×3  9 B",
        "completed",
    ]
    rows.toggle(1)
    assert len(rows) == 6
    assert rows.line(2).text == "tok"
    rows.toggle(1)
    assert len(rows) == 3


@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), max_size=30), st.data())
def test_any_split_of_the_log_gives_the_same_rows(
    given_items: list[tuple[str, bool]], data: st.DataObject
) -> None:
    items = [EventItem(0.0, "e", step, int(is_chunk)) for step, is_chunk in given_items]
    cut = data.draw(st.integers(0, len(items)))
    whole, pieces = EventRows(str_line), EventRows(str_line)
    whole.extend(items)
    pieces.extend(items[:cut])
    pieces.extend(items[cut:])
    shape = [[(row.first, row.last, row.size) for row in rows.rows] for rows in (whole, pieces)]
    assert shape[0] == shape[1]
    assert sum(row.count for row in whole.rows) == len(items)


def test_an_unfolded_run_grows_with_the_stream() -> None:
    rows = EventRows(str_line)
    chunk = EventItem(1.0, "tok", "draft", 3)
    rows.extend([chunk, chunk])
    rows.toggle(0)
    rows.extend([chunk])
    assert len(rows) == 4
    rows.toggle(0)
    assert len(rows) == 1


def test_streamed_text_is_not_lost_in_the_log() -> None:
    raw = '{"delta":"abc"}'
    items = items_of([Entry(0, 0, received(1, StepOutput("s", JsonText('"abc"')), raw=raw))])
    assert (describe(items[0].source).raw, items[0].chunk) == (raw, 3)
