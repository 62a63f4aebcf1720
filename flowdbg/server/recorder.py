"""Turns the engine's events of one plan entry into the records of its steps.

A block inside a container gets a record of its own, with its path and the index of the iteration
around it; the entry's record comes last, because it ends last.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from flowdbg.dialects.records import (
    RETRIED,
    Capture,
    StepNote,
    StepStatus,
    kept_error,
    redacted,
)
from flowdbg.engine.events import (
    EngineEvent,
    EntryCompleted,
    EntryFailed,
    EntryPaused,
    NodeFinished,
    NodePath,
    NodeRetried,
    NodeSkipped,
    NodeStarted,
    PromptRendered,
    StepInput,
    Usage,
)
from flowdbg.engine.plan import PlanEntry
from flowdbg.server.storage.steps import to_text

RENDERED_PROMPT = "__rendered_prompt__"
"""Reserved key of kept outputs (noukai section 8.6); live outputs never have it."""
MAX_KEPT = 48_000_000
"""Characters of inputs and outputs that are kept of what is inside one plan entry."""
_ENDED = {"code": "CANCELLED", "message": "It was ended because another branch failed."}
_NO_USAGE = Usage()


@dataclass(slots=True)
class _Open:
    """A node that has begun."""

    started_at: float
    began: float
    """Monotonic seconds."""
    name: str = ""
    value: Any = None
    has_input: bool = False
    skipped: bool = False
    prompt: dict[str, Any] | None = None
    """What its model was asked, last."""
    again: bool = False
    """Whether this attempt repeats one that failed; the engine counts their time together."""


class EntryRecorder:
    """Notes events; `steps` are the records they make."""

    def __init__(self, entry: PlanEntry, capture: Capture, counted: Usage = _NO_USAGE) -> None:
        """Begin to note.

        Args:
            entry: The plan entry.
            capture: How much of inputs and outputs to keep.
            counted: What earlier calls of the same entry consumed and recorded already; the
                engine counts it again when the entry ends.
        """
        self._counted = counted
        self._room = MAX_KEPT
        self._entry = entry
        self._capture = capture
        self._steps: list[StepNote] = []
        self._open: dict[NodePath, _Open] = {(): _Open(time.time(), time.monotonic())}

    def note(self, event: EngineEvent) -> None:
        """Take in one event."""
        match event:
            case StepInput(path, value):
                node = self._node(path)
                node.value, node.has_input = value, True
            case NodeStarted(path, name):
                self._node(path).name = name
            case PromptRendered(path, model, messages):
                self._node(path).prompt = {"model": model, "messages": messages}
            case NodeRetried(path, _, error):
                self._retry(path, error)
            case NodeSkipped(path, output):
                self._node(path).skipped = True
                if path:
                    self._end(self._noted(path, "skipped", (output,)))
            case NodeFinished(path, output, usage, duration_ms):
                self._end(
                    self._noted(path, "completed", (output,), usage=usage, duration_ms=duration_ms)
                )
            case EntryCompleted():
                self._complete(event)
            case EntryFailed(path, error, usage, duration_ms):
                usage = _less(usage, self._counted)
                self._fail_inside(path, error)
                self._end(
                    self._noted((), "failed", error=(error,), usage=usage, duration_ms=duration_ms)
                )
            case EntryPaused(usage=usage, duration_ms=duration_ms):
                self._end(self._noted((), "running", usage=usage, duration_ms=duration_ms))

    def steps(self) -> list[StepNote]:
        """The records so far; what began and has not ended is `running`."""
        if self._capture == "off":
            return []
        inside_first = sorted(self._open, key=len, reverse=True)
        return [*self._steps, *(self._noted(path, "running") for path in inside_first)]

    def _node(self, path: NodePath) -> _Open:
        node = self._open.get(path)
        if node is None:
            node = self._open[path] = _Open(time.time(), time.monotonic())
        return node

    def _retry(self, path: NodePath, error: Mapping[str, Any]) -> None:
        """An attempt failed and the block tries again: that is an execution of its own."""
        node = self._node(path)
        self._end(self._noted(path, "failed", error=({**error, RETRIED: True},)))
        self._open[path] = replace(
            node, started_at=time.time(), began=time.monotonic(), prompt=None, again=True
        )

    def _fail_inside(self, path: NodePath, error: Mapping[str, Any]) -> None:
        """A block failed, and with it what is around it; then what ran beside it was ended."""
        inside_first = [other for other in sorted(self._open, key=len, reverse=True) if other]
        around = [other for other in inside_first if path[: len(other)] == other]
        for other in around:
            self._end(self._noted(other, "failed", error=(error,)))
        for other in inside_first:
            if other not in around:
                self._end(self._noted(other, "failed", error=(_ENDED,)))

    def _complete(self, event: EntryCompleted) -> None:
        self._end(
            self._noted(
                (),
                "skipped" if self._node(()).skipped else "completed",
                (event.output,),
                usage=_less(event.usage, self._counted),
                duration_ms=event.duration_ms,
                model=event.model,
            )
        )

    def _end(self, note: StepNote) -> None:
        self._open.pop(note.path, None)
        self._steps.append(note)
        self._room -= len(note.input or "") + len(note.output or "")

    def _noted(
        self,
        path: NodePath,
        status: StepStatus,
        output: tuple[Any, ...] = (),
        *,
        error: tuple[Any, ...] = (),
        usage: Usage = _NO_USAGE,
        duration_ms: int | None = None,
        model: str | None = None,
    ) -> StepNote:
        node = self._node(path)
        if duration_ms is None or node.again:
            duration_ms = round((time.monotonic() - node.began) * 1000)
        if model is None and node.prompt is not None:
            model = node.prompt["model"]
        read = to_text(node.value) if node.has_input else None
        written = to_text(output[0]) if output else None
        names = [part for part in path if isinstance(part, str)]
        iterations = [part for part in path if isinstance(part, int)]
        return StepNote(
            step_id=names[-1] if names else self._entry.step_id,
            name=node.name if path else self._entry.name,
            entry_id=self._entry.step_id,
            path=path,
            status=status,
            started_at=node.started_at,
            duration_ms=duration_ms,
            loop_index=iterations[-1] if iterations else None,
            model=model,
            prompt_tokens=usage.prompt,
            completion_tokens=usage.completion,
            cost=usage.cost,
            input=self._kept(path, read, node.value),
            output=self._kept(path, written, _with_prompt(node, output)),
            error=to_text(kept_error(error[0], self._capture)) if error else None,
            input_bytes=len(read) if read is not None else 0,
            output_bytes=len(written) if written is not None else 0,
        )

    def _kept(self, path: NodePath, text: str | None, value: Any) -> str | None:
        """What the record keeps of an input or output: its text, its shape, or nothing.

        What is inside an entry may name one large value many times; beyond `MAX_KEPT` only sizes
        are kept. The entry's own input and output always are.
        """
        if text is None or self._capture not in ("full", "redacted"):
            return None
        if path and len(text) > self._room:
            return None
        return to_text(value if self._capture == "full" else redacted(value))


def _with_prompt(node: _Open, output: tuple[Any, ...]) -> Any:
    """An output as it is kept: with what the model was asked, under the reserved key."""
    value = output[0] if output else None
    if node.prompt is None or not isinstance(value, dict):
        return value
    return {**value, RENDERED_PROMPT: node.prompt}


def usage_in(state: Mapping[str, Any] | None) -> Usage:
    """What the calls before a pause consumed, by the engine's state of it."""
    if state is None or "usage" not in state:
        return _NO_USAGE
    prompt, completion, cost = state["usage"]
    return Usage(prompt, completion, None if cost is None else Decimal(cost))


def _less(usage: Usage, counted: Usage) -> Usage:
    cost = usage.cost
    if cost is not None and counted.cost is not None:
        cost -= counted.cost
    return Usage(usage.prompt - counted.prompt, usage.completion - counted.completion, cost)
