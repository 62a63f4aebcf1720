"""All verbs in any order against a server that says anything: nothing breaks, nothing is lost."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from flowdbg.core.address import FlowAddress
from flowdbg.core.entries import SessionOpened
from flowdbg.core.events import Received
from flowdbg.core.json_text import JsonText, join
from flowdbg.core.plan import Plan, Step
from flowdbg.core.session import Status
from flowdbg.core.tool_calls import ToolCall
from flowdbg.debugger import Debugger
from flowdbg.dialects.noukai.decode import decode
from flowdbg.dialects.noukai.target import NoukaiTarget
from flowdbg.dialects.target import Call
from flowdbg.errors import (
    BusyError,
    ConnectionFailed,
    EventTooLarge,
    Interrupted,
    NoSuchStep,
    Refused,
    RunLost,
    ServerFailed,
    StalePlan,
    TargetError,
    UsageError,
)
from flowdbg.store import SessionStore, session_path

PLAN = Plan((Step("a", "A"), Step("b", "B"), Step("c", "C")), 1, "h1", told=True)

_ids = st.sampled_from(["a", "b", "c", "zz"])
_frames = st.one_of(
    st.builds(lambda v: ("run_started", f'{{"executionId":"{v}","planHash":"h1"}}'), _ids),
    st.just(("run_started", '{"executionId":"a","planHash":"h2","version":2}')),
    st.builds(lambda v: ("step_started", f'{{"stepId":"{v}"}}'), _ids),
    st.builds(lambda v: ("step_output", f'{{"stepId":"{v}","outputData":"t"}}'), _ids),
    st.builds(lambda v: ("step_completed", f'{{"stepId":"{v}","output":{{"x":1}}}}'), _ids),
    st.builds(lambda v: ("step_error", f'{{"stepId":"{v}","error":"no"}}'), _ids),
    st.builds(lambda v: ("step_paused", f'{{"nextStepIndex":{v}}}'), st.integers(-2, 5)),
    st.just(("flow_completed", '{"result":1}')),
    st.just(("step_paused_for_tool_calls", '{"stepId":"a","toolCalls":[],"toolCallMessages":[]}')),
    st.builds(
        lambda v: (
            "step_paused_for_tool_calls",
            f'{{"stepId":"{v}","toolCalls":[{{"id":"t","name":"look"}}],"toolCallMessages":[]}}',
        ),
        _ids,
    ),
    st.builds(
        lambda v, phase: (
            "step_progress",
            f'{{"stepId":"{v}","phase":"{phase}","path":["x"],"index":0,"count":2,"output":1}}',
        ),
        _ids,
        st.sampled_from(
            ["node_started", "node_finished", "iteration_started", "iteration_finished"]
        ),
    ),
    st.just(("nonsense", "{")),
)
_failures = st.sampled_from(
    [
        None,
        Interrupted("cut", tail="event: st"),
        EventTooLarge("large"),
        ConnectionFailed("refused"),
        Refused("no", status=400, code="X"),
        RunLost("forgotten", status=404),
        NoSuchStep("end", status=400),
        ServerFailed("oops", status=500),
        StalePlan("stale", status=400, detail={"steps": ["b", {"stepId": "new"}]}),
    ]
)


class HostileTarget(NoukaiTarget):
    """The real client side, with what the server says put into its mouth."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1/api/v1", FlowAddress("o", "p", "f"), str)
        self.frames: list[list[tuple[str, str]]] = []
        self.failure: TargetError | None = None
        self.posts: list[str] = []
        self.told: list[str] = []
        self.plan: Plan | None = PLAN
        self.then: Callable[[], None] = lambda: None
        """Called when a group of events was taken."""

    async def fetch_plan(self, pinned: int | None) -> Plan | None:
        return self.plan

    @asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[AsyncIterator[list[Received]]]:
        self.posts.append(join(call.body))
        if self.failure and not self.frames:
            raise self.failure
        yield self._batches()

    async def _batches(self) -> AsyncIterator[list[Received]]:
        for group in self.frames:
            self.told += [data for _, data in group]
            yield [decode(name, data) for name, data in group]
            await asyncio.sleep(0)
            self.then()
        if self.failure:
            raise self.failure


class HostileServer(RuleBasedStateMachine):
    """Drives a debugger with a real session file."""

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.runner = asyncio.Runner()
        self.target = HostileTarget()
        self.store = SessionStore.create(self.folder, session_id="s", meta={})
        opened = SessionOpened("s", "noukai", "http://x", "o/p/f", message="hi")
        start = Debugger.start(self.target, self.store, opened, PLAN)
        self.debugger = self.runner.run(start)
        self.earlier = self.debugger.session

    def give(self, verb: Coroutine[Any, Any, None]) -> None:
        with suppress(UsageError, BusyError):
            self.runner.run(verb)

    @rule(groups=st.lists(st.lists(_frames, min_size=1, max_size=4), max_size=4), fails=_failures)
    def the_server_will_say(
        self, groups: list[list[tuple[str, str]]], fails: TargetError | None
    ) -> None:
        self.target.frames = groups
        self.target.failure = fails

    @rule(known=st.booleans())
    def the_plan_route_comes_and_goes(self, known: bool) -> None:
        self.target.plan = PLAN if known else None

    @rule(verb=st.sampled_from(["step", "run_to_end", "retry", "restart", "pin", "continue_"]))
    def run(self, verb: str) -> None:
        before = len(self.target.posts)
        self.give(getattr(self.debugger, verb)())
        if verb in ("step", "retry") and self.debugger.tool_handler is None:
            assert len(self.target.posts) - before <= 1
        if verb in ("restart", "pin"):
            assert len(self.target.posts) == before

    @rule(verb=st.sampled_from(["step", "run_to_end", "continue_", "retry"]))
    def run_and_cancel(self, verb: str) -> None:
        before = len(self.target.posts)
        self.target.then = self.debugger.cancel
        self.give(getattr(self.debugger, verb)())
        self.target.then = lambda: None
        if any(self.target.frames):
            assert len(self.target.posts) - before <= 1

    @rule(step=_ids)
    def run_to(self, step: str) -> None:
        self.give(self.debugger.run_to(step))

    @rule(version=st.sampled_from([None, 1, 2]))
    def pin_or_follow(self, version: int | None) -> None:
        if version is None:
            self.give(self.debugger.restart(pinned=None))
        else:
            self.give(self.debugger.pin(version))

    @rule(call=st.sampled_from(["t", "other"]))
    def answer(self, call: str) -> None:
        self.give(self.debugger.answer(call, "grey"))

    @rule(handled=st.booleans())
    def a_handler_comes_and_goes(self, handled: bool) -> None:
        async def handler(call: ToolCall) -> JsonText:
            assert call.name == "look"
            return JsonText('"grey"')

        self.debugger.tool_handler = handler if handled else None
        self.debugger.tool_rounds = 2

    @rule(message=st.none() | st.just("other"))
    def give_inputs(self, message: str | None) -> None:
        self.give(self.debugger.give_inputs(message, JsonText('{"p": 1}')))

    @rule(step=_ids)
    def toggle_breakpoint(self, step: str) -> None:
        self.give(self.debugger.toggle_breakpoint(step))

    @rule()
    def close_and_open_again(self) -> None:
        before = self.debugger.session
        self.runner.run(self.debugger.close())
        self.store = SessionStore.open(session_path(self.folder, "s"))
        self.debugger = self.runner.run(Debugger.resume(self.target, self.store))
        assert self.debugger.session == before

    @rule(index=st.integers(-1, 4))
    def fork(self, index: int) -> None:
        self.give(self.debugger.fork(index))

    @rule()
    def skip(self) -> None:
        self.give(self.debugger.skip())

    @rule(step=_ids, text=st.sampled_from(['{"y":2}', "null", "{"]))
    def edit(self, step: str, text: str) -> None:
        self.give(self.debugger.edit_output(step, JsonText(text)))

    @rule(step=_ids)
    def take_back(self, step: str) -> None:
        self.give(self.debugger.clear_output_edit(step))

    @rule(step=_ids)
    def take_back_block(self, step: str) -> None:
        self.give(self.debugger.clear_block_edit(step))

    @rule(step=_ids, fields=st.dictionaries(st.just("prompt"), st.just(JsonText('"p"'))))
    def edit_block(self, step: str, fields: Mapping[str, JsonText]) -> None:
        self.give(self.debugger.edit_block(step, fields))

    @invariant()
    def every_event_is_kept_and_every_post_is_a_turn(self) -> None:
        if not hasattr(self, "debugger"):
            return
        session = self.debugger.session
        received = [join(event.received.data) for event in session.events]
        assert set(received) <= set(self.target.told)
        assert len(session.turns) == len(self.target.posts)
        assert [join(turn.body) for turn in session.turns] == self.target.posts
        assert session.running is None
        assert not session.verb
        assert session.cursor >= 0
        running = [
            execution
            for branch in session.branches
            for attempts in branch.executions.values()
            for execution in (*attempts, *(attempts[-1].children.values()))
            if execution.status is Status.RUNNING
        ]
        assert running == []

    @invariant()
    def nothing_of_what_was_is_overwritten(self) -> None:
        if not hasattr(self, "debugger"):
            return
        session, earlier = self.debugger.session, self.earlier
        left = [branch for branch in earlier.branches if branch.number != earlier.current]
        assert [session.branches[branch.number] for branch in left] == left
        assert session.turns[: len(earlier.turns)] == earlier.turns[:]
        assert session.events[: len(earlier.events)] == earlier.events[:]
        if session.current == earlier.current:
            assert session.branch.outputs.items() >= earlier.branch.outputs.items()
            assert session.cursor >= earlier.cursor
        self.earlier = session

    def teardown(self) -> None:
        if not hasattr(self, "debugger"):
            return
        session = self.debugger.session
        self.runner.run(self.debugger.close())
        store = SessionStore.open(session_path(self.folder, "s"))
        again = self.runner.run(Debugger.resume(self.target, store))
        assert again.session == session
        self.runner.run(again.close())
        self.runner.close()
        shutil.rmtree(self.folder)


TestHostileServer = HostileServer.TestCase
TestHostileServer.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
