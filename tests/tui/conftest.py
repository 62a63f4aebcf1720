"""The real screen on a real debugger, a real server, a real socket and a real session file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from flowdbg.core.address import parse_address
from flowdbg.core.entries import SessionOpened
from flowdbg.core.json_text import JsonText
from flowdbg.debugger import Debugger
from flowdbg.dialects.targets import make_target
from flowdbg.store import SessionStore
from flowdbg.tui.app import DebugApp
from flowdbg.tui.screens.debug import DebugScreen
from tests.debugger.flows import publish
from tests.serving import Running, running_server
from tests.tui.flows import ADDRESS, FLOW


class Screen:
    """One debug screen under test, with what tests do and look at."""

    def __init__(self, pilot: Pilot[Path | None], app: DebugApp) -> None:
        self.pilot = pilot
        self.app = app

    @property
    def debug(self) -> DebugScreen:
        """The debug screen itself, also when another one lies over it."""
        screen = self.app.screen_stack[0]
        assert isinstance(screen, DebugScreen)
        return screen

    @property
    def debugger(self) -> Debugger:
        """The debugger behind the screen."""
        return self.app.debugger

    async def press(self, *keys: str) -> None:
        """Press keys and let everything settle."""
        await self.pilot.press(*keys)
        await self.settle()

    async def settle(self) -> None:
        """Wait until no verb runs and the screen shows the newest session."""
        await self.until(
            lambda: (
                not self.debugger.session.verb
                and self.debug.session is self.debugger.session
                and not [
                    worker for worker in self.debug.workers
                    if worker.name != "observe" and worker.is_running
                ]
            )
        )  # fmt: skip
        await self.pilot.pause()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds."""
        for _ in range(2000):
            if condition():
                return
            await self.pilot.pause(0.01)
        raise AssertionError("the condition never held")

    def toasts(self) -> list[str]:
        """What the program has said in toasts."""
        return [notification.message for notification in self.app._notifications]

    def lines(self, selector: str) -> str:
        """What a widget shows, as text."""
        widget = self.debug.query_one(selector)
        return "\n".join(
            widget.render_line(y).text.rstrip() for y in range(widget.size.height)
        ).rstrip()

    @property
    def status(self) -> str:
        """What the status line says."""
        return self.debug.status.said


OpenScreen = Callable[..., AbstractAsyncContextManager[Screen]]


@pytest.fixture(autouse=True)
def steady_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cursors do not blink, so that two pictures of one state are the same."""
    monkeypatch.setattr(TextArea, "cursor_blink", False)
    monkeypatch.setattr(Input, "cursor_blink", False)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    """A server with one flow, published as version 1 and in production."""
    flows = tmp_path / "flows"
    flows.mkdir()
    (flows / "triage.flow.yaml").write_text(FLOW, encoding="utf-8")
    with running_server([flows], tmp_path / "server.db") as running:
        publish(running.base, FLOW, address=ADDRESS)
        yield running


@pytest.fixture
def open_screen(server: Running, tmp_path: Path) -> OpenScreen:
    """Opens the screen on the server's flow."""

    @asynccontextmanager
    async def opened(
        *,
        size: tuple[int, int] = (120, 36),
        message: str | None = "I was charged twice",
        pinned: int | None = None,
        session_id: str = "one",
        resume: bool = False,
        **options: Any,
    ) -> AsyncIterator[Screen]:
        target = make_target(
            "noukai", url=server.base, address=parse_address(ADDRESS), key=lambda: "nk_test"
        )
        folder = tmp_path / "sessions"
        if resume:
            store = SessionStore.open(folder / f"{session_id}.flowdbg")
            debugger = await Debugger.resume(target, store)
        else:
            store = SessionStore.create(folder, session_id=session_id, meta={})
            first = SessionOpened(
                session_id, "noukai", server.base, ADDRESS, pinned, message, JsonText("{}")
            )
            debugger = await Debugger.start(target, store, first, await target.fetch_plan(pinned))
        app = DebugApp(debugger, state_dir=tmp_path / "state", **options)
        try:
            async with app.run_test(size=size) as pilot:
                screen = Screen(pilot, app)
                await screen.until(lambda: screen.debug.panels.has_log)
                await pilot.pause()
                yield screen
        finally:
            await debugger.close()

    return opened
