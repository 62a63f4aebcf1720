"""`flowdbg execute` as scripts use it: results, tools, refusals, exit codes; one POST a call."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from flowdbg.config import paths
from flowdbg.dialects.noukai.codes import CODES
from tests.cli.program import COMMAND, run
from tests.faults.server import (
    HANG,
    RESET,
    FaultServer,
    Script,
    answer,
    answer_json,
    head,
)
from tests.serving import write_flows

TWO, TOOLS, FAILING = "acme/demo/two-step", "acme/demo/tools", "acme/demo/failing"
WEATHER = [{"type": "function", "function": {"name": "get_weather", "parameters": {}}}]
DONE = {"status": "completed", "result": {"text": "hi"}, "flowId": "f1", "blockCount": 2}
CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}}
PAUSED: dict[str, Any] = {
    "status": "tool_calls_required",
    "executionId": "e1",
    "pausedAtStep": "ask",
    "flowId": "f1",
    "iterationsUsed": 1,
    "blockCount": 2,
    "toolCallMessages": [{"role": "assistant", "toolCalls": [CALL], "n": 1}],
    "toolCalls": [CALL],
    "accumulatedOutputs": {"before": {"n": 1}},
}


@pytest.fixture
def tools(tmp_path: Path) -> str:
    """A file that offers `get_weather`, next to modules that answer it."""
    (tmp_path / "tools.json").write_text(json.dumps(WEATHER))
    return str(tmp_path / "tools.json")


@pytest.fixture
def answering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to work in, with a module of handlers."""
    (tmp_path / "my_tools.py").write_text(
        "print('loading')\n"
        "def get_weather(location):\n"
        "    print('looking')\n"
        "    return {'in': location, 'it is': 'sunny'}\n"
        "async def everything(name, arguments):\n"
        "    return f'{name} {arguments} sunny'\n"
        "def broken(location):\n"
        "    raise KeyError('no such place')\n"
        "nothing = 1\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    sys.modules.pop("my_tools", None)


def played(*scripts: Script, **more: Any) -> FaultServer:
    return FaultServer(*scripts, **more)


def test_a_result_is_printed_for_people(base: str) -> None:
    ran = run("execute", TWO, "-m", "you", "--url", base)
    assert ran.code == 0
    assert '"text": "Dear reader, hello."' in ran.out
    assert "DONE · acme/demo/two-step · 2 blocks" in ran.out
    assert "\nrun " in ran.out
    assert ran.err == "running acme/demo/two-step (production)\n"


def test_json_ends_with_the_outcome_and_leaves_stderr_empty(base: str) -> None:
    ran = run("execute", TWO, "-m", "you", "--url", base, "--json")
    assert (ran.code, ran.err) == (0, "")
    (outcome,) = ran.lines
    assert outcome["event"] == "run_completed"
    assert outcome["exit_code"] == 0
    assert outcome["result"] == {"text": "Dear reader, hello.", "length": 19}
    assert len(outcome["execution_id"]) == 36


def test_inputs_blocks_and_files_reach_the_flow(base: str, tmp_path: Path) -> None:
    (tmp_path / "inputs.json").write_text('{"message": "from a file"}')
    inputs = ("--params", str(tmp_path / "inputs.json"), "-p", "tone=stern")
    ran = run("execute", "acme/demo/three-step", *inputs, "--url", base, "--json")
    assert ran.lines[0]["result"] == {"said": "from a file", "before": "from a file/stern!"}
    loud = ("--override-block", "draft.prompt=Be LOUD")
    ran = run("execute", TWO, "-m", "x", *loud, "--url", base, "--json")
    assert ran.lines[0]["result"]["text"] == "DEAR READER."


def test_a_failed_run_ends_with_1_and_says_where(base: str) -> None:
    ran = run("execute", FAILING, "-m", "x", "--url", base)
    assert ran.code == 1
    assert "the model went away" in ran.out
    assert "FAILED at broken" in ran.out
    ran = run("execute", FAILING, "-m", "x", "--url", base, "--json")
    assert (ran.code, ran.lines[0]["event"]) == (1, "run_failed")


def test_a_flow_file_gets_a_server_of_its_own(tmp_path: Path) -> None:
    from tests.flows import TWO_STEP

    write_flows(tmp_path, TWO_STEP)
    ran = run("execute", str(tmp_path / "two-step.flow.yaml"), "-m", "x", "--json")
    assert (ran.code, ran.lines[0]["result"]["length"]) == (0, 19)


@pytest.mark.parametrize(
    ("target", "more", "path"),
    [
        (TWO, (), f"/seq/{TWO}/execute"),
        (TWO, ("--version", "production"), f"/seq/{TWO}/execute"),
        (TWO, ("--version", "draft"), f"/seq/{TWO}/v0/execute"),
        (TWO, ("--version", "0"), f"/seq/{TWO}/v0/execute"),
        (TWO, ("--version", "3"), f"/seq/{TWO}/v3/execute"),
        (f"{TWO}@v4", (), f"/seq/{TWO}/v4/execute"),
        (f"{TWO}@draft", (), f"/seq/{TWO}/v0/execute"),
    ],
)
def test_the_version_is_part_of_the_address(target: str, more: Sequence[str], path: str) -> None:
    with played(answer_json(200, DONE)).in_thread() as server:
        ran = run("execute", target, "-m", "x", "--url", server.url, *more)
        assert ran.code == 0
        assert [one.path for one in server.requests if one.method == "POST"] == [f"/api/v1{path}"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([TWO, "--version", "main"], "'main' is not a version"),
        ([TWO, "--version", "-1"], "'-1' is not a version"),
        ([f"{TWO}@latest"], "'latest' is not a version"),
        ([f"{TWO}@3", "--version", "4"], "named twice"),
        ([], "No flow is named"),
        (["only/two"], "not the address of a flow"),
        ([TWO, "-p", "attachments=x"], "'attachments' is no name"),
        ([TWO, "--attach", "http://a.example/b.png"], "not an https URL"),
        ([TWO, "--attach", "https://a.example/b.pdf"], "cannot be told from its ending"),
        ([TWO, "--tool-choice", "auto"], "no tools to choose from"),
        ([TWO, "--tool-exec", "cat"], "offered no tools"),
        ([TWO, "--tool-exec", "no-such-command-here"], "no command 'no-such-command-here'"),
        ([TWO, "--tool-handler", "no_such_module_here:f"], "cannot be loaded"),
        ([TWO, "--tool-handler", "json"], "names no function"),
        ([TWO, "--tool-handler", "json:loads", "--tool-exec", "cat"], "exclude each other"),
        ([TWO, "--tool-result", "c=1"], "answers a run that waits"),
        ([TWO, "--session-id", "a\nb"], "sent as a header"),
        ([TWO, "--messages", "/no/such/file"], "cannot be read"),
        (["--resume", "x", "-m", "y"], "goes on with a run as it was asked"),
        (["--resume", "never-seen"], "No run is kept"),
        (["nowhere.flow.yaml"], "There is no file"),
        (["nowhere.flow.yaml", "--version", "3"], "server of its own"),
    ],
)
def test_wrong_usage_ends_with_2_and_posts_nothing(arguments: list[str], says: str) -> None:
    with played().in_thread() as server:
        given = arguments if "--resume" in arguments else [*arguments, "-m", "x"]
        url = [] if "--resume" in arguments or ".yaml" in str(arguments) else ["--url", server.url]
        ran = run("execute", *given, *url)
        assert server.posts == 0
    assert ran.code == 2
    assert says in ran.err
    assert ran.out == ""


def test_an_input_that_the_flow_needs_is_asked_for_before_it_runs(base: str) -> None:
    ran = run("execute", TWO, "--url", base)
    assert (ran.code, ran.out) == (2, "")
    assert "The flow needs: message" in ran.err


def test_attachments_tools_and_a_tag_go_out_as_the_protocol_has_them(tools: str) -> None:
    with played(answer_json(200, DONE)).in_thread() as server:
        ran = run(
            *("execute", TWO, "-m", "look", "--url", server.url, "--trace"),
            *("--attach", "https://a.example/x/cat.JPG"),
            *("--attach", "https://a.example/y?z=1=image/webp"),
            *("--tools", tools, "--tool-choice", "get_weather", "--session-id", "tag-1"),
        )
        sent = server.requests[-1]
    assert ran.code == 0
    body = sent.json()
    assert body["attachments"] == [
        {
            "kind": "url",
            "url": "https://a.example/x/cat.JPG",
            "mime_type": "image/jpeg",
            "filename": "cat.JPG",
        },
        {
            "kind": "url",
            "url": "https://a.example/y?z=1",
            "mime_type": "image/webp",
            "filename": "y",
        },
    ]
    assert body["tools"] == WEATHER
    assert body["toolChoice"] == {"type": "function", "function": {"name": "get_weather"}}
    assert body["trace"] is True
    assert sent.headers["x-session-id"] == "tag-1"
    assert sent.headers["x-noukai-api-version"] == "2026-05-31"


def test_a_conversation_stands_in_for_the_message(base: str, tmp_path: Path) -> None:
    file = tmp_path / "talk.json"
    talk = [{"role": "user", "content": "first"}, {"role": "user", "content": "last"}]
    file.write_text(json.dumps(talk))
    ran = run("execute", "acme/demo/three-step", "--messages", str(file), "--url", base, "--json")
    assert ran.lines[0]["result"]["said"] == "last"
    file.write_text('[{"role": "system", "content": "obey"}]')
    ran = run("execute", "acme/demo/three-step", "--messages", str(file), "--url", base)
    assert (ran.code, ran.out) == (2, "")
    assert "'system'" in ran.err


@pytest.mark.parametrize("handler", ["my_tools:get_weather", "my_tools:everything"])
def test_a_function_answers_tool_calls(
    base: str, tools: str, answering: Path, handler: str
) -> None:
    flags = ("--tools", tools, "--tool-handler", handler, "--url", base, "--json")
    ran = run("execute", TOOLS, "-m", "x", *flags)
    assert ran.code == 0
    called, answered, outcome = ran.lines
    assert called["calls"][0]["name"] == "get_weather"
    assert called["calls"][0]["arguments"] == {"location": "Oslo"}
    assert "sunny" in json.dumps(answered["result"])
    assert outcome["result"] == {"said": "It is sunny."}


def test_a_command_answers_tool_calls_and_is_shown(base: str, tools: str, tmp_path: Path) -> None:
    script = tmp_path / "answer.py"
    script.write_text(
        "import json, sys\n"
        "call = json.load(sys.stdin)\n"
        "print(json.dumps([call['name'], call['arguments'], 'sunny']))\n"
    )
    command = f"{sys.executable} {script}"
    ran = run("execute", TOOLS, "-m", "x", "--tools", tools, "--tool-exec", command, "--url", base)
    assert ran.code == 0
    assert 'call_1  get_weather {"location":"Oslo"}' in ran.out
    assert 'call_1  → ["get_weather", {"location": "Oslo"}, "sunny"]' in ran.out


def test_a_handler_is_asked_only_so_often(base: str, tmp_path: Path, answering: Path) -> None:
    (tmp_path / "again.json").write_text('[{"type":"function","function":{"name":"again"}}]')
    flags = ("--tools", str(tmp_path / "again.json"), "--tool-handler", "my_tools:everything")
    endless = ("execute", "acme/demo/endless-tools", "-m", "x", "--url", base)
    ran = run(*endless, *flags, "--max-tool-rounds", "2", "--json")
    assert ran.code == 3
    assert [line["event"] for line in ran.lines].count("tool_result") == 2
    ran = run(*endless, *flags, "--max-tool-rounds", "1")
    assert "as often as --max-tool-rounds allows" in ran.out


def test_calls_that_nobody_answers_end_with_3_and_can_be_answered_later(
    base: str, tools: str
) -> None:
    ran = run("execute", TOOLS, "-m", "x", "--tools", tools, "--url", base)
    assert ran.code == 3
    assert 'get_weather {"location":"Oslo"}' in ran.out
    assert "--tool-result call_1=JSON" in ran.out
    (kept,) = (paths.data_dir() / "waiting").glob("*.json")
    assert kept.stat().st_mode & 0o777 == 0o600
    name = kept.stem
    assert f"flowdbg execute --resume {name}" in ran.out
    for wrong in ((), ("--tool-result", "call_9=1")):
        ran = run("execute", "--resume", name, *wrong)
        assert (ran.code, ran.out) == (2, "")
        assert "call_1" in ran.err
    ran = run("execute", "--resume", name, "--tool-result", 'call_1={"it is":"sunny"}', "--json")
    assert ran.code == 0
    assert ran.lines[-1]["result"] == {"said": "It is sunny."}
    assert not kept.exists()


def test_a_kept_run_holds_no_key(base: str, tools: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOUKAI_API_KEY", "nk_test_00000000_secretsecret")
    ran = run("execute", TOOLS, "-m", "x", "--tools", tools, "--url", base, "--json")
    assert (ran.code, ran.lines[-1]["event"]) == (3, "tool_calls_required")
    (kept,) = (paths.data_dir() / "waiting").glob("*.json")
    assert "nk_test" not in kept.read_text() + ran.out + ran.err


def test_a_resume_repeats_what_the_run_was_asked_with(answering: Path, tmp_path: Path) -> None:
    (tmp_path / "look.json").write_text('[{"type":"function","function":{"name":"look"}}]')
    with played(answer_json(200, PAUSED), answer_json(200, DONE)).in_thread() as server:
        ran = run(
            *("execute", f"{TWO}@7", "-m", "hi", "-p", "n:=1.10", "--url", server.url),
            *("--override-block", "draft.model=x/y", "--tools", str(tmp_path / "look.json")),
            *("--tool-handler", "my_tools:everything", "--session-id", "tag"),
        )
        first, second = [one for one in server.requests if one.method == "POST"]
    assert ran.code == 0
    assert first.path == second.path == f"/api/v1/seq/{TWO}/v7/execute"
    assert "x-session-id" not in second.headers
    asked, resumed = first.json(), second.json()
    for name in ("parameters", "blockOverrides", "tools", "trace"):
        assert asked[name] == resumed[name]
    assert "message" not in resumed
    assert (resumed["executionId"], resumed["pausedAtStep"]) == ("e1", "ask")
    assert resumed["iterationsUsed"] == 1
    assert resumed["accumulatedOutputs"] == PAUSED["accumulatedOutputs"]
    result = {"role": "tool", "toolCallId": "c1", "content": "look {'at': 1} sunny"}
    assert resumed["toolCallMessages"] == [*PAUSED["toolCallMessages"], result]


def test_a_run_whose_results_were_not_taken_can_be_gone_on_with(
    answering: Path, tmp_path: Path
) -> None:
    (tmp_path / "look.json").write_text('[{"type":"function","function":{"name":"look"}}]')
    flags = ("--tools", str(tmp_path / "look.json"), "--tool-handler", "my_tools:everything")
    refusal = answer_json(503, {"detail": "starting"})
    with played(answer_json(200, PAUSED), refusal, answer_json(200, DONE)).in_thread() as server:
        ran = run("execute", TWO, "-m", "x", "--url", server.url, *flags)
        assert ran.code == 4
        assert "flowdbg execute --resume e1" in ran.err
        ran = run("execute", "--resume", "e1", "--tool-result", "c1=1")
        assert server.posts == 3
    assert ran.code == 0


def test_a_waiting_run_that_cannot_be_kept_ends_with_6() -> None:
    paths.data_dir().mkdir(parents=True)
    (paths.data_dir() / "waiting").write_text("a file where a folder is needed")
    with played(answer_json(200, PAUSED)).in_thread() as server:
        ran = run("execute", TWO, "-m", "x", "--url", server.url)
    assert ran.code == 6
    assert 'look {"at":1}' in ran.out
    assert "could not be kept" in ran.err


def test_a_damaged_kept_run_is_refused() -> None:
    folder = paths.data_dir() / "waiting"
    folder.mkdir(parents=True)
    (folder / "e1.json").write_text("{}")
    ran = run("execute", "--resume", "e1", "--tool-result", "c1=1")
    assert (ran.code, ran.out) == (2, "")
    assert "holds no paused run" in ran.err


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_has_a_sentence_that_needs_no_debugger_keys(code: str) -> None:
    refusal = answer_json(400, {"detail": {"code": code, "message": "it went wrong"}})
    with played(refusal).in_thread() as server:
        ran = run("execute", TWO, "-m", "x", "--url", server.url)
        assert server.posts == 1
    assert ran.code in (2, 4, 5)
    assert f"400 {code}: it went wrong" in ran.err
    next_step = ran.err.rstrip().rsplit("\n", 1)[-1].strip()
    assert next_step.endswith(".")
    assert not any(f"({key})" in next_step for key in "rRPFoiI")


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ([RESET], "reset"),
        (
            [head(200, "application/json", content_length="50") + b'{"sta', RESET],
            "nothing was sent",
        ),
        (answer(200, "text/html", b"<html>"), "HTML page"),
        (answer(200, "application/json", b"[]"), "not a JSON object"),
        (answer_json(200, {"result": 1}), "no status"),
        (answer_json(200, {"status": "tool_calls_required", "executionId": "e"}), "names none"),
        (answer_json(429, {"detail": "slow down"}, retry_after="7"), "Wait 7 seconds"),
        (answer_json(500, {"detail": "a bug"}), "500"),
        (answer_json(401, {"detail": "who are you"}), "NOUKAI_API_KEY"),
        (answer_json(302, {}, location="https://elsewhere.example/"), "not followed"),
    ],
)
def test_trouble_ends_with_4_and_nothing_is_sent_twice(script: Script, says: str) -> None:
    with played(script).in_thread() as server:
        ran = run("execute", TWO, "-m", "x", "--url", server.url)
        assert server.posts == 1
    assert ran.code == 4
    assert says in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("command", [("execute",), ("jobs", "submit")])
def test_after_a_break_the_command_that_lists_the_runs_is_whole(command: tuple[str, ...]) -> None:
    with played([RESET], [RESET]).in_thread() as server:
        ran = run(*command, TWO, "-m", "x", "--url", server.url)
        assert f"Look at its runs: flowdbg runs {TWO} --url {server.url}\n" in ran.err
        run("config", "add", "my own", "--url", server.url)
        ran = run(*command, TWO, "-m", "x", "-P", "my own")
        assert f"Look at its runs: flowdbg runs {TWO} --profile 'my own'\n" in ran.err
    assert ran.code == 4


def test_what_a_server_says_cannot_reach_the_terminal() -> None:
    evil = "\x1b]52;c;x\x07\u202e[bold]"
    failed = {"status": "failed", "result": evil, "executionId": evil, "error": {"stepId": evil}}
    call = {"id": evil, "function": {"name": evil, "arguments": evil}}
    waiting = {**PAUSED, "executionId": evil, "pausedAtStep": evil, "toolCalls": [call]}
    for value in (failed, waiting):
        with played(answer_json(200, value)).in_thread() as server:
            ran = run("execute", TWO, "-m", "x", "--url", server.url)
        assert ran.code in (1, 3)
        assert not {"\x1b", "\x07", "\u202e"} & set(ran.out + ran.err)
    (kept,) = (paths.data_dir() / "waiting").iterdir()
    assert "\x1b" not in kept.name


def test_a_command_to_paste_is_safe_whatever_a_server_calls_a_run() -> None:
    call = {"id": "`c`", "function": {"name": "look", "arguments": "{}"}}
    waiting = {**PAUSED, "executionId": "$(touch x); e", "toolCalls": [call]}
    with played(answer_json(200, waiting)).in_thread() as server:
        ran = run("execute", TWO, "-m", "x", "--url", server.url)
    assert "flowdbg execute --resume '$(touch x); e' --tool-result '`c`=JSON'\n" in ran.out


def test_ctrl_c_while_a_tool_works_leaves_the_run_waiting(tmp_path: Path) -> None:
    (tmp_path / "look.json").write_text('[{"type":"function","function":{"name":"look"}}]')
    tools = ("--tools", str(tmp_path / "look.json"), "--tool-exec", "sleep 3600")
    with played(answer_json(200, PAUSED)).in_thread() as server:
        command = [*COMMAND, "execute", TWO, "-m", "x", "--url", server.url, *tools]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
        ) as process:
            assert process.stderr
            for line in process.stderr:
                if line == "tool look\n":
                    break
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "WAITING FOR TOOLS" in out
    assert "flowdbg execute --resume e1 --tool-result c1=JSON" in out


def test_ctrl_c_ends_with_130_and_says_what_is_not_known() -> None:
    with played([HANG]).in_thread() as server:
        command = [*COMMAND, "execute", TWO, "-m", "x", "--url", server.url]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
        ) as process:
            assert process.stderr
            assert process.stderr.readline() == f"running {TWO} (production)\n"
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        assert process.returncode == 130
        assert server.posts <= 1
    assert "not confirmed" in out
    assert f"flowdbg runs {TWO} --url {server.url}\n" in out
    assert "Traceback" not in err
