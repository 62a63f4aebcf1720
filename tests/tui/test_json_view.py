"""A JSON value as a list: folding, opening leaves, searching, and wrapping of long texts."""

from __future__ import annotations

from flowdbg.present.search import Query
from flowdbg.tui.widgets.json_view import JsonView
from tests.tui.showing import lines, showing

VALUE = {
    "ticket": {"id": 812, "tags": ["a", "b"]},
    "text": "one two three " * 10 + "\nlast",
    "list": list(range(40)),
}


async def test_a_value_folds_and_unfolds_by_key() -> None:
    view = JsonView()
    async with showing(view) as pilot:
        view.show_value(VALUE)
        await pilot.press("j")
        assert view.path_at_cursor() == ("ticket",)
        await pilot.press("l", "l")
        assert view.path_at_cursor() == ("ticket", "id")
        await pilot.press("h", "h")
        assert view.path_at_cursor() == ("ticket",)
        assert "  id: 812" not in "\n".join(lines(view))
        await pilot.press("asterisk")
        assert any('"a"' in line for line in lines(view))
        await pilot.press("underscore")
        assert not any('"a"' in line for line in lines(view))
        await pilot.press("G")
        assert view.cursor == view.row_count() - 1


async def test_a_long_text_unfolds_below_its_key_and_wraps() -> None:
    view = JsonView()
    async with showing(view, (40, 20)) as pilot:
        view.show_value(VALUE)
        view.reveal(("text",))
        await pilot.press("space")
        shown = "\n".join(lines(view))
        assert "text, 145 characters" in shown
        assert "   one two three one two three" in shown
        assert "last" in shown
        await pilot.press("j", "j", "space")
        assert "text, 145 characters" not in "\n".join(lines(view))


async def test_opening_a_leaf_asks_to_edit_it() -> None:
    view = JsonView()
    async with showing(view) as pilot:
        view.show_value(VALUE)
        view.reveal(("ticket", "id"))
        await pilot.press("enter")
        view.reveal(("text",))
        await pilot.press("space", "j", "enter")
        assert pilot.app.messages == [  # type: ignore[attr-defined] # the viewer above
            (("ticket", "id"), 812),
            (("text",), VALUE["text"]),
        ]


async def test_hits_are_found_folded_and_gone_through_in_a_circle() -> None:
    view = JsonView()
    async with showing(view) as pilot:
        view.show_value(VALUE)
        hits = view.search(Query("three"))
        assert hits.label == "1/10"
        assert "three" in view.row_text(view.cursor)
        last = view.search_step(-1)
        assert last is not None
        assert last.label == "10/10"
        assert view.search(Query("nowhere")).label == "no match"
        view.end_search()
        assert view.search_step(1) is None
        await pilot.pause()


async def test_a_new_value_of_the_same_thing_stays_unfolded() -> None:
    view = JsonView()
    async with showing(view) as pilot:
        view.show_value(VALUE)
        view.reveal(("ticket", "tags", 0))
        view.show_value({**VALUE, "ticket": {"id": 9, "tags": ["z"]}}, keep=True)
        await pilot.pause()
        assert any('0: "z"' in line for line in lines(view))


WORDS = "one two three four five six seven eight nine ten eleven twelve " * 4


async def test_a_long_text_wraps_the_same_before_and_after_the_scrollbar_came() -> None:
    view = JsonView(open_texts=True)
    async with showing(view, (40, 18)) as pilot:
        view.show_value({"text": WORDS})
        await pilot.pause()
        before = lines(view)[:10]
        view.show_value({"list": list(range(25))})
        await pilot.pause()
        assert view.show_vertical_scrollbar
        view.show_value({"text": WORDS})
        await pilot.pause()
        assert lines(view)[:10] == before


async def test_a_value_nested_deeper_than_the_screen_is_wide_can_still_be_read() -> None:
    value: object = {"deepest": WORDS}
    for level in range(60):
        value = {f"level{level}": value}
    view = JsonView()
    async with showing(view, (40, 20)) as pilot:
        view.show_value(value)
        await pilot.press("asterisk", "G")
        shown = lines(view)
        assert shown[-1].endswith("twelve")
        assert not any(line.endswith("…") for line in shown)


async def test_a_sentence_in_place_of_a_value_is_wrapped_where_it_does_not_fit() -> None:
    view = JsonView(placeholder="This step runs next.\nn runs it, i gives it an output instead.")
    async with showing(view, (30, 20)) as pilot:
        assert [line.strip() for line in lines(view)[:3]] == [
            "This step runs next.",
            "n runs it, i gives it an",
            "output instead.",
        ]
        await pilot.resize_terminal(60, 20)
        await pilot.pause()
        assert lines(view)[1].strip() == "n runs it, i gives it an output instead."
        assert not lines(view)[2]
