"""A trace as text: whatever a server kept, its lines are safe for a terminal."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from flowdbg.dialects.noukai.client.traces import read_attempts, read_trace
from flowdbg.headless.trace_text import attempt_lines, place_of, table, trace_lines, when
from flowdbg.present.safe_text import UNSAFE

texts = st.text(max_size=12) | st.sampled_from(["\x1b[2J", "a\nb", "\u202e", "completed"])
values = st.none() | st.integers(-5, 10**12) | texts | st.dictionaries(texts, texts, max_size=2)
steps = st.fixed_dictionaries(
    {"stepId": texts.filter(bool)},
    optional=dict.fromkeys(
        (
            *("status", "attempt", "loopIndex", "durationMs", "modelUsed", "costUsd", "entryId"),
            *("inputContext", "outputContext", "errorContext", "inputSizeBytes", "truncated"),
        ),
        values,
    )
    | {"path": st.lists(texts | st.integers(-1, 3), max_size=3)},
)
runs = st.fixed_dictionaries(
    {"id": texts.filter(bool)},
    optional=dict.fromkeys(
        ("flowId", "status", "startedAt", "durationMs", "traceCaptureMode", "flow", "error"), values
    ),
)


@given(run=runs, recorded=st.lists(steps, max_size=4))
def test_every_line_is_one_line_and_safe(
    run: dict[str, Any], recorded: list[dict[str, Any]]
) -> None:
    trace = read_trace(json.dumps({"flowRun": run, "steps": recorded}))
    lines = list(trace_lines(trace))
    for step in recorded:
        lines += attempt_lines(read_attempts(json.dumps(step)))
    assert not any("\n" in line or UNSAFE.search(line) for line in lines)


def test_places_count_iterations_from_one() -> None:
    (step,) = read_attempts('{"stepId":"in","entryId":"each","path":[1,"in"],"attempt":3}')
    assert place_of(step) == "each / 2 / in, attempt 3"
    (step,) = read_attempts('{"stepId":"in","loopIndex":0}')
    assert place_of(step) == "in / 1"


def test_columns_in_which_nothing_stands_are_left_out() -> None:
    assert list(table([("a", "b", "c"), ("1", "", "333"), ("22", "", "4")])) == [
        "a   c",
        "1   333",
        "22  4",
    ]


def test_a_time_that_is_none_is_shown_as_it_is() -> None:
    assert when("soon") == "soon"
    assert when("2026-11-20T06:02:55.861Z").startswith("2026-11-")
