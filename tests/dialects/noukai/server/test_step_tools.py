"""Tool calls on `/step`: the pause, the resume, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dialects.noukai.server.stream import Event, code_of, names, only, post_step, step

FLOW = "acme/demo/tools"
TOOL = {"type": "function", "function": {"name": "get_weather"}}
BEFORE = {"before": {"message": "m"}}


def pause(base: str) -> Event:
    """The pause of the step that asks."""
    events = step(base, FLOW, stepIndex=1, message="m", accumulatedOutputs=BEFORE, tools=[TOOL])
    assert names(events)[-1] == "step_paused_for_tool_calls"
    return events[-1]


def resume(paused: Event, content: str = "sunny", **changed: Any) -> dict[str, Any]:
    """The body that goes on after a pause."""
    result = {"role": "tool", "toolCallId": paused["toolCalls"][0]["id"], "content": content}
    return {
        "executionId": paused["executionId"],
        "stepIndex": paused["stepIndex"],
        "iterationsUsed": paused["iterationsUsed"],
        "accumulatedOutputs": paused["accumulatedOutputs"],
        "toolCallMessages": [*paused["toolCallMessages"], result],
        "tools": [TOOL],
        **changed,
    }


def test_a_pause_is_the_last_event_and_counts_in_the_whole_flow(base: str) -> None:
    events = step(base, FLOW, stepIndex=0, message="m", runRemaining=True, tools=[TOOL], trace=True)
    assert names(events) == [
        *("run_started", "step_started", "step_input", "step_completed", "step_progress"),
        *("step_started", "step_input", "step_paused_for_tool_calls"),
    ]
    paused = events[-1]
    assert (paused["stepId"], paused["stepIndex"], paused["iterationsUsed"]) == ("ask", 1, 1)
    assert paused["runId"] == paused["executionId"]
    assert paused["accumulatedOutputs"] == BEFORE
    assert paused["toolCalls"][0]["function"]["name"] == "get_weather"


def test_the_step_goes_on_with_the_results(base: str) -> None:
    paused = pause(base)
    events = step(base, FLOW, **resume(paused))
    assert only(events, "step_completed")["output"] == {"text": "It is sunny."}
    assert [event["outputData"] for event in events if event["eventType"] == "step_output"] == [
        "It is ",
        "sunny.",
    ]
    assert names(events)[-1] == "step_paused"
    assert events[-1]["nextStepIndex"] == 2


def test_another_round_is_another_pause(base: str) -> None:
    again = step(base, FLOW, **resume(pause(base), "rain"))
    assert names(again)[-1] == "step_paused_for_tool_calls"
    assert again[-1]["iterationsUsed"] == 2
    done = step(base, FLOW, **resume(again[-1]))
    assert only(done, "step_completed")["output"] == {"text": "It is sunny."}


def test_tools_that_a_resume_leaves_out_are_those_of_the_pause(base: str) -> None:
    again = step(base, FLOW, **resume(pause(base), "rain", tools=None))
    assert names(again)[-1] == "step_paused_for_tool_calls"
    done = step(base, FLOW, **resume(again[-1], tools=None))
    assert only(done, "step_completed")["output"] == {"text": "It is sunny."}


def test_a_lost_execution_id_still_goes_on_from_the_conversation(base: str) -> None:
    events = step(base, FLOW, **resume(pause(base), executionId=None, message="m"))
    assert only(events, "step_completed")["output"] == {"text": "It is sunny."}


def test_a_step_can_be_run_anew_instead_of_gone_on_with(base: str) -> None:
    paused = pause(base)
    events = step(base, FLOW, **{**resume(paused), "toolCallMessages": None})
    assert names(events)[-1] == "step_paused_for_tool_calls"
    assert events[-1]["iterationsUsed"] == 1


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"stepIndex": 2}, 400, "PAUSED_STEP_INVALID"),
        ({"iterationsUsed": 11}, 409, "TOOL_ITERATION_LIMIT"),
        ({"toolCallMessages": [{"role": "user", "content": "x"}]}, 400, "TOOL_RESULTS_MISMATCH"),
        ({"toolCallMessages": [1]}, 400, "TOOL_RESULTS_MISMATCH"),
        (
            {"toolCallMessages": [{"role": "user", "content": "x" * 1_000_001}]},
            413,
            "MESSAGES_TOO_LARGE",
        ),
        ({"tools": [{"type": "function"}]}, 400, "TOOLS_INVALID"),
    ],
)
def test_what_does_not_fit_the_pause_is_refused(
    base: str, changed: dict[str, Any], status: int, code: str
) -> None:
    answer = post_step(base, FLOW, **resume(pause(base), **changed))
    assert (answer.status_code, code_of(answer)) == (status, code)


def test_a_model_that_never_stops_asking_fails_the_step(base: str) -> None:
    tool = {"type": "function", "function": {"name": "again"}}
    flow = "acme/demo/endless-tools"
    events = step(base, flow, stepIndex=0, message="m", tools=[tool])
    for round_number in range(2, 11):
        events = step(base, flow, **resume(events[-1], tools=[tool]))
        assert events[-1]["iterationsUsed"] == round_number
    events = step(base, flow, **resume(events[-1], tools=[tool]))
    assert names(events)[-1] == "step_error"
    assert events[-1]["error"]["code"] == "TOOL_ITERATION_LIMIT"


FIRST = """\
flow: x
inputs:
  message: {type: string}
  tone: {type: string, default: kind}
scripts:
  helper:
    replies:
      - match: "sunny"
        text: "It is sunny."
      - tool_calls: [{name: get_weather, arguments: {}}]
steps:
  - id: ask
    kind: llm
    model: scripted/helper
    prompt: "{{ message }}, be {{ tone }}"
    processor_config: {tools_enabled: true}
  - {id: after, kind: code, code: "return {'said': initial['message'] + '/' + initial['tone']}"}
"""


def test_the_first_step_goes_on_with_what_the_run_was_started_with(
    base: str, publish: Any, fresh_flow: str
) -> None:
    publish(FIRST, fresh_flow)
    given: dict[str, Any] = {"parameters": {"tone": "stern"}, "trace": True}
    paused = step(base, fresh_flow, stepIndex=0, message="m", tools=[TOOL], **given)[-1]
    # One of the SDKs sends the parameters again here, and no message.
    body = resume(paused, message=None, **given)
    done = step(base, fresh_flow, **body, runRemaining=True)
    assert done[-1]["result"] == {"said": "m/stern"}


def test_tools_are_only_checked_against_the_steps_that_run(base: str) -> None:
    flow = "acme/demo/tools-in-loop"
    events = step(base, flow, stepIndex=0, message="m", tools=[TOOL])
    assert names(events)[-1] == "step_paused"
    for body in ({"stepIndex": 1, "accumulatedOutputs": BEFORE}, {"runRemaining": True}):
        answer = post_step(base, flow, message="m", tools=[TOOL], **body)
        assert (answer.status_code, code_of(answer)) == (400, "TOOLS_IN_NON_SEQUENTIAL_STEP")


def test_tools_for_a_flow_that_takes_none_are_refused(base: str) -> None:
    answer = post_step(base, "acme/demo/two-step", stepIndex=0, message="m", tools=[TOOL])
    assert (answer.status_code, code_of(answer)) == (400, "TOOLS_NOT_ENABLED")
