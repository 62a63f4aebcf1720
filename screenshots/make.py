"""Make every picture in this folder from the real program: `python screenshots/make.py`.

The demo runs on its own embedded server with the offline model, the keys are pressed as a person
would press them, and the screen is written as SVG.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from flowdbg.cli.asked import Asked
from flowdbg.cli.embedded import Published, published_flow
from flowdbg.cli.model import ensure_model
from flowdbg.cli.opening import Opening, open_new
from flowdbg.core.json_text import JsonText
from flowdbg.core.session import Session, State, Status
from flowdbg.debugger import Debugger
from flowdbg.examples import demo_inputs_path, demo_path, demo_tips
from flowdbg.transport.client import HttpClient
from flowdbg.tui.app import DebugApp

FOLDER = Path(__file__).parent
SIZE = (120, 36)
ANSWER_TIMEOUT = 120.0


class Scene:
    """The running program, with hands on its keyboard."""

    def __init__(self, debugger: Debugger, app: DebugApp, pilot: Pilot[Path | None]) -> None:
        self._debugger = debugger
        self._app = app
        self._pilot = pilot

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other, and let the screen settle."""
        await self._pilot.press(*keys)
        await self._pilot.pause()

    async def until(self, condition: Callable[[Session], object], settle: float = 0.2) -> None:
        """Wait for the session to be as wanted, and so many seconds for the screen."""
        async with asyncio.timeout(ANSWER_TIMEOUT):
            async for change in self._debugger.subscribe():
                if condition(change.session):
                    break
        await self._pilot.pause(settle)

    async def stopped(self, cursor: int) -> None:
        """Wait until the debugger has stopped before a step."""
        await self.until(lambda session: not session.verb and session.cursor == cursor)

    def picture(self, name: str) -> None:
        """Write the screen as it is."""
        path = FOLDER / f"{name}.svg"
        path.write_text(self._app.export_screenshot(title="flowdbg"), encoding="utf-8")
        sys.stdout.write(f"{path.name}\n")


def streaming(session: Session) -> bool:
    """Whether the reply is being written."""
    execution = session.execution("reply")
    return bool(execution and execution.status is Status.RUNNING and len(execution.chunks) > 25)


RIGHT = {
    "items": [
        {"from": "Ines Okafor", "kind": "broken"},
        {"from": "Tom Lindqvist", "kind": "question"},
        {"from": "Mara Vidal", "kind": "thanks"},
    ]
}
"""What the demo's first step should have said."""


async def demo() -> None:
    """The demo: paused, streaming, edits of an output and a prompt, done, and its branches."""
    opening = Opening(str(demo_path()), Asked(params_file=demo_inputs_path()))
    async with open_new(opening) as debugger:
        app = DebugApp(debugger, tips=demo_tips(), theme="dark")
        async with app.run_test(size=SIZE) as pilot:
            scene = Scene(debugger, app, pilot)
            await scene.press("n")
            await scene.stopped(1)
            scene.picture("paused")
            await scene.press("n")
            await scene.stopped(2)
            await scene.press("n")
            await scene.until(streaming, settle=0.07)
            scene.picture("streaming")
            await scene.stopped(3)
            await scene.press("g", "i")
            await pilot.pause(0.3)
            scene.picture("editing-output")
            await scene.press("escape", "j", "o")
            await pilot.pause(0.3)
            scene.picture("editing-prompt")
            await scene.press("escape")
            await scene.press("E")
            await scene.until(lambda session: session.state is State.DONE)
            await scene.press("G")
            scene.picture("done")
            await debugger.edit_output("sort", JsonText.of(RIGHT))
            await scene.press("g", "j", "j", "j", "F", "E")
            await scene.until(lambda session: session.current == 1 and session.state is State.DONE)
            await scene.press("B")
            await pilot.pause(0.3)
            scene.picture("branches")
            await scene.press("D")
            await pilot.pause(0.3)
            scene.picture("compare")


async def stale() -> None:
    """A flow that is published again, with a step renamed and a prompt changed, after one step."""
    async with published_flow(demo_path()) as published:
        target = str(published.address)
        asked = Asked(params_file=demo_inputs_path())
        opening = Opening(target, asked, url=published.url)
        async with open_new(opening) as debugger:
            app = DebugApp(debugger, theme="dark")
            async with app.run_test(size=SIZE) as pilot:
                scene = Scene(debugger, app, pilot)
                await scene.press("n")
                await scene.stopped(1)
                text = await asyncio.to_thread(demo_path().read_text, encoding="utf-8")
                text = text.replace("id: note", "id: notice").replace("three sentences", "a line")
                await publish_again(published, text)
                await scene.press("n")
                await scene.until(lambda session: session.state is State.STALE)
                scene.picture("stale")


async def publish_again(published: Published, text: str) -> None:
    """Freeze another version and make it production, as a colleague would."""
    body = json.dumps({"definition": text, "production": True}).encode()
    async with HttpClient(published.url) as client:
        await client.send_json("POST", f"/flows/{published.address}/versions", body)


async def main() -> None:
    """Make all pictures in a fresh home, so that nothing of this machine shows."""
    ensure_model()
    with tempfile.TemporaryDirectory() as home:
        os.environ["XDG_DATA_HOME"] = f"{home}/data"
        os.environ["XDG_CONFIG_HOME"] = f"{home}/config"
        await demo()
        await stale()


if __name__ == "__main__":
    asyncio.run(main())
