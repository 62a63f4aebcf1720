"""The steps of two runs as a list: what differs inside a container folds below it."""

from __future__ import annotations

from flowdbg.present.compare import StepCompared
from flowdbg.present.takes import Take
from flowdbg.tui.widgets.compared_view import FEW, ComparedView
from tests.tui.showing import lines, showing


def step(number: int, name: str, inside: int = 0, differing: int = 0) -> StepCompared:
    take = Take("#0 attempt 1", name)
    inner = tuple(
        StepCompared(
            f"{name} › {at + 1} › Note",
            f"{name} › {at + 1} › Note",
            number,
            take,
            take,
            {"output": at + 1},
            f"{at + 1} › Note",
        )
        for at in range(inside)
    )
    return StepCompared(name, name, number, take, take, {"output": differing}, inner=inner)


async def test_what_differs_inside_a_step_stands_below_it_and_folds() -> None:
    view = ComparedView()
    async with showing(view, (40, 10)) as pilot:
        view.show_steps([step(1, "Fetch"), step(2, "Each", 2, 3), step(3, "End")], 1)
        assert [" ".join(line.split()) for line in lines(view)[:5]] == [
            "= 1 Fetch",
            "≠ 2 ▼ Each out 3",
            "≠ 1 › Note out 1",
            "≠ 2 › Note out 2",
            "= 3 End",
        ]
        await pilot.press("j", "j")
        assert view.step_at_cursor is not None
        assert view.step_at_cursor.inside == "2 › Note"
        await pilot.press("h")
        assert view.step_at_cursor.name == "Each"
        assert lines(view)[1].split() == ["≠", "2", "▶", "Each", "out", "3"]
        assert lines(view)[2].split() == ["=", "3", "End"]
        await pilot.press("l")
        assert view.row_count() == 5


async def test_much_that_differs_inside_a_step_is_folded_at_first() -> None:
    view = ComparedView()
    async with showing(view, (40, 10)) as pilot:
        view.show_steps([step(1, "Each", FEW + 1)], 0)
        assert lines(view)[0].split() == ["≠", "1", "▶", "Each", f"{FEW + 1}", "inside"]
        await pilot.press("l")
        assert view.row_count() == FEW + 2
        assert view.next_differing(1) == 1
