"""A pause for tool calls is answered once, however many answer it at the same time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier
from typing import Any

import httpx
import pytest

from tests.dialects.noukai.server import http
from tests.dialects.noukai.server.stream import code_of, only, post_step, read_events, step
from tests.serving import Running, running_server, server_process, write_flows

Body = dict[str, Any]
FLOW = "acme/demo/asking"
ASKING = f"""\
flow: {FLOW}
inputs:
  message: {{type: string}}
scripts:
  helper:
    replies:
      - {{match: "later", text: "It is sunny.", first_delay: 60}}
      - {{match: "now", text: "It rains."}}
      - tool_calls: [{{name: get_weather, arguments: {{}}}}]
steps:
  - id: ask
    kind: llm
    model: scripted/helper
    prompt: "What is the weather?"
    processor_config: {{tools_enabled: true}}
"""
"""Asks for a tool first; what the tool says decides how long the answer takes."""
WAITING = """\
flow: acme/demo/waiting
inputs:
  message: {type: string}
scripts:
  slow:
    replies:
      - {text: "done", first_delay: 60}
steps:
  - {id: wait, kind: llm, model: scripted/slow, prompt: "Take your time"}
"""
"""Takes a minute."""
TOOL = {"type": "function", "function": {"name": "get_weather"}}


@pytest.fixture
def servers(location: str, tmp_path: Path) -> Iterator[list[Running]]:
    """One server on a SQLite file, then two on one PostgreSQL database."""
    write_flows(tmp_path, ASKING)
    with ExitStack() as stack:
        count = 2 if location.startswith("postgresql") else 1
        yield [stack.enter_context(running_server([tmp_path], location)) for _ in range(count)]


def resume(paused: Body, content: str) -> Body:
    """The body that goes on after a pause, for either route."""
    result = {"role": "tool", "toolCallId": paused["toolCalls"][0]["id"], "content": content}
    names = ("executionId", "pausedAtStep", "stepIndex", "iterationsUsed", "accumulatedOutputs")
    return {
        **{name: paused[name] for name in names if name in paused},
        "toolCallMessages": [*paused["toolCallMessages"], result],
        "tools": [TOOL],
    }


def at_once(url: Callable[[int], str], body: Body) -> list[str]:
    """Post six times in the same instant: the codes of the refusals, and `goes on`.

    Nobody hangs up before everybody has an answer.
    """
    ready, answered = Barrier(6), Barrier(6)

    def one(number: int) -> str:
        ready.wait(120)
        with httpx.stream("POST", url(number), json=body, timeout=120) as answer:
            if answer.status_code != 200:
                answer.read()
            answered.wait(120)
            return "goes on" if answer.status_code == 200 else code_of(answer)

    with ThreadPoolExecutor(6) as threads:
        return sorted(threads.map(one, range(6)))


@pytest.mark.parametrize(("route", "said"), [("execute", "now"), ("step", "later")])
def test_of_many_that_answer_a_pause_in_the_same_instant_one_goes_on(
    servers: list[Running], route: str, said: str
) -> None:
    def url(number: int) -> str:
        return f"{servers[number % len(servers)].base}/seq/{FLOW}/{route}"

    body = {"stepIndex": 0, "message": "m", "tools": [TOOL]}
    answer = http.post(url(0), json=body)
    paused = answer.json() if route == "execute" else read_events(answer.content)[-1]
    codes = at_once(url, resume(paused, said))
    assert codes == [*["PAUSED_STEP_INVALID"] * 5, "goes on"]


def test_a_pause_is_not_answered_while_an_answer_to_it_is_worked_on(
    servers: list[Running],
) -> None:
    base, other = servers[0].base, servers[-1].base
    paused = step(base, FLOW, stepIndex=0, message="m", tools=[TOOL])[-1]
    url = f"{base}/seq/{FLOW}/step"
    with httpx.stream("POST", url, json=resume(paused, "later"), timeout=120) as first:
        lines = first.iter_lines()
        assert next(lines) == "event: run_started"
        second = post_step(other, FLOW, **resume(paused, "now"))
        assert (second.status_code, code_of(second)) == (400, "PAUSED_STEP_INVALID")
    # An answer that was given up leaves a run that goes on from the conversation.
    run = f"{base}/flow-runs/{paused['executionId']}"
    end = time.monotonic() + 60
    while http.get(run).json()["status"] == "running":
        assert time.monotonic() < end
    third = step(other, FLOW, **resume(paused, "now"))
    assert only(third, "step_completed")["output"] == {"text": "It rains."}


def test_a_run_that_the_queue_plays_is_not_stepped(tmp_path: Path) -> None:
    write_flows(tmp_path, WAITING)
    with server_process([tmp_path], "--db", str(tmp_path / "server.db")) as server:
        flow = f"{server.base}/seq/acme/demo/waiting"
        run_id = http.post(f"{flow}/jobs", json={"message": "m"}).json()["executionId"]
        said = [{"role": "tool", "toolCallId": "c", "content": "x"}]
        bodies: list[tuple[str, str, Body]] = [
            ("step", "EXECUTION_ID_INVALID", {}),
            ("step", "EXECUTION_ID_INVALID", {"toolCallMessages": said}),
            ("execute", "PAUSED_STEP_INVALID", {"toolCallMessages": said, "pausedAtStep": "wait"}),
        ]
        for route, code, body in bodies:
            asked = {"executionId": run_id, "message": "m", **body}
            answer = http.post(f"{flow}/{route}", json=asked)
            assert (answer.status_code, code_of(answer)) == (400, code)
