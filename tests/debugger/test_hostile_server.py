"""All verbs in any order against a server that says anything: nothing breaks, nothing is lost."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Coroutine, Mapping
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
        if verb in ("step", "retry"):
            assert len(self.target.posts) - before <= 1
        if verb in ("restart", "pin"):
            assert len(self.target.posts) == before

    @rule(index=st.integers(-1, 4))
    def fork(self, index: int) -> None:
        self.give(self.debugger.fork(index))

    @rule(step=_ids, text=st.sampled_from(['{"y":2}', "null", "{"]))
    def edit(self, step: str, text: str) -> None:
        self.give(self.debugger.edit_output(step, JsonText(text)))

    @rule(step=_ids)
    def take_back(self, step: str) -> None:
        self.give(self.debugger.clear_output_edit(step))

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
            for execution in attempts
            if execution.status is Status.RUNNING
        ]
        assert running == []

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
