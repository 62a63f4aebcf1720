"""A difference as a list: folding, searching and wrapping."""

from __future__ import annotations

from flowdbg.present.search import Query
from flowdbg.tui.widgets.diff_view import DiffView
from tests.tui.showing import lines, showing


async def test_what_did_not_change_unfolds_in_a_difference_and_folds_again() -> None:
    view = DiffView()
    async with showing(view) as pilot:
        view.compare_values({"a": 1, "b": [2], "c": 3}, {"a": 1, "b": [2], "c": 4})
        assert "2 unchanged" in lines(view)[0]
        await pilot.press("enter")
        assert "a: 1" in lines(view)[1]
        await pilot.press("j", "j", "l")
        assert "[0]: 2" in lines(view)[3]
        await pilot.press("j", "h")
        assert view.cursor == 2
        assert "c: 3" in lines(view)[3]
        await pilot.press("k", "h")
        assert [row.strip() for row in lines(view)[:2]] == ["▶ 2 unchanged", "± c: 3 → 4"]


async def test_what_is_unfolded_stays_so_when_a_scrollbar_comes_or_the_size_changes() -> None:
    before = {"list": list(range(40)), "text": "same " * 30, "c": 3}
    view = DiffView()
    async with showing(view, (60, 12)) as pilot:
        view.compare_values(before, {**before, "c": 4})
        await pilot.press("enter", "j", "enter")
        unfolded = view.row_count()
        assert unfolded > 40
        await pilot.resize_terminal(50, 12)
        await pilot.pause()
        assert view.row_count() >= unfolded
        assert "list" in view.row_text(view.cursor)


async def test_a_search_finds_what_is_folded_unfolds_to_it_and_counts_all() -> None:
    same = {"who": {"name": "fox", "tags": ["a", "fox"]}, "b": 2, "text": "a line\nthe fox\n" * 9}
    view = DiffView()
    async with showing(view) as pilot:
        view.compare_values({**same, "c": "fox"}, {**same, "c": "wolf"})
        await pilot.pause()
        shown = view.row_count()
        hits = view.search(Query("fox"))
        assert hits.label == "1/12"
        assert 'name: "fox"' in view.row_text(view.cursor)
        assert view.row_count() > shown
        last = view.search_step(-1)
        assert last is not None
        assert last.label == "12/12"
        assert "wolf" in view.row_text(view.cursor)
        before = view.search_step(-1)
        assert before is not None
        assert view.row_text(view.cursor).strip() == "the fox"
        assert view.search(Query("/nowhere$/")).label == "no match"


async def test_a_search_in_a_difference_begins_at_the_cursor() -> None:
    view = DiffView()
    async with showing(view) as pilot:
        view.compare_values({"a": 1, "b": 1, "c": 1}, {"a": 2, "b": 2, "c": 2})
        await pilot.press("j")
        assert view.search(Query("2")).label == "2/3"


async def test_large_values_are_compared_aside_and_fit_the_width_they_come_to() -> None:
    old = {"text": "one two three four five six\n" * 9000}
    view = DiffView()
    async with showing(view, (60, 20)) as pilot:
        view.compare_values(old, {"text": old["text"] + "seven " * 20})
        await pilot.resize_terminal(40, 20)
        for _ in range(6000):
            shown = "".join(lines(view))
            if view.size.width == 40 and "seven" in shown and "…" not in shown:
                break
            await pilot.pause(0.01)
        assert "seven" in shown
        assert "…" not in shown


async def test_the_path_of_any_row_of_a_difference_is_told() -> None:
    old = {"who": {"odd key": [1, 2], "$": 1}, "text": "one\ntwo\nthree", "gone": {"deep": [7]}}
    new = {"who": {"odd key": [1, 3], "$": 2}, "text": "one\n2\nthree"}
    view = DiffView()
    async with showing(view):
        view.compare_values(old, new)
        told = []
        for at in range(view.row_count()):
            view.cursor = at
            told.append((view.row_text(at).strip(), view.path_text()))
        assert [path for _, path in told] == [
            'who', 'who["odd key"]', 'who["odd key"][0]', 'who["odd key"][1]', 'who["$"]',
            "text", "text", "text", "text", "text",
            "gone", "gone.deep", "gone.deep[0]",
        ], told  # fmt: skip
