"""What a session asks of a server next."""

from __future__ import annotations

import dataclasses

from flowdbg.core.entries import (
    BlockEdited,
    Body,
    Entry,
    InputsGiven,
    Outcome,
    OutputEdited,
    PlanLoaded,
    SessionOpened,
    ToolAnswered,
    VersionPinned,
)
from flowdbg.core.events import RunStarted, ToolCallsRequested
from flowdbg.core.fold import apply_all
from flowdbg.core.json_text import JsonText
from flowdbg.core.plan import Plan
from flowdbg.core.requests import ToolResume, next_request
from flowdbg.core.session import Session
from tests.core.streams import PLAN, entries, honest_step, opening, turn

MINE = JsonText('"mine"')
INPUTS = JsonText('{"n": 1.0}')
OPENED = SessionOpened(
    "s", "noukai", "http://x", "o/p/f", None, "hi", INPUTS, "[1]", '"auto"', "[2]", trace=True
)


def after(*bodies: Body) -> Session:
    """A session that was opened and in which some things happened."""
    return apply_all(Session(), entries(OPENED, PlanLoaded(PLAN), *bodies))


def one_step() -> list[Entry]:
    """The log of a turn that ran the first step."""
    return turn(1, 0, honest_step("a", '"x"'), Outcome.PAUSED)


def test_a_fresh_run_carries_its_inputs() -> None:
    request = next_request(after())
    assert (request.index, request.execution_id, request.run_remaining) == (0, "", False)
    assert (request.message, request.parameters, request.attachments) == ("hi", INPUTS, "[2]")
    assert (request.tools, request.tool_choice, request.trace) == ("[1]", '"auto"', True)
    assert (request.outputs, request.resume) == ({}, None)
    newer = next_request(after(InputsGiven(None, JsonText("{}"))))
    assert (newer.message, newer.parameters) == (None, JsonText("{}"))


def test_a_run_that_has_an_id_carries_all_outputs_and_no_inputs_again() -> None:
    request = next_request(apply_all(after(), one_step()), run_remaining=True)
    assert (request.index, request.execution_id, request.run_remaining) == (1, "run-1", True)
    assert (request.message, request.parameters, request.attachments) == (
        None, JsonText("{}"), "",
    )  # fmt: skip
    assert request.outputs == {"a": JsonText('"x"')}
    assert (request.tools, request.tool_choice, request.trace) == ("[1]", '"auto"', True)


def test_edits_go_out_beside_the_originals_as_long_as_the_plan_has_their_step() -> None:
    fields = {"prompt": MINE}
    edits: list[Body] = [
        *(OutputEdited(name, MINE) for name in ("a", "gone")),
        *(BlockEdited(name, fields) for name in ("b", "gone")),
    ]
    session = apply_all(after(*edits), one_step())
    request = next_request(session)
    assert request.outputs == {"a": JsonText('"x"')}
    assert request.output_edits == {"a": MINE}
    assert request.block_edits == {"b": fields}
    untold = next_request(apply_all(session, entries(PlanLoaded(Plan()))))
    assert list(untold.output_edits) == ["a", "gone"]
    assert list(untold.block_edits) == ["b", "gone"]


def test_a_pinned_session_names_its_version_and_any_other_the_plan_it_expects() -> None:
    free = next_request(after())
    assert (free.pinned, free.plan_hash) == (None, "h1")
    pinned = next_request(after(VersionPinned(1)))
    assert (pinned.pinned, pinned.plan_hash) == (1, "")


def test_answers_go_back_together_in_the_order_of_the_calls() -> None:
    state = JsonText("[{}]")
    asks = ToolCallsRequested("a", ({"id": "c1"}, {"id": "c2"}), state, 3)
    log = turn(1, 0, [RunStarted("run-1", 3, 1, "h1"), asks], Outcome.TOOL_CALLS)
    session = apply_all(after(), log)
    half = apply_all(session, entries(ToolAnswered("c2", "two")))
    assert next_request(session).resume is next_request(half).resume is None
    whole = apply_all(half, entries(ToolAnswered("c1", "one")))
    assert next_request(whole).resume == ToolResume(state, (("c1", "one"), ("c2", "two")), 3)
    assert next_request(whole, afresh=True).resume is None


def test_what_a_request_holds_is_what_the_session_holds() -> None:
    session = apply_all(Session(), opening(dataclasses.replace(PLAN, hash="")))
    request = next_request(session)
    assert (request.plan_hash, request.tools, request.attachments) == ("", "", "")
    assert (request.trace, request.message) == (False, "hi")
