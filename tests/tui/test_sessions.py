"""The list of sessions: found by words, deleted after a question, opened by key and mouse."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from flowdbg.store import SessionStore, list_sessions
from flowdbg.tui.picker import PickerApp
from flowdbg.tui.screens.confirm import ConfirmScreen
from flowdbg.tui.screens.sessions import SessionsScreen, SessionsView
from flowdbg.tui.screens.text import TextScreen
from flowdbg.tui.widgets.safe_input import SafeInput

STORED = (("a-first", "acme/support/triage", "paused"), ("b-second", "acme/mail/letters", "done"))


def make(folder: Path) -> Path:
    """Two stored sessions, the second one newer."""
    for session_id, address, state in STORED:
        meta = {"address": address, "version": 3, "state": state, "cursor": 2, "length": 5}
        SessionStore.create(folder, session_id=session_id, meta=meta).close()
    return folder


@asynccontextmanager
async def picker(folder: Path, **options: Any) -> AsyncIterator[Pilot[Path | None]]:
    app = PickerApp(list_sessions(folder), **options)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        yield pilot


def view(pilot: Pilot[Path | None]) -> SessionsView:
    screen = pilot.app.screen
    assert isinstance(screen, SessionsScreen)
    return screen.query_one(SessionsView)


def rows(pilot: Pilot[Path | None]) -> list[str]:
    shown = view(pilot)
    return [shown.render_line(at).text for at in range(shown.row_count())]


async def until(pilot: Pilot[Path | None], condition: Any) -> None:
    for _ in range(1000):
        if condition():
            return
        await pilot.pause(0.01)
    raise AssertionError("the condition never held")


async def test_columns_stand_below_their_names(tmp_path: Path) -> None:
    async with picker(make(tmp_path)) as pilot:
        heading = str(pilot.app.screen.query_one("#heading", Static).content)
        row = next(row for row in rows(pilot) if "triage" in row)
        assert row.index("…") == heading.index("flow")
        assert "2/5" in row
        assert "KB" in row
        assert "just now" in row
        assert row.index("-first") == heading.index("id")
        assert "‖ paused" in row


async def test_words_narrow_the_list_and_escape_widens_it_again(tmp_path: Path) -> None:
    async with picker(make(tmp_path)) as pilot:
        await pilot.press("slash", *"trdq", "backspace", "backspace", *"iage")
        await pilot.pause()
        assert len(rows(pilot)) == 1
        await pilot.press("escape")
        await pilot.pause()
        assert len(rows(pilot)) == 2
        assert not pilot.app.screen.query_one(SafeInput).display
        await pilot.press("slash", *"done letters", "enter")
    assert pilot.app.return_value == tmp_path / "b-second.flowdbg"


async def test_d_asks_before_a_session_is_deleted(tmp_path: Path) -> None:
    async with picker(make(tmp_path)) as pilot:
        named = rows(pilot)[0]
        await pilot.press("d")
        question = pilot.app.screen
        assert isinstance(question, ConfirmScreen)
        said = str(question.query_one("#question", Static).content)
        assert "cannot be brought back" in said
        assert said.split("@", maxsplit=1)[0].rpartition(" ")[2] in named
        await pilot.press("n")
        await pilot.pause()
        assert len(list_sessions(tmp_path)) == 2
        await pilot.press("d", "y")
        await until(pilot, lambda: len(list_sessions(tmp_path)) == 1 and len(rows(pilot)) == 1)
        await pilot.press("d", "y")
        await until(pilot, lambda: not list_sessions(tmp_path))
        await until(pilot, lambda: pilot.app.screen.query_one("#first").display)


async def test_a_session_in_use_opens_to_be_read_and_is_not_deleted(tmp_path: Path) -> None:
    make(tmp_path)
    with SessionStore.open(tmp_path / "a-first.flowdbg"):
        async with picker(tmp_path) as pilot:
            index = next(at for at, row in enumerate(rows(pilot)) if "triage" in row)
            assert "in use" in rows(pilot)[index]
            view(pilot).cursor = index
            await pilot.press("d")
            await pilot.pause()
            assert isinstance(pilot.app.screen, SessionsScreen)
            assert next(iter(pilot.app._notifications)).message.startswith("It is open in")
            await pilot.press("enter")
    assert pilot.app.return_value == tmp_path / "a-first.flowdbg"


async def test_a_file_that_is_no_session_can_be_deleted_but_not_opened(tmp_path: Path) -> None:
    (tmp_path / "broken.flowdbg").write_text("not a session")
    async with picker(tmp_path) as pilot:
        assert "unreadable" in rows(pilot)[0]
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, SessionsScreen)
        await pilot.press("d", "y")
        await until(pilot, lambda: not list_sessions(tmp_path))


async def test_keys_move_as_in_vim_and_help_is_a_key_away(tmp_path: Path) -> None:
    async with picker(make(tmp_path)) as pilot:
        await pilot.press("j")
        assert view(pilot).cursor == 1
        await pilot.press("g")
        assert view(pilot).cursor == 0
        await pilot.press("G")
        assert view(pilot).cursor == 1
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(pilot.app.screen, TextScreen)


async def test_the_mouse_opens_a_session_and_the_footer_can_be_clicked(tmp_path: Path) -> None:
    async with picker(make(tmp_path)) as pilot:
        await pilot.click(SessionsView, offset=(10, 1))
        await pilot.pause()
        assert view(pilot).cursor == 1
        await pilot.click("#footer", offset=(2, 0))
        await pilot.pause()
    assert isinstance(pilot.app.return_value, Path)


async def test_a_click_on_a_hint_of_the_line_does_what_it_says(tmp_path: Path) -> None:
    async with picker(make(tmp_path)) as pilot:
        await pilot.press("slash", *"triage")
        await pilot.pause()
        await pilot.click("#footer", offset=(30, 0))  # a key, not an action
        await pilot.pause()
        assert pilot.app.screen.query_one(SafeInput).display
        await pilot.click("#footer", offset=(2, 0))
    assert pilot.app.return_value == tmp_path / "a-first.flowdbg"


async def test_the_keymap_counts_here_too(tmp_path: Path) -> None:
    keys: dict[str, str | list[str]] = {"sessions.remove": "D", "sessions.back": "f10"}
    async with picker(make(tmp_path), keys=keys) as pilot:
        await pilot.press("d", "q")
        await pilot.pause()
        assert isinstance(pilot.app.screen, SessionsScreen)
        await pilot.press("D")
        await pilot.pause()
        assert isinstance(pilot.app.screen, ConfirmScreen)


@pytest.mark.parametrize("width", [40, 60, 80, 200])
async def test_no_row_is_wider_than_the_screen(tmp_path: Path, width: int) -> None:
    async with picker(make(tmp_path)) as pilot:
        await pilot.resize_terminal(width, 12)
        await pilot.pause()
        assert all(len(row) <= width for row in rows(pilot))
        assert any("triage" in row for row in rows(pilot))
