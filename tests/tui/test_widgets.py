"""The lists by themselves: following, searching, and texts of any size and kind."""

from __future__ import annotations

import pytest
from textual.geometry import Offset
from textual.selection import Selection

from flowdbg.present.edit_document import Language
from flowdbg.present.event_rows import EventItem, EventLine
from flowdbg.present.looks import StepState
from flowdbg.present.plan_rows import PlanRow
from flowdbg.present.search import Query
from flowdbg.tui.widgets.diff_view import DiffView
from flowdbg.tui.widgets.edit_area import EditArea
from flowdbg.tui.widgets.events_view import EventsView
from flowdbg.tui.widgets.json_view import JsonView
from flowdbg.tui.widgets.plan_view import PlanView
from flowdbg.tui.widgets.stream_view import StreamView
from tests.tui.showing import lines, showing

MARKUP = "[/nope] [b]bold[/b] [@click=app.quit]x[/] [ERROR] [a-z]"


async def test_a_stream_follows_its_end_until_somebody_scrolls_up() -> None:
    view = StreamView()
    async with showing(view) as pilot:
        view.show_text("", follow=True)
        for number in range(50):
            view.append(f"line {number}\n")
        await pilot.pause()
        assert "line 49" in "\n".join(lines(view))
        await pilot.press("k", "k")
        top = view.scroll_offset.y
        view.append("line 50\n" * 30)
        await pilot.pause()
        assert view.scroll_offset.y == top
        await pilot.press("G")
        view.append("the end\n")
        await pilot.pause()
        assert "the end" in "\n".join(lines(view))


async def test_a_stream_wraps_again_when_the_size_changes() -> None:
    view = StreamView()
    async with showing(view, (60, 20)) as pilot:
        view.show_text("word " * 200)
        before = view.row_count()
        await pilot.resize_terminal(30, 20)
        await pilot.pause()
        assert view.row_count() > before


async def test_five_megabytes_and_a_line_of_200_kilobytes_are_ordinary() -> None:
    view = StreamView()
    async with showing(view) as pilot:
        words, one_line, many = "the quick brown fox " * 3000, "x" * 200_000, "y\n" * 100_000
        view.show_text(f"{words}\n{one_line}\n{many}")
        assert "the quick" in lines(view)[0]
        for _ in range(400):
            if view.text.endswith(many):
                break
            await pilot.pause(0.01)
        await pilot.press("G")
        assert lines(view)[-1].strip() == "y"
        assert len(view.search(Query("fox")).places) == 3000


async def test_hits_in_a_stream_are_marked_across_wrapped_rows() -> None:
    view = StreamView()
    async with showing(view, (24, 10)) as pilot:
        view.show_text("aaaa bbbb cccc dddd eeee ffff gggg hhhh")
        view.search(Query("dddd eeee"))
        await pilot.pause()
        marked = [
            view.hit_spans(index, [])[0] for index in range(view.row_count())
        ]  # fmt: skip
        assert sum(bool(spans) for spans in marked) == 2


@pytest.mark.parametrize("text", [MARKUP, "\x1b[31mred\x07 \u202e \x9b", "日本 👩‍👩‍👧 é"])
async def test_foreign_text_is_drawn_as_it_is_and_runs_nothing(text: str) -> None:
    stream, tree, diff = StreamView(), JsonView(), DiffView()
    async with showing(stream):
        stream.show_text(text)
        drawn = "".join(lines(stream))
        assert "\x1b" not in drawn
        assert ("[/nope]" in drawn) == (text is MARKUP)
    async with showing(tree):
        tree.show_value({text: text})
        assert "\x1b" not in "".join(lines(tree))
    async with showing(diff):
        diff.compare_values({"a": text}, {"a": text + "!"})
        assert "\x1b" not in "".join(lines(diff))


async def test_ten_thousand_events_are_listed_and_kept_to_their_end() -> None:
    view = EventsView(lambda source: EventLine("event", text=str(source)))
    async with showing(view, (80, 20)) as pilot:
        view.show_items([EventItem(0.0, number) for number in range(10_000)])
        await pilot.pause()
        assert "9999" in lines(view)[-1]
        await pilot.press("k")
        view.add([EventItem(0.0, "new")])
        await pilot.pause()
        assert view.cursor == 9998
        await pilot.press("G")
        view.add([EventItem(0.0, "newer")])
        await pilot.pause()
        assert "newer" in lines(view)[-1]


async def test_a_run_of_chunks_unfolds_by_key() -> None:
    view = EventsView(lambda source: EventLine("chunk", text=str(source)))
    async with showing(view, (80, 20)) as pilot:
        view.show_items([EventItem(0.0, number, "s", 1) for number in range(5)])
        assert view.row_count() == 1
        await pilot.press("enter")
        assert view.row_count() == 6
        await pilot.press("g", "h")
        assert view.row_count() == 1


async def test_a_selection_with_the_mouse_is_the_text_that_is_seen() -> None:
    view = StreamView()
    async with showing(view) as pilot:
        view.show_text("first line\nsecond line\nthird")
        await pilot.pause()
        found = view.get_selection(Selection(Offset(7, 0), Offset(7, 1)))
        assert found == ("line\n second", "\n")


async def test_kinds_and_times_of_steps_line_up() -> None:
    view = PlanView()
    rows = (
        PlanRow("a", "First", "llm", StepState.DONE, 1, note="1.2s"),
        PlanRow("b", "日本", "code", StepState.NEXT, 2),
        PlanRow("c", "Third", "http", StepState.PENDING, 3, note="12ms"),
    )
    async with showing(view, (40, 5)):
        view.show_rows(rows)
        shown = [view.render_line(y) for y in range(3)]
        assert {strip.cell_length for strip in shown} == {40}
        assert shown[0].text.index(" llm ") == shown[2].text.index(" http")


async def test_the_kind_of_a_step_goes_before_its_name_is_cut() -> None:
    view = PlanView()
    long, wide = "a" * 60, "日本" * 20
    rows = (
        PlanRow("a", long, "llm", StepState.DONE, 1, note="1.2s"),
        PlanRow("b", wide, "code", StepState.NEXT, 2),
    )
    async with showing(view, (40, 5)):
        view.show_rows(rows)
        shown = [view.render_line(y) for y in range(2)]
        assert {strip.cell_length for strip in shown} == {40}
        assert all("…" in strip.text for strip in shown)
        assert "llm" not in shown[0].text
        assert "1.2s" in shown[0].text


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("json", '{"a": [1, "x", null]}'),
        ("markdown", "# Sort\n\n- this: {{ text }}\n\n```\ncode\n```"),
    ],
)
async def test_the_coloured_editor_opens_and_closes_thirty_times(
    language: Language, text: str
) -> None:
    for _ in range(30):
        area = EditArea()
        async with showing(area):
            area.load(text, language=language)
            assert area.language == language


async def test_a_large_text_is_edited_without_colours() -> None:
    area = EditArea()
    async with showing(area):
        area.load("[" + "1," * 40_000 + "1]", language="json")
        assert area.language is None
