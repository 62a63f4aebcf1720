"""Runs that wait for a person's tool results, kept in private files until they are answered.

A file holds all that the next call repeats, as it came, and no credentials.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from flowdbg.config import paths
from flowdbg.core.json_text import JsonText, members
from flowdbg.core.tool_calls import read_calls
from flowdbg.dialects.whole_runs import Paused, RunRequest
from flowdbg.errors import NotSaved, ProtocolViolation, UsageError

_LONGEST_NAME = 150


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


def keep(kept: KeptRun, paused: Paused) -> str:
    """Write a waiting run down; gives the name under which it is found again.

    Raises:
        NotSaved: The disk is full or failed.
    """
    name = paused.execution_id
    path = _path(name)
    fresh = path.with_suffix(".new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(to_text(kept, paused))
        fresh.replace(path)
    except OSError as error:
        raise NotSaved(
            f"The waiting run could not be kept in {path}: {error.strerror}.",
            "Answer its calls with --tool-exec or --tool-handler, or make room and run it again.",
        ) from error
    return name


def find(name: str) -> tuple[KeptRun, Paused]:
    """The waiting run kept under a name.

    Raises:
        UsageError: There is none, or it cannot be read.
    """
    path = _path(name)
    try:
        return from_text(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        known = ", ".join(sorted(one.stem for one in path.parent.glob("*.json")))
        hint = f"Kept are: {known}." if known else "No run is kept."
        raise UsageError(f"No run '{name}' waits for tool results here.", hint) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}.", "Check the file.") from error


def forget(name: str) -> None:
    """Remove a run that was answered."""
    _path(name).unlink(missing_ok=True)


def to_text(kept: KeptRun, paused: Paused) -> str:
    """The text to keep of a run that waits; what goes back to the server stands as it came."""
    request, images = kept.request, kept.request.attachments
    calls = [
        {"id": call.id, "function": {"name": call.name, "arguments": call.arguments.text}}
        for call in paused.calls
    ]
    blocks = {step: _object(fields) for step, fields in request.block_edits.items()}
    body = {
        "executionId": JsonText.of(paused.execution_id),
        "pausedAtStep": JsonText.of(paused.step_id),
        "iterationsUsed": JsonText.of(paused.iterations_used),
        "toolCallMessages": paused.messages,
        "accumulatedOutputs": paused.outputs,
        "parameters": request.parameters,
        "blockOverrides": _object(blocks),
        "attachments": JsonText.of(list(images)) if images else None,
        "tools": request.tools,
        "toolChoice": request.tool_choice,
        "trace": JsonText.of(request.trace),
    }
    head = {
        "url": JsonText.of(kept.url),
        "profile": JsonText.of(kept.profile),
        "flow": JsonText.of(kept.address),
        "version": JsonText.of(kept.version),
        "toolCalls": JsonText.of(calls),
        "body": _object({name: value for name, value in body.items() if value is not None}),
    }
    return _object(head).text


def from_text(text: str) -> tuple[KeptRun, Paused]:
    """The run and the pause that `to_text` wrote.

    Raises:
        UsageError: The text is none.
    """
    try:
        head = _parts(text)
        body = _parts(head["body"].text)
        blocks = _parts(body["blockOverrides"].text) if "blockOverrides" in body else {}
        attachments = body.get("attachments")
        trace = body.get("trace")
        paused = Paused(
            execution_id=str(body["executionId"].value),
            step_id=str(body["pausedAtStep"].value),
            calls=read_calls(head["toolCalls"].value),
            messages=body["toolCallMessages"],
            outputs=body["accumulatedOutputs"],
            iterations_used=int(body["iterationsUsed"].value),
        )
        request = RunRequest(
            parameters=body["parameters"],
            block_edits={step: _parts(one.text) for step, one in blocks.items()},
            attachments=attachments.value if attachments else (),
            tools=body.get("tools"),
            tool_choice=body.get("toolChoice"),
            trace=trace is not None and trace.value is True,
        )
        url, profile, flow = (str(head[name].value) for name in ("url", "profile", "flow"))
        kept = KeptRun(url, profile, flow, head["version"].value, request)
    except (KeyError, TypeError, ValueError, ProtocolViolation) as error:
        raise UsageError(
            "The file holds no paused run.", "Name one that 'flowdbg execute' wrote."
        ) from error
    return kept, paused


def _path(name: str) -> Path:
    return paths.data_dir() / "waiting" / f"{quote(name, safe='')[:_LONGEST_NAME]}.json"


def _object(fields: Mapping[str, JsonText]) -> JsonText:
    """A JSON object of texts that stay as they are."""
    inside = ",".join(f"{JsonText.of(name).text}:{value.text}" for name, value in fields.items())
    return JsonText(f"{{{inside}}}")


def _parts(text: str) -> dict[str, JsonText]:
    """The members of a JSON object, each as the text it is written in."""
    return {
        name: JsonText(text[span.start : span.end], span.value)
        for name, span in members(text).items()
    }
