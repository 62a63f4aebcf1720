"""`flowdbg run` as scripts use it: lines, the outcome, exit codes; the program as a process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.debugger.flows import ADDRESS, FLOW, publish, write_flow
from tests.serving import Running, running_server

SUMMARY = {"text": "A summary in five words."}
AGAIN = {"text": "The second version of the summary."}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    write_flow(tmp_path)
    with running_server([tmp_path], tmp_path / "server.db") as running:
        publish(running.base)
        yield running


def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flowdbg", "run", *arguments]
    return subprocess.run(command, capture_output=True, text=True, input=stdin, check=False)


def lines(result: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_json_is_one_event_a_line_and_the_last_one_is_the_outcome(server: Running) -> None:
    result = run(ADDRESS, "-m", "hi", "--url", server.base, "--json")
    assert result.returncode == 0
    assert result.stderr == ""
    told = lines(result)
    step = ["step_started", "step_input", "step_completed"]
    streaming = ["step_started", "step_input", *["step_output"] * 5, "step_completed"]
    events = [line["event"] for line in told]
    assert events == ["run_started", *step, *streaming, *step, "run_completed"]
    outcome = told[-1]
    assert outcome["outputs"] == {
        "take": {"message": "hi"},
        "summarise": SUMMARY,
        "count": {"words": 5},
    }
    assert (outcome["exit_code"], outcome["version"], outcome["result"]) == (0, 1, {"words": 5})


def test_text_is_for_people(server: Running) -> None:
    result = run(ADDRESS, "-m", "hi", "--url", server.base)
    assert result.returncode == 0
    assert "▶ 2/3 summarise" in result.stdout
    assert "A summary in five words." in result.stdout
    assert "DONE · acme/demo/letters · version 1" in result.stdout


def test_until_stops_before_the_step_with_3(server: Running) -> None:
    result = run(ADDRESS, "-m", "hi", "--url", server.base, "--until", "count", "--json")
    assert result.returncode == 3
    outcome = lines(result)[-1]
    assert (outcome["event"], outcome["reason"], outcome["step_id"]) == ("stopped", "step", "count")
    assert list(outcome["outputs"]) == ["take", "summarise"]


def test_until_the_first_step_sends_nothing(server: Running) -> None:
    result = run(ADDRESS, "-m", "hi", "--url", server.base, "--until", "take", "--json")
    assert result.returncode == 3
    assert [line["event"] for line in lines(result)] == ["stopped"]


@pytest.mark.parametrize("more", [(), ("--run-remaining",)])
def test_an_output_override_is_what_later_steps_read(
    server: Running, tmp_path: Path, more: tuple[str, ...]
) -> None:
    lie = tmp_path / "lie.json"
    lie.write_text('{"message": "again"}')
    for value in ('{"message":"again"}', f"@{lie}"):
        override = ("--override-output", f"take={value}")
        result = run(ADDRESS, "-m", "hi", "--url", server.base, "--json", *override, *more)
        outcome = lines(result)[-1]
        assert outcome["outputs"]["take"] == {"message": "hi"}
        assert outcome["outputs"]["summarise"] == AGAIN
        assert outcome["output_overrides"] == {"take": {"message": "again"}}


def test_a_block_override_changes_a_field(server: Running) -> None:
    override = ("--override-block", "summarise.prompt=Do it again")
    result = run(ADDRESS, "-m", "hi", "--url", server.base, "--json", *override)
    assert lines(result)[-1]["outputs"]["summarise"] == AGAIN


def test_run_remaining_is_one_call(server: Running) -> None:
    result = run(ADDRESS, "-m", "hi", "--url", server.base, "--json", "--run-remaining")
    assert result.returncode == 0
    assert [line["event"] for line in lines(result)].count("run_started") == 1


def test_a_failing_step_ends_with_1_and_says_why(server: Running) -> None:
    result = run(ADDRESS, "-m", "this fails", "--url", server.base, "--json")
    assert result.returncode == 1
    failed, outcome = lines(result)[-2:]
    assert failed["event"] == "step_failed"
    assert "out of order" in failed["error"]["message"]
    assert (outcome["reason"], outcome["state"]) == ("error", "failed")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["no/such"], "not the address of a flow"),
        ([f"{ADDRESS}@draft", "-m", "x"], "draft"),
        ([ADDRESS], "The flow needs: message"),
        ([ADDRESS, "-m", "x", "--until", "nowhere"], "no step 'nowhere'"),
        ([ADDRESS, "-m", "x", "--until", "count", "--run-remaining"], "exclude each other"),
        ([ADDRESS, "-m", "x", "--override-output", "take={"], "not JSON"),
        ([ADDRESS, "-m", "x", "--override-output", "tak=1"], "Did you mean 'take'"),
        ([ADDRESS, "-m", "x", "--override-block", "take=1"], "not a block override"),
        ([ADDRESS, "-m", "x", "--override-output", "take=@/no/file"], "cannot be read"),
        ([ADDRESS, "-m", "x", "--params", "/no/file"], "cannot be read"),
        (["nowhere.flow.yaml"], "There is no file"),
        ([ADDRESS, "--frobnicate"], "No such option"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_wrong(
    server: Running, arguments: list[str], says: str
) -> None:
    more = [] if arguments[0].endswith(".yaml") else ["--url", server.base]
    result = run(*arguments, *more)
    assert result.returncode == 2
    assert says in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_inputs_come_from_a_file_from_flags_and_from_stdin(server: Running) -> None:
    arguments = (ADDRESS, "--url", server.base, "--params", "-", "--json")
    result = run(*arguments, stdin='{"message": "from stdin"}')
    assert lines(result)[-1]["outputs"]["take"] == {"message": "from stdin"}
    result = run(*arguments, "-p", "message=from a flag", stdin='{"message": "from stdin"}')
    assert lines(result)[-1]["outputs"]["take"] == {"message": "from a flag"}


def test_a_server_that_is_not_there_ends_with_4() -> None:
    result = run(ADDRESS, "-m", "x", "--url", "http://127.0.0.1:9")
    assert result.returncode == 4
    assert "connection refused" in result.stderr


def test_a_flow_or_version_that_does_not_exist_ends_with_4(server: Running) -> None:
    for target in ("acme/demo/nothing", f"{ADDRESS}@77"):
        result = run(target, "-m", "x", "--url", server.base)
        assert result.returncode == 4
        assert "FLOW_NOT_FOUND" in result.stderr


def test_ctrl_c_cancels_the_step_and_ends_with_130(server: Running) -> None:
    command = [sys.executable, "-m", "flowdbg", "run", ADDRESS, "-m", "slowly", "--json"]
    with subprocess.Popen(
        [*command, "--url", server.base], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as process:
        assert process.stdout
        told = []
        for line in process.stdout:
            told.append(json.loads(line))
            if told[-1]["event"] == "step_output":
                process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    assert told[-1]["event"] == "stopped"
    assert list(told[-1]["outputs"]) == ["take"]


def test_a_flow_file_gets_its_own_server_and_is_pinned(tmp_path: Path) -> None:
    flow = write_flow(tmp_path, FLOW)
    result = run(str(flow), "-m", "hi", "--json")
    assert result.returncode == 0
    outcome = lines(result)[-1]
    assert (outcome["flow"], outcome["version"]) == (ADDRESS, 1)
    assert outcome["outputs"]["summarise"] == SUMMARY


def test_a_wrong_flow_file_ends_with_2_and_every_problem(tmp_path: Path) -> None:
    flow = write_flow(tmp_path, FLOW.replace("kind: llm", "kind: lllm").replace("inputs", "inptus"))
    result = run(str(flow), "-m", "hi")
    assert result.returncode == 2
    assert "letters.flow.yaml:2" in result.stderr
    assert "lllm" in result.stderr


def test_a_step_that_would_fail_is_skipped_and_the_output_given_goes_on(server: Running) -> None:
    flags = ("--override-output", 'summarise={"text":"mine"}', "--skip", "summarise")
    result = run(ADDRESS, "-m", "this fails", "--url", server.base, "--json", *flags)
    assert result.returncode == 0, result.stderr
    told = lines(result)
    assert {"event": "step_skipped", "step_id": "summarise"} in told
    assert [line["step_id"] for line in told if line["event"] == "step_started"] == [
        "take",
        "count",
    ]
    assert told[-1]["outputs"] == {"take": {"message": "this fails"}, "count": {"words": 5}}
    assert told[-1]["output_overrides"] == {"summarise": {"text": "mine"}}


def test_a_skip_behind_the_goal_is_left_alone(server: Running) -> None:
    flags = ("--override-output", 'count={"words":1}', "--skip", "count", "--until", "count")
    result = run(ADDRESS, "-m", "hi", "--url", server.base, "--json", *flags)
    assert result.returncode == 3
    assert "step_skipped" not in result.stdout
    assert lines(result)[-1]["step_id"] == "count"


def test_the_last_step_and_the_first_can_be_skipped(server: Running) -> None:
    flags = ("--override-output", 'take={"message":"a"}', "--skip", "take", "--skip", "count")
    result = run(ADDRESS, "-m", "hi", "--url", server.base, *flags, "--override-output", "count={}")
    assert result.returncode == 0, result.stderr
    assert "- take skipped" in result.stdout
    assert "- count skipped" in result.stdout
    assert "DONE" in result.stdout


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--skip", "summarise"), "Add --override-output summarise=JSON"),
        (("--skip", "sumarise"), "The plan has no step 'sumarise'"),
    ],
)
def test_what_cannot_be_skipped_is_said_before_anything_runs(
    server: Running, flags: tuple[str, ...], said: str
) -> None:
    result = run(ADDRESS, "-m", "hi", "--url", server.base, *flags)
    assert result.returncode == 2
    assert said in result.stderr
    assert result.stdout == ""
