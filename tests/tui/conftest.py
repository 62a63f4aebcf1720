"""The real screen on a real debugger, a real server, a real socket and a real session file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from textual.driver import Driver
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from flowdbg.core.address import parse_address
from flowdbg.core.entries import SessionOpened
from flowdbg.debugger import Debugger
from flowdbg.dialects.targets import make_target
from flowdbg.store import SessionStore, session_path
from flowdbg.tui.app import DebugApp
from flowdbg.tui.debug import DebugScreen
from tests.debugger.flows import publish
from tests.serving import Running, running_server
from tests.tui.flows import FLOW, IDLE

_numbers = count(1)


class Screen:
    """One debug screen under test, with what tests do and look at."""

    def __init__(self, pilot: Pilot[Path | None], app: DebugApp) -> None:
        self.pilot = pilot
        self.app = app
        self._said: list[str] = []
        tell = app.notify

        def notify(message: str, **options: Any) -> None:
            self._said.append(message)
            tell(message, **options)

        app.notify = notify  # type: ignore[method-assign] # to hear what is said

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
        """Press keys one by one, and let everything settle after each."""
        for key in keys:
            await self.pilot.press(key)
            await self.until(self.is_settled)
        await self.pilot.pause()

    async def settle(self) -> None:
        """Wait until no verb runs and the screen shows the newest session."""
        await self.until(self.is_settled)
        await self.pilot.pause()

    def is_settled(self) -> bool:
        """Whether no verb runs and the screen shows the newest session."""
        busy = [worker for worker in self.debug.workers if worker.name != "observe"]
        return (
            self.app.typed.is_done
            and not self.debugger.session.verb
            and self.debug.session is self.debugger.session
            and not any(worker.is_running for worker in busy)
        )

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds."""
        for _ in range(2000):
            if condition():
                return
            await self.pilot.pause(0.01)
        raise AssertionError("the condition never held")

    def toasts(self) -> list[str]:
        """What the program has said in toasts, also those that are gone again."""
        return self._said

    def shown_toasts(self) -> list[str]:
        """The toasts that stand on the screen."""
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


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server for all tests of a process; each test publishes a flow of its own there."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "flows").mkdir()
    (folder / "flows" / "idle.flow.yaml").write_text(IDLE, encoding="utf-8")
    with running_server([folder / "flows"], folder / "server.db") as running:
        yield running


@dataclass
class Flow:
    """A test's own flow on the server."""

    base: str
    address: str

    def publish(self, text: str = FLOW) -> int:
        """Freeze the next version of the flow; its number."""
        return publish(self.base, text.replace("ADDRESS", self.address), address=self.address)


@pytest.fixture
def flow(server: Running) -> Flow:
    """The flow of this test, published as version 1 and in production."""
    own = Flow(server.base, f"acme/support/triage-{next(_numbers)}")
    own.publish()
    return own


@pytest.fixture
def open_screen(flow: Flow, tmp_path: Path) -> OpenScreen:
    """Opens the screen on the test's flow."""

    @asynccontextmanager
    async def opened(
        *,
        size: tuple[int, int] = (120, 36),
        message: str | None = "I was charged twice",
        pinned: int | None = None,
        session_id: str = "one",
        resume: bool = False,
        tools: str = "",
        driver: type[Driver] | None = None,
        **options: Any,
    ) -> AsyncIterator[Screen]:
        target = make_target(
            "noukai", url=flow.base, address=parse_address(flow.address), key=lambda: "nk_test"
        )
        folder = tmp_path / "sessions"
        if resume:
            store = SessionStore.open(session_path(folder, session_id))
            debugger = await Debugger.resume(target, store)
        else:
            store = SessionStore.create(folder, session_id=session_id, meta={})
            first = SessionOpened(
                session_id, "noukai", flow.base, flow.address, pinned, message, tools=tools
            )
            debugger = await Debugger.start(target, store, first, await target.fetch_plan(pinned))
        app = DebugApp(debugger, state_dir=tmp_path / "state", **options)
        if driver is not None:
            app.driver_class = driver
        try:
            async with app.run_test(size=size, headless=driver is None) as pilot:
                screen = Screen(pilot, app)
                await screen.until(lambda: screen.debug.panels.has_log)
                await pilot.pause()
                yield screen
        finally:
            await debugger.close()

    return opened
