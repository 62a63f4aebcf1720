"""A step that asks for tools waits for a person's answers."""

from __future__ import annotations

import json

from flowdbg.core.json_text import join
from flowdbg.core.session import State
from tests.tui.conftest import Flow, OpenScreen

TOOLS = """\
flow: ADDRESS
inputs:
  message: {type: string}
scripts:
  asks:
    replies:
      - text: "Let me look."
        tool_calls: [{name: lookup, arguments: {order: 5512}}]
      - {text: "It was sent on Monday."}
steps:
  - id: ask
    name: Ask
    kind: llm
    model: scripted/asks
    prompt: "{{ initial.message }}"
    processor_config: {tools_enabled: true}
"""

DEFINITIONS = json.dumps(
    [{"type": "function", "function": {"name": "lookup", "parameters": {"type": "object"}}}]
)


async def test_a_answers_the_calls_and_the_next_step_takes_them_along(
    open_screen: OpenScreen, flow: Flow
) -> None:
    flow.publish(TOOLS)
    async with open_screen(tools=DEFINITIONS) as screen:
        await screen.press("n")
        assert screen.debugger.session.state is State.TOOLS
        assert screen.status.startswith("TOOLS  in 1/1 Ask")
        assert 'lookup({"order":5512})' in screen.lines("#output-text").replace(": ", ":")
        assert "Answer" in [hint.label for hint in screen.debug.footer.shown]
        await screen.press("n")
        assert "wait for answers" in screen.toasts()[-1]
        await screen.press("a", *"ok", "ctrl+s")
        assert screen.debugger.session.branch.unanswered == ()
        await screen.press("n")
        session = screen.debugger.session
        assert session.state is State.DONE
        body = json.loads(join(session.turns[-1].body))
        assert body["toolCallMessages"][-1]["content"] == "ok"
        assert "It was sent on Monday." in screen.lines("#output-text")


async def test_nothing_is_asked_while_no_tool_waits(open_screen: OpenScreen) -> None:
    async with open_screen() as screen:
        await screen.press("a")
        assert "No tool call waits" in screen.toasts()[-1]
