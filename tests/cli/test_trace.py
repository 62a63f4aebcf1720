"""`flowdbg trace`: whole runs, single steps, and runs that are still going on."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import COMMAND, run
from tests.faults.server import RESET, STREAM_HEAD, FaultServer, answer_json, chunk, sse, stream_of

LOOP, TWO, SLOW = "acme/demo/loop", "acme/demo/two-step", "acme/demo/slow"
STEP = {
    "stepId": "one",
    "attempt": 2,
    "loopIndex": None,
    "status": "completed",
    "startedAt": "2026-11-20T06:02:55.861Z",
    "durationMs": 1200,
    "modelUsed": "x/y",
    "tokens": {"prompt": 3, "completion": 4, "total": 7},
    "costUsd": 0.25,
    "inputContext": None,
    "outputContext": None,
    "errorContext": None,
    "inputSizeBytes": 2048,
    "outputSizeBytes": 10,
    "truncated": False,
}
RUN = {"id": "r1", "flowId": "f1", "status": "completed", "triggerType": "step", "stepCount": 1}
TRACE = {"flowRun": RUN, "steps": [STEP]}
FLAKY = """\
flow: acme/demo/flaky
inputs: {message: {type: string}, words: {type: array, default: [a]}}
scripts:
  once: {replies: [{fail: {message: the model went away, code: GONE}}, {chunks: [ok]}]}
  inside: {replies: [{fail: {message: the model went away, code: GONE}}, {chunks: [ok]}]}
steps:
  - {id: ask, kind: llm, model: scripted/once, prompt: "Go", retries: 1}
  - id: each
    kind: loop
    array_field: initial.words
    steps: [{id: talk, kind: llm, model: scripted/inside, prompt: "Say", retries: 1}]
"""


def executed(base: str, flow: str, *more: str) -> str:
    ran = run("execute", flow, "-m", "x", "--url", base, "--json", *more)
    execution_id: str = ran.lines[-1]["execution_id"]
    return execution_id


def test_a_whole_trace_shows_steps_times_sizes_and_contexts(base: str) -> None:
    ran = run("trace", executed(base, TWO, "--trace"), "--url", base)
    assert ran.code == 0
    first, second = ran.out.splitlines()[:2]
    assert re.fullmatch(
        r"COMPLETED · acme/demo/two-step · execute · .*2 steps · 10 tok · .*", first
    )
    assert second.startswith("run ")
    assert re.search(r"^draft +✓ completed +\S+ +10 +\$0.00015 ", ran.out, re.MULTILINE)
    assert "captured whole" in ran.out
    assert '"text": "Dear reader, hello."' in ran.out


def test_what_was_not_captured_is_said(base: str) -> None:
    ran = run("trace", executed(base, TWO), "--url", base)
    assert "only times, tokens, cost and sizes; a run with --trace keeps inputs" in ran.out
    assert "Dear reader" not in ran.out


@pytest.mark.parametrize("more", [(), ("--flow", LOOP)])
def test_both_families_of_addresses_tell_the_same(base: str, more: tuple[str, ...]) -> None:
    run_id = executed(base, LOOP, "--trace")
    ran = run("trace", run_id, "--url", base, "--json", *more)
    told = ran.lines
    assert (told[0]["event"], told[0]["status"], told[0]["capture"]) == ("run", "completed", "full")
    inside = [step for step in told[1:] if step["path"]]
    assert [step["loop_index"] for step in inside] == [0, 1, 2]
    assert inside[1]["path"] == [1, "shout"]
    assert inside[1]["output"] == {"loud": "B"}
    entries = [step["step_id"] for step in told[1:] if not step["path"]]
    assert entries == ["each", "after"]


def test_one_step_can_be_looked_at_in_every_iteration(base: str) -> None:
    run_id = executed(base, LOOP, "--trace")
    at = ("trace", run_id, "--url", base, "--step", "shout")
    every = run(*at, "--attempt", "all", "--json")
    assert [step["output"]["loud"] for step in every.lines] == ["A", "B", "C"]
    one = run(*at, "--loop-index", "1")
    assert "each / 2 / shout" in one.out
    assert '"loud": "B"' in one.out
    nothing = run(*at, "--attempt", "7")
    assert nothing.code == 4
    assert "STEP_NOT_FOUND" in nothing.err


def test_following_a_finished_run_tells_it_again_and_how_it_ended(base: str) -> None:
    ran = run("trace", executed(base, LOOP, "--trace"), "--url", base, "--follow")
    assert ran.code == 0
    assert "  ✓ each / 2 / shout" in ran.out
    assert "✓ after" in ran.out
    assert "COMPLETED · acme/demo/loop" in ran.out
    failed = executed(base, "acme/demo/failing")
    ran = run("trace", failed, "--url", base, "-f", "--json")
    assert ran.code == 1
    assert [line["event"] for line in ran.lines][-2:] == ["step_failed", "run"]
    assert ran.lines[-1]["exit_code"] == 1


def test_following_tells_that_a_step_is_tried_again(base: str, tmp_path: Path) -> None:
    file = tmp_path / "flaky.flow.yaml"
    file.write_text(FLAKY)
    assert run("publish", str(file), "--url", base).code == 0
    ran = run("trace", executed(base, "acme/demo/flaky", "--trace"), "--url", base, "-f")
    assert ran.code == 0
    told = [line for line in ran.out.splitlines() if "tried again" in line]
    assert [line.partition(".")[0] for line in told] == [
        "✗ ask, tried again: the model went away",
        "  ✗ each / 1 / talk, tried again: the model went away",
    ]


def test_a_run_can_be_followed_while_it_happens_and_left_alone(base: str) -> None:
    job = run("jobs", "submit", SLOW, "-m", "x", "--url", base, "--trace").out.strip()
    command = [*COMMAND, "trace", job, "--follow", "--url", base, "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as process:
        assert process.stdout
        for line in process.stdout:
            if json.loads(line)["event"] == "step_started":
                break
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == "Stopped looking. The run goes on.\n"
    ran = run("jobs", "status", SLOW, job, "--url", base)
    assert ran.out == "running\n"


def test_a_trace_of_a_server_that_tells_only_the_protocol_is_readable() -> None:
    gets = {"/r1/trace": answer_json(200, TRACE)}
    with FaultServer(gets=gets).in_thread() as server:
        ran = run("trace", "r1", "--url", server.url)
        assert server.requests[-1].path == "/api/v1/flow-runs/r1/trace"
        as_json = run("trace", "r1", "--flow", TWO, "--url", server.url, "--json")
        assert server.requests[-1].path == f"/api/v1/seq/{TWO}/runs/r1/trace"
    assert "COMPLETED · flow f1 · step · 1 step · 7 tok · $0.25" in ran.out
    assert re.search(r"one, attempt 2 +✓ completed +1.2s +7 +\$0.25 +2 KB +10 B +x/y", ran.out)
    assert as_json.lines[1]["cost_usd"] == "0.25"
    assert as_json.lines[1]["attempt"] == 2


def test_long_contexts_are_cut_with_a_way_to_see_all() -> None:
    long = {**STEP, "outputContext": {str(number): number for number in range(100)}}
    gets = {
        "/steps/one/trace": answer_json(200, long),
        "/r1/trace": answer_json(200, {**TRACE, "steps": [long]}),
    }
    with FaultServer(gets=gets).in_thread() as server:
        whole = run("trace", "r1", "--url", server.url)
        step = run("trace", "r1", "--step", "one", "--url", server.url)
    assert "… 72 lines more: --step one shows all" in whole.out
    assert '"99": 99' not in whole.out
    assert '"99": 99' in step.out


def test_ids_cannot_change_the_address() -> None:
    with FaultServer(gets={"/trace": answer_json(200, TRACE)}).in_thread() as server:
        run("trace", "../keys?x=", "--step", "a/b#c", "--attempt", "all", "--url", server.url)
        asked = server.requests[-1].path
    assert asked == "/api/v1/flow-runs/..%2Fkeys%3Fx%3D/steps/a%2Fb%23c/trace?attempt=all"


@pytest.mark.parametrize(
    ("script", "code", "says"),
    [
        ([STREAM_HEAD, chunk(sse("flow_started", {"executionId": "r1"})), RESET], 4, "Ask again"),
        ([STREAM_HEAD, chunk(b"event: step_st"), b"0\r\n\r\n"], 4, "middle of an event"),
        (
            answer_json(404, {"detail": {"code": "RUN_NOT_FOUND", "message": "m"}}),
            4,
            "flowdbg runs",
        ),
        (stream_of(sse("unheard_of", {"a": 1})), 0, ""),
    ],
)
def test_a_stream_that_breaks_is_no_end_of_the_run(script: Any, code: int, says: str) -> None:
    gets = {"/trace/stream": script, "/trace": answer_json(200, TRACE)}
    with FaultServer(gets=gets).in_thread() as server:
        ran = run("trace", "r1", "--follow", "--url", server.url, "--json")
    assert ran.code == code
    assert says in ran.err
    if code == 0:
        other = {"event": "other", "name": "unheard_of", "data": {"a": 1}}
        assert ran.lines[0] == other


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--follow", "--step", "a"], "exclude each other"),
        (["--attempt", "all"], "Add --step"),
        (["--step", "a", "--attempt", "0"], "'0' is no attempt"),
        (["--step", "a", "--attempt", "last"], "'last' is no attempt"),
        (["--flow", "x.flow.yaml"], "is a file"),
        (["--flow", "a/b"], "not the address of a flow"),
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], says: str) -> None:
    ran = run("trace", "r1", *arguments, "--url", "http://127.0.0.1:9")
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err


def test_what_a_server_says_cannot_reach_the_terminal() -> None:
    evil = "\x1b[2J\x07\u202e"
    step = {**STEP, "stepId": evil, "status": evil, "modelUsed": evil, "errorContext": {evil: evil}}
    run_evil = {**RUN, "id": evil, "flowId": evil, "status": evil, "startedAt": evil}
    events = [
        sse("step_started", {"stepId": evil}),
        sse("step_output", {"stepId": evil, "outputData": evil}),
        sse("step_error", {"stepId": evil, "error": {"message": evil}}),
    ]
    gets = {
        "/trace/stream": stream_of(*events),
        "/trace": answer_json(200, {"flowRun": run_evil, "steps": [step]}),
    }
    with FaultServer(gets=gets).in_thread() as server:
        for flag in ((), ("--json",), ("--follow",)):
            ran = run("trace", "r1", "--url", server.url, *flag)
            assert ran.code in (0, 3)
            assert not {"\x1b", "\x07", "\u202e"} & set(ran.out + ran.err)
