"""Any value and any text, in every list: rows fit, nothing is interpreted, the cursor has a row."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len, get_character_cell_size

from flowdbg.core.entries import (
    BlockEdited,
    Body,
    BreakpointSet,
    Entry,
    EventReceived,
    Forked,
    ForkReason,
    Outcome,
    OutputEdited,
    PlanLoaded,
    SessionOpened,
    Stopped,
    StopReason,
    TurnEnded,
    TurnStarted,
)
from flowdbg.core.events import Received, StepFailed, StepOutput, StepStarted, UnknownEvent
from flowdbg.core.fold import apply_all
from flowdbg.core.json_text import JsonText
from flowdbg.core.plan import Plan, Step
from flowdbg.core.session import Session
from flowdbg.present.branches import branch_rows
from flowdbg.present.compare import compare_runs
from flowdbg.present.edit_document import Language
from flowdbg.present.edit_rows import edit_rows
from flowdbg.present.event_items import describe, items_of
from flowdbg.present.plan_rows import plan_rows
from flowdbg.present.safe_text import UNSAFE
from flowdbg.present.search import Query
from flowdbg.present.takes import Side
from flowdbg.present.text_lines import character_cells, wrapped
from flowdbg.tui.widgets.branches_view import BranchesView, BranchSteps
from flowdbg.tui.widgets.compared_view import ComparedView
from flowdbg.tui.widgets.diff_view import DiffView
from flowdbg.tui.widgets.edit_area import EditArea
from flowdbg.tui.widgets.edits_view import EditsView
from flowdbg.tui.widgets.events_view import EventsView
from flowdbg.tui.widgets.json_view import JsonView
from flowdbg.tui.widgets.line_view import LineView
from flowdbg.tui.widgets.plan_view import PlanView
from flowdbg.tui.widgets.stream_view import StreamView
from tests.tui.showing import showing

CONTROLS = "\x1b\x9b\x07\x00\r\n\t\u202e\u2066\u200b\u200c\u200d\ufe0f\u0301\u20e3\ud800"
SIGNS = "日한👩🏽🇩☺️1é ab[]\\\"'{}"
hostile = st.text(st.sampled_from(CONTROLS + SIGNS) | st.characters(), max_size=150)
words = hostile.filter(bool)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | hostile,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(hostile, inner, max_size=4),
    max_leaves=12,
)


def rows_of(view: LineView) -> list[str]:
    """Draw every row, and check each: as wide as the view, on one line, nothing to be obeyed."""
    top, found = view.scroll_offset.y, []
    for index in range(view.row_count()):
        strip = view.render_line(index - top)
        assert strip.cell_length == view.size.width
        assert not UNSAFE.search(strip.text)
        assert not set("\n\t") & set(strip.text + view.row_text(index))
        found.append(strip.text)
    assert 0 <= view.cursor < max(view.row_count(), 1)
    return found


KEYS = ("left", "right", "choose", "first", "last", "unfold_all", "fold_all", "fold_toggle")


def press(view: LineView, keys: list[str]) -> None:
    for key in keys:
        action = getattr(view, f"action_{key}", None)
        if action is not None:
            action()
            rows_of(view)


keys = st.lists(st.sampled_from(KEYS), max_size=6)
examples = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("width", [80, 24])
async def test_any_value_as_a_tree(width: int) -> None:
    view = JsonView(open_texts=True)
    async with showing(view, (width, 20)):

        @examples
        @given(values, keys, hostile)
        def check(value: Any, typed: list[str], searched: str) -> None:
            view.show_value(value, {("a",): "was"})
            rows_of(view)
            view.search(Query(searched))
            press(view, typed)
            view.go_to(view.place)

        check()


@pytest.mark.parametrize("width", [80, 24])
async def test_any_two_values_as_a_difference(width: int) -> None:
    view = DiffView()
    async with showing(view, (width, 20)):

        @examples
        @given(values, values, keys, hostile)
        def check(old: Any, new: Any, typed: list[str], searched: str) -> None:
            view.compare_values(old, new)
            rows_of(view)
            view.search(Query(searched))
            press(view, typed)

        check()


@pytest.mark.parametrize("width", [80, 24])
async def test_any_text_is_shown_whole(width: int) -> None:
    view = StreamView()
    async with showing(view, (width, 20)):

        @examples
        @given(hostile, hostile)
        def check(text: str, more: str) -> None:
            view.show_text(text)
            view.append(more)
            assert "…" in text + more or not any("…" in row for row in rows_of(view))
            view.search(Query(more[:3]))
            rows_of(view)

        check()


LISTS = [PlanView, EditsView, ComparedView, BranchesView, BranchSteps, EventsView]


@pytest.mark.parametrize("width", [100, 24])
@pytest.mark.parametrize("kind", LISTS)
async def test_any_names_in_a_list(kind: type[LineView], width: int) -> None:
    view = EventsView(describe) if kind is EventsView else kind()
    async with showing(view, (width, 20)):

        @examples
        @given(st.lists(st.tuples(words, hostile, hostile), min_size=1, max_size=4))
        def check(names: list[tuple[str, str, str]]) -> None:
            fill(view, bodies_with(names))
            rows_of(view)
            press(view, ["first", "right", "last", "left"])

        check()


def fill(view: LineView, bodies: list[Body]) -> None:
    """Show what a session is about in one of the lists."""
    entries = [Entry(1e9 + at, 0, body) for at, body in enumerate(bodies)]
    session = apply_all(Session(), entries)
    compared = compare_runs(Side(session, 0), Side(session, session.current))
    match view:
        case PlanView():
            view.show_rows(plan_rows(session))
        case EditsView():
            view.show_rows(edit_rows(session, {step.id: step.name for step in session.plan.steps}))
        case ComparedView():
            view.show_steps(compared.steps, 0)
        case BranchesView():
            view.show_rows(branch_rows(session, {0, 1}), 0)
        case BranchSteps():
            view.show(compared)
        case EventsView():
            view.show_items(items_of(entries))


def bodies_with(names: list[tuple[str, str, str]]) -> list[Body]:
    """The log of a session whose steps, fields, values and events have hostile names."""
    steps = tuple(Step(one, other, said, {said: other}) for one, other, said in names)
    bodies: list[Body] = [
        SessionOpened("s1", "noukai", "http://localhost", names[0][1]),
        PlanLoaded(Plan(steps, told=True)),
        Stopped(StopReason.START),
        TurnStarted(1, 0, False, "/step", ("{}",)),
    ]
    for one, other, said in names:
        events = (
            StepStarted(one, other),
            StepOutput(one, JsonText.of(said)),
            StepFailed(one, {"message": said}),
            UnknownEvent(said),
        )
        bodies += [EventReceived(1, Received(said, ("{}",), event)) for event in events]
        bodies += [OutputEdited(one, JsonText.of({other: said})), BreakpointSet(one, True)]
        bodies.append(BlockEdited(one, {said: JsonText.of(other)}))
    return [*bodies, TurnEnded(1, Outcome.FAILED), Forked(1, 0, 0, ForkReason.FORK, False)]


def test_a_character_never_takes_more_cells_than_rows_are_made_for() -> None:
    for code in range(0x20, 0x20000):
        character = chr(code)
        if not UNSAFE.search(character):
            assert get_character_cell_size(character) <= character_cells(character), hex(code)


@given(hostile.map(lambda text: UNSAFE.sub("", text).replace("\n", "")), st.integers(4, 40))
def test_no_wrapped_row_is_wider_than_a_terminal_draws_it(text: str, width: int) -> None:
    for row in wrapped(text, width):
        assert cell_len(row.rstrip()) <= width


@pytest.mark.parametrize("sign", ["👩\u200d👩\u200d👧", "☺\ufe0f", "e\u0301", "1\ufe0f\u20e3"])
def test_signs_of_several_characters_are_not_cut_apart(sign: str) -> None:
    for row in wrapped(sign * 30, 13):
        assert row == sign * (len(row) // len(sign))


@pytest.mark.parametrize("language", ["json", "markdown", "template", ""])
async def test_any_text_can_be_edited_and_half_typed_text_is_coloured(language: Language) -> None:
    area = EditArea()
    broken = st.sampled_from(
        ['{"a": [1, "x', "# He\n```\n{{ na", "{% if", '{"a":: }', "- *b* [l]("]
    )
    async with showing(area, (60, 20)) as pilot:

        @examples
        @given(st.lists(hostile | broken, max_size=3).map("".join), hostile | broken, st.data())
        def check(text: str, typed: str, data: st.DataObject) -> None:
            area.load(text, language=language)
            start = area.text
            row = data.draw(st.integers(0, area.document.line_count - 1))
            column = data.draw(st.integers(0, len(area.document.get_line(row))))
            area.insert(typed, (row, column))
            for index in range(area.document.line_count):
                assert not UNSAFE.search(area.get_line(index).plain)
            area.undo()
            assert area.text == start

        check()
        await pilot.pause()
