"""A paused run as a text, so that a person can answer its tool calls later (section 6.2).

It holds all that the next call repeats, and no credentials.
"""

from __future__ import annotations

from dataclasses import dataclass

from flowdbg.core.json_text import JsonText, join, members
from flowdbg.core.tool_calls import read_calls
from flowdbg.dialects.noukai.client.answers import Paused
from flowdbg.dialects.noukai.client.bodies import RunRequest, resume_body
from flowdbg.dialects.noukai.client.fields import integer_at, json_at, text_at, value_at
from flowdbg.errors import ProtocolViolation, UsageError


@dataclass(frozen=True, slots=True)
class KeptRun:
    """A run as it was asked for, and where."""

    url: str
    """The server's base URL."""
    profile: str
    """The named server that it is; empty when it is none."""
    address: str
    """`org/project/flow`."""
    version: int | None
    request: RunRequest


def to_text(kept: KeptRun, paused: Paused) -> str:
    """The text to keep of a run that waits."""
    calls = [
        {"id": call.id, "function": {"name": call.name, "arguments": call.arguments.text}}
        for call in paused.calls
    ]
    head = {
        "url": kept.url,
        "profile": kept.profile,
        "flow": kept.address,
        "version": kept.version,
        "toolCalls": calls,
    }
    body = join(resume_body(kept.request, paused, []))
    return f'{JsonText.of(head).text[:-1]},"body":{body}}}'


def from_text(text: str) -> tuple[KeptRun, Paused]:
    """The run and the pause that `to_text` wrote.

    Raises:
        UsageError: The text is none.
    """
    try:
        found = members(text)
        body = _parts(text)["body"].text
        inside, parts = members(body), _parts(body)
        paused = Paused(
            execution_id=text_at(inside, "executionId"),
            step_id=text_at(inside, "pausedAtStep"),
            calls=read_calls(value_at(found, "toolCalls")),
            messages=parts["toolCallMessages"],
            outputs=parts["accumulatedOutputs"],
            iterations_used=integer_at(inside, "iterationsUsed") or 0,
        )
        blocks = json_at(body, inside, "blockOverrides") or JsonText("{}")
        request = RunRequest(
            parameters=parts["parameters"],
            block_edits={step: _parts(one.text) for step, one in _parts(blocks.text).items()},
            attachments=value_at(inside, "attachments") or (),
            tools=parts.get("tools"),
            tool_choice=parts.get("toolChoice"),
            trace=value_at(inside, "trace") is True,
        )
    except (KeyError, ValueError, ProtocolViolation) as error:
        raise UsageError(
            "The file holds no paused run.", "Name one that 'flowdbg execute' wrote."
        ) from error
    kept = KeptRun(
        text_at(found, "url"),
        text_at(found, "profile"),
        text_at(found, "flow"),
        integer_at(found, "version"),
        request,
    )
    return kept, paused


def _parts(text: str) -> dict[str, JsonText]:
    """The members of a JSON object, each as the text it is written in."""
    return {
        name: JsonText(text[span.start : span.end], span.value)
        for name, span in members(text).items()
    }
