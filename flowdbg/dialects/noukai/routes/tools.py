"""Tool calls: what a request may offer, how a pause is told, and whether results fit it.

Protocol sections 3, 4, 6.2, 12 (points 10 and 11) and 17 (points 12, 13 and 23).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from flowdbg.core.tool_calls import MOST_TOOLS
from flowdbg.dialects.encoding import json_bytes
from flowdbg.dialects.noukai import wire
from flowdbg.dialects.noukai.routes.requests import RequestModel
from flowdbg.dialects.operations import Refusal
from flowdbg.dialects.services import Call, PauseTaken, Resolved, Runs, RunStart
from flowdbg.engine.errors import EngineError
from flowdbg.engine.events import EntryFailed, EntryPaused
from flowdbg.engine.nodes import Container, LlmBlock, Node
from flowdbg.engine.state import tool_resume
from flowdbg.engine.tools import MAX_ROUNDS

MOST_MESSAGE_BYTES = 1_000_000
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CHOICES = ("auto", "none", "required")


def check_tools(
    resolved: Resolved, indexes: Iterable[int], tools: Sequence[Any], choice: Any
) -> None:
    """See that the tools are well made and that the entries to be run may use them.

    Raises:
        Refusal: 400 `TOOLS_INVALID`, `TOOL_NAME_INVALID`, `TOOLS_NOT_ENABLED`,
            `TOOLS_IN_NON_SEQUENTIAL_STEP`.
    """
    _check_definitions(tools)
    _check_choice(choice)
    if not tools:
        return
    steps = resolved.definition.steps
    if not any(True for node in steps for _ in _enabled(node)):
        raise Refusal(
            400,
            wire.TOOLS_NOT_ENABLED,
            "No `llm` block of this flow takes tools. Set `processor_config.tools_enabled` in it,"
            " or send no tools.",
        )
    for index in indexes:
        if any(_enabled(steps[index])):
            raise Refusal(
                400,
                wire.TOOLS_IN_NON_SEQUENTIAL_STEP,
                f"The step `{steps[index].id}` asks for tools inside a container, where it cannot"
                " pause.",
            )


def check_conversation(messages: Sequence[Any]) -> None:
    """See that a conversation is a list of objects of bounded size.

    Raises:
        Refusal: 400 `TOOL_RESULTS_MISMATCH`, 413 `MESSAGES_TOO_LARGE`.
    """
    if not all(isinstance(message, dict) for message in messages):
        message = "`toolCallMessages` must be a list of messages."
        raise Refusal(400, wire.TOOL_RESULTS_MISMATCH, message)
    too_large(messages, "toolCallMessages")


def too_large(messages: Sequence[Any], name: str) -> None:
    """Refuse a conversation that is too large.

    Raises:
        Refusal: 413 `MESSAGES_TOO_LARGE`.
    """
    if len(json_bytes(messages)) > MOST_MESSAGE_BYTES:
        raise Refusal(
            413,
            wire.MESSAGES_TOO_LARGE,
            f"`{name}` is larger than {MOST_MESSAGE_BYTES} bytes. Shorten the conversation.",
        )


def resume_state(
    messages: Sequence[Mapping[str, Any]],
    iterations_used: int,
    pending: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The engine's state that goes on after a pause.

    Args:
        messages: The conversation of the pause with the results appended.
        iterations_used: What the client says of the rounds so far; the record is believed more.
        pending: What the run's record says of the pause, when it is known.

    Raises:
        Refusal: 400 `TOOL_RESULTS_MISMATCH`, 409 `TOOL_ITERATION_LIMIT`.
    """
    check_conversation(messages)
    rounds = max(iterations_used, pending["iterations"] if pending else 0)
    if rounds > MAX_ROUNDS:
        raise round_limit(rounds)
    try:
        state = tool_resume(messages, rounds, pending["state"] if pending else None)
    except EngineError as error:
        raise Refusal(400, wire.TOOL_RESULTS_MISMATCH, str(error)) from error
    if pending is not None and _last_calls(state["conversation"]["messages"]) != pending["calls"]:
        raise Refusal(
            400,
            wire.TOOL_RESULTS_MISMATCH,
            "The tool results do not answer the calls that this run waits for.",
        )
    return state


async def begun(runs: Runs, start: RunStart) -> Call:
    """Begin a call; of those that go on after one pause the first one is begun.

    Raises:
        Refusal: 400 `PAUSED_STEP_INVALID`.
    """
    try:
        return await runs.begin(start)
    except PauseTaken as error:
        raise Refusal(400, wire.PAUSED_STEP_INVALID, str(error)) from error


def round_limit(rounds: int) -> Refusal:
    """More rounds of tool calls than one step may have."""
    return Refusal(
        409,
        wire.TOOL_ITERATION_LIMIT,
        f"The step has asked for tools {rounds} times; at most {MAX_ROUNDS} rounds are allowed.",
    )


def over_the_limit(paused: EntryPaused) -> EntryFailed | None:
    """The failure that a pause becomes when the step has paused too often."""
    if paused.iterations_used <= MAX_ROUNDS:
        return None
    detail = round_limit(paused.iterations_used).detail
    return EntryFailed(paused.path, detail, paused.usage, paused.duration_ms)


def pending_of(
    paused: EntryPaused, step_id: str, tools: Sequence[Any], choice: Any
) -> dict[str, Any]:
    """What the run's record keeps of a pause, and of the tools that were offered."""
    return {
        "tools": list(tools),
        "toolChoice": choice,
        "stepId": step_id,
        "iterations": paused.iterations_used,
        "calls": [call["id"] for call in paused.tool_calls],
        "state": paused.state,
    }


def with_tools_of(asked: RequestModel, pending: Mapping[str, Any] | None) -> RequestModel:
    """A request that goes on; when it offers no tools, it offers those of the pause.

    Not every client of the vendor sends them again (section 6.2).
    """
    if asked.tools or pending is None or not pending.get("tools"):
        return asked
    kept = {"tools": pending["tools"], "tool_choice": pending["toolChoice"]}
    return asked.model_copy(update=kept)


def messages_json(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A conversation with its tool fields in both spellings."""
    return [_both_spellings(message) for message in messages]


def _both_spellings(message: Mapping[str, Any]) -> dict[str, Any]:
    written = dict(message)
    if "tool_calls" in written:
        written["toolCalls"] = written["tool_calls"]
    if "tool_call_id" in written:
        written["toolCallId"] = written["tool_call_id"]
    return written


def _last_calls(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    calls = next(item["tool_calls"] for item in reversed(messages) if item.get("tool_calls"))
    return [call["id"] for call in calls]


def _check_definitions(tools: Sequence[Any]) -> None:
    if len(tools) > MOST_TOOLS:
        raise Refusal(400, wire.TOOLS_INVALID, f"At most {MOST_TOOLS} tools can be given.")
    names: set[str] = set()
    for number, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or tool.get("type") != "function":
            raise _invalid(number, "must be `{type: function, function: {name, …}}`")
        name = function.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise Refusal(
                400,
                wire.TOOL_NAME_INVALID,
                f"The name of tool {number} must be 1 to 64 letters, digits, `_` or `-`.",
            )
        if name in names:
            raise _invalid(number, f"has the name {name!r}, which is taken")
        names.add(name)
        if not isinstance(function.get("description", ""), str):
            raise _invalid(number, "has a description that is no text")
        if not isinstance(function.get("parameters", {}), dict):
            raise _invalid(number, "has parameters that are no JSON Schema")


def _invalid(number: int, what: str) -> Refusal:
    return Refusal(400, wire.TOOLS_INVALID, f"Tool {number} {what}.")


def _check_choice(choice: Any) -> None:
    if choice is None or choice in _CHOICES:
        return
    function = choice.get("function") if isinstance(choice, dict) else None
    if isinstance(function, dict) and isinstance(function.get("name"), str):
        return
    message = "`toolChoice` must be auto, none, required, or name a function."
    raise Refusal(400, wire.TOOLS_INVALID, message)


def _enabled(node: Node, inside: bool = False) -> Iterator[bool]:
    """For each block that takes tools: whether a container is around it."""
    if isinstance(node, LlmBlock) and node.processor_config.tools_enabled:
        yield inside
    if isinstance(node, Container):
        for child in node.steps:
            yield from _enabled(child, inside=True)
