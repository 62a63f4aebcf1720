"""What the plan promised is held against what a server lets slip while a step runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flowdbg.core.events import RunStarted
from flowdbg.core.plan import Plan, Step
from flowdbg.core.promises import grown, moved, told_more
from tests.core.streams import PLAN

UNTOLD = Plan((Step("a", "A"),), count=3)


@pytest.mark.parametrize(
    ("plan", "started", "says"),
    [
        (PLAN, RunStarted("r", 3, 1, "h1"), ""),
        (PLAN, RunStarted("r"), ""),
        (PLAN, RunStarted("r", 3, 2), "the server runs version 2, not version 1"),
        (PLAN, RunStarted("r", 3, None, "h2"), "the server runs another version, not version 1"),
        (PLAN, RunStarted("r", 4, 1, "h1"), "the flow has 4 steps, not 3"),
        (replace(PLAN, version=None), RunStarted("r", 3, 2, "h1"), ""),
        (replace(PLAN, version=None), RunStarted("r", 3, 2, "h2"),
         "the server runs version 2, not another version"),
        (replace(PLAN, hash=""), RunStarted("r", 3, 1, "h2"), ""),
        (UNTOLD, RunStarted("r", 2), "the flow has 2 steps, not 3"),
        (Plan(), RunStarted("r", 2, 7, "h7"), ""),
    ],
)  # fmt: skip
def test_what_differs_from_the_plan_is_said(plan: Plan, started: RunStarted, says: str) -> None:
    assert moved(plan, started) == says


def test_a_plan_that_nobody_gave_takes_from_the_first_start_what_it_tells() -> None:
    assert told_more(Plan(), RunStarted("r", 2, 7, "h7")) == Plan(version=7, hash="h7", count=2)
    known = Plan(version=1, hash="h1", count=3)
    assert told_more(known, RunStarted("r", 2, 7, "h7")) == known


def test_only_a_plan_that_nobody_gave_grows_and_only_at_its_end() -> None:
    assert grown(UNTOLD, 1, "b", "B").steps[1] == Step("b", "B")
    assert grown(UNTOLD, 1, "b", "").steps[1] == Step("b", "b")
    assert grown(UNTOLD, 0, "b", "B") == grown(UNTOLD, 2, "b", "B") == UNTOLD
    assert grown(PLAN, 3, "d", "D") == PLAN
