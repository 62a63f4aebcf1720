"""Bodies of whole runs: what a server sent to be echoed goes back byte for byte."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdbg.core.json_text import JsonText, join
from flowdbg.dialects.noukai.client.answers import read_executed
from flowdbg.dialects.noukai.client.bodies import check_request, fresh_body, resume_body
from flowdbg.dialects.whole_runs import Paused, RunRequest
from flowdbg.errors import ProtocolViolation, UsageError

CALL = '{"id":"c1","type":"function","function":{"name":"look","arguments":"{}"}}'
MESSAGES = '[ {"role":"assistant", "toolCalls":[' + CALL + '], "n": 1.10, "n": 2.20} ]'
OUTPUTS = '{"one": {"big": 123456789012345678901234567890, "odd": 1E+2}}'
ANSWER = (
    '{"status":"tool_calls_required","executionId":"e","pausedAtStep":"s","flowId":"f",'
    f'"iterationsUsed":3,"blockCount":2,"toolCallMessages":{MESSAGES},"toolCalls":[{CALL}],'
    f'"accumulatedOutputs":{OUTPUTS}}}'
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
objects = st.dictionaries(st.text(max_size=6), values, max_size=4)


def paused() -> Paused:
    answer = read_executed(ANSWER)
    assert isinstance(answer, Paused)
    return answer


def test_a_fresh_body_has_only_what_was_given() -> None:
    assert join(fresh_body(RunRequest())) == '{"parameters":{},"trace":false}'
    request = RunRequest(message='"quoted"', parameters=JsonText('{"n":1.10}'), trace=True)
    expected = '{"message":"\\"quoted\\"","parameters":{"n":1.10},"trace":true}'
    assert join(fresh_body(request)) == expected
    talk = JsonText('[{"role":"user","content":"hi"}]')
    assert json.loads(join(fresh_body(RunRequest(messages=talk))))["messages"] == talk.value


def test_what_a_pause_holds_goes_back_as_it_came() -> None:
    result = {"role": "tool", "toolCallId": "c1", "content": "ok"}
    text = join(resume_body(RunRequest(message="dropped"), paused(), [result]))
    assert f'"accumulatedOutputs":{OUTPUTS}' in text
    assert MESSAGES.rstrip("] ") in text
    body = json.loads(text)
    assert body["toolCallMessages"][-1] == result
    assert len(body["toolCallMessages"]) == 2
    assert (body["executionId"], body["pausedAtStep"], body["iterationsUsed"]) == ("e", "s", 3)
    assert "message" not in body


@given(parameters=objects, blocks=st.dictionaries(st.text(max_size=5), objects, max_size=3))
def test_every_body_is_json_with_exactly_what_was_given(
    parameters: dict[str, Any], blocks: dict[str, dict[str, Any]]
) -> None:
    edits = {
        step: {name: JsonText.of(value) for name, value in fields.items()}
        for step, fields in blocks.items()
    }
    request = RunRequest(parameters=JsonText.of(parameters), block_edits=edits)
    body = json.loads(join(fresh_body(request)))
    assert body.pop("parameters") == parameters
    assert body.pop("blockOverrides", {}) == blocks


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (RunRequest(parameters=JsonText('{"attachments":[]}')), "no name for an input"),
        (RunRequest(message="a", messages=JsonText("[]")), "exclude each other"),
        (RunRequest(messages=JsonText("[]")), "not a list of messages"),
        (RunRequest(messages=JsonText('[{"role":"system"}]')), "'system'"),
        (RunRequest(messages=JsonText("[1]")), "None"),
    ],
)
def test_what_a_server_refuses_is_not_sent(request_: RunRequest, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_request(request_)
    assert says in refused.value.what


def test_calls_are_read_from_the_conversation_when_they_stand_nowhere_else() -> None:
    answer = json.loads(ANSWER)
    del answer["toolCalls"]
    answer["accumulatedOutputs"] = None
    read = read_executed(json.dumps(answer))
    assert isinstance(read, Paused)
    assert [call.name for call in read.calls] == ["look"]
    assert read.outputs.text == "{}"


@given(objects)
def test_whatever_a_server_answers_is_read_or_named_a_violation(answer: dict[str, Any]) -> None:
    for status in ("completed", "tool_calls_required", None):
        with suppress(ProtocolViolation):
            read_executed(json.dumps({**answer, "status": status}))
