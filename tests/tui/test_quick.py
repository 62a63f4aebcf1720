"""Drawing: what stands still is not drawn again."""

from __future__ import annotations

import asyncio

import pytest

from flowdbg.tui.quick import QuickScreen
from tests.tui.conftest import OpenScreen


@pytest.mark.parametrize("key", ["colon", "question_mark", "T", "S", "B", "ctrl+o"])
async def test_below_another_screen_nothing_is_drawn_again_and_again(
    open_screen: OpenScreen, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    drawn = 0
    draw = QuickScreen.draw_now

    def counted(screen: QuickScreen[None]) -> None:
        nonlocal drawn
        drawn += 1
        draw(screen)

    async with open_screen() as screen:
        await screen.press("n", key)
        monkeypatch.setattr(QuickScreen, "draw_now", counted)
        for _ in range(40):
            await asyncio.sleep(0.01)
        assert drawn < 8
